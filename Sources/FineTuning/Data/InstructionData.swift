import Prompting
import Storage

/// The checked records of some data files, in the files' order.
public struct InstructionData: Sendable {
    /// The format of the records; never `auto`.
    public let format: DataFormat
    /// The records of all files, one file after the other.
    public let records: [InstructionRecord]

    /// Reads and checks all records.
    ///
    /// - Parameters:
    ///   - files: Files of records, as `JSONRecords` reads them.
    ///   - format: The format of all files; `auto` takes what the very first record tells.
    ///   - vocabulary: The model's number of token ids, which ids in records are held against.
    ///   - columns: Other names for the records' fields.
    /// - Throws: ``FileError``, ``JSONError`` or ``DataError``, at the first record that is not right.
    public init(
        files: [String], format: DataFormat, vocabulary: Int, columns: ColumnNames = ColumnNames()
    ) throws {
        var format = format
        var checker: RecordChecker?
        var records: [InstructionRecord] = []
        for file in files {
            let source = try JSONRecords(path: file)
            try source.refuseLeftOut(columns.wanted)
            while let stored = try source.next() {
                let record = try columns.renaming(stored)
                if format == .auto { format = try DataFormat(detecting: record) }
                let current = try checker ?? RecordChecker(format: format, vocabulary: vocabulary)
                checker = current
                records.append(try current.check(record))
            }
        }
        guard !records.isEmpty else { throw DataError.noRecords(files: files) }
        self.format = format
        self.records = records
    }
}

/// The names that a data set's columns are given, such as `instruction=question,output=answer`.
public struct ColumnNames: Equatable, Sendable {
    /// The known name and the column that it stands for.
    private let pairs: [(name: String, column: String)]

    /// Changes no name.
    public init() { pairs = [] }

    /// Reads pairs.
    ///
    /// - Parameter text: `NAME=COLUMN`, with commas between; empty for none.
    /// - Throws: ``DataError/columns(found:)``.
    public init(parsing text: String) throws {
        var pairs: [(name: String, column: String)] = []
        for pair in text.split(separator: ",", omittingEmptySubsequences: false)
        where !text.isEmpty {
            let sides = pair.split(separator: "=", omittingEmptySubsequences: false)
                .map { String($0.trimming(while: { $0 == " " })) }
            guard sides.count == 2, sides.allSatisfy({ !$0.isEmpty }),
                !pairs.contains(where: { $0.name == sides[0] })
            else { throw DataError.columns(found: text) }
            pairs.append((sides[0], sides[1]))
        }
        self.pairs = pairs
    }

    /// The columns that something is learnt from.
    var wanted: Set<String> {
        DataFormat.fields.subtracting(pairs.map(\.name)).union(pairs.map(\.column))
    }

    /// The record under the names; a field that loses its name to a column is dropped.
    ///
    /// - Throws: ``DataError/missingColumn(place:column:keys:)``.
    func renaming(_ record: JSONRecord) throws -> JSONRecord {
        if pairs.isEmpty { return record }
        let taken = Set(pairs.map(\.column) + pairs.map(\.name))
        var members = record.object.members.filter { !taken.contains($0.key) }
            .map { ($0.key, $0.value) }
        for (name, column) in pairs {
            guard let value = record.object[column] else {
                throw DataError.missingColumn(
                    place: record.place, column: column, keys: record.object.keys)
            }
            members.append((name, value))
        }
        return record.holding(JSONObject(members))
    }

    /// Whether both give the same names.
    public static func == (left: ColumnNames, right: ColumnNames) -> Bool {
        left.pairs.elementsEqual(right.pairs, by: ==)
    }
}

extension Substring {
    /// Without characters of a kind at both ends.
    fileprivate func trimming(while isTrimmed: (Character) -> Bool) -> Substring {
        var text = drop(while: isTrimmed)
        while let last = text.last, isTrimmed(last) { text.removeLast() }
        return text
    }
}
