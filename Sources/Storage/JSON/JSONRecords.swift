/// Reads the records of a data file one by one.
///
/// The name says how they are stored. `.jsonl`, and what a pipe of the shell brings, has one object per line
/// and is read in bounded memory; blank lines are skipped, up to a limit. `.json` is one array of objects and
/// is held in memory as bytes, up to a limit, while its records are made one at a time; so is a table, `.csv` or
/// `.tsv`, whose rows are records of texts. Each may be compressed, with `.zst` or `.gz` behind. Of a `.parquet`
/// file the rows are read one at a time.
///
///     let records = try JSONRecords(path: "train.jsonl.zst")
///     while let record = try records.next() { … }
public final class JSONRecords {
    private enum Source {
        case lines(LineReader)
        case array(JSONArrayReader)
        case table
        case rows(ParquetReader)
    }

    /// The path as given, for messages.
    public let path: String
    private let source: Source
    private var table: TableReader?
    private let options: JSONOptions
    private let blankLimit: Int
    private var blankBytes = 0

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: A name that ends in `.json`, `.jsonl`, `.csv` or `.tsv`, each also with `.zst` or `.gz`, or in
    ///     `.parquet`.
    ///   - arrayLimit: The largest accepted `.json` text or table, in bytes, decompressed.
    ///   - lineLimit: The longest accepted line of a `.jsonl` file, in bytes.
    ///   - blankLimit: The most bytes that blank lines of a `.jsonl` file may have, all together; few bytes of
    ///     zstd stand for billions.
    ///   - options: What is accepted as JSON.
    /// - Throws: ``FileError``, or ``JSONError`` or ``ParquetError`` if the name, the beginning or the end is not
    ///   as it should.
    public init(
        path: String, arrayLimit: Int = 512 << 20, lineLimit: Int = 64 << 20,
        blankLimit: Int = 16 << 20, options: JSONOptions = JSONOptions()
    ) throws {
        self.path = path
        self.options = options
        self.blankLimit = blankLimit
        let name = FilePath.withoutCompression(path)
        if name.hasSuffix(".jsonl") || FileDescriptor.isOwn(path) {
            source = .lines(try LineReader(path: path, lineLimit: lineLimit))
        } else if name.hasSuffix(".json") {
            source = .array(try JSONArrayReader(path: path, limit: arrayLimit, options: options))
        } else if name.hasSuffix(".csv") || name.hasSuffix(".tsv") {
            table = try TableReader(
                path: path, limit: arrayLimit,
                separator: UInt8(ascii: name.hasSuffix(".csv") ? "," : "\t"))
            source = .table
        } else if path.hasSuffix(".parquet") {
            source = .rows(try ParquetReader(path: path))
        } else {
            throw JSONError.unknownSuffix(file: path)
        }
    }

    /// Reads the next record.
    ///
    /// - Returns: The record, or nil at the end.
    /// - Throws: ``FileError``, ``JSONError``, ``TableError`` or ``ParquetError``, with the line.
    public func next() throws -> JSONRecord? {
        switch source {
        case .lines(let reader):
            while true {
                guard let result = try reader.withNext(parse) else { return nil }
                switch result {
                case .record(let value, let line): return try record(value, line: line)
                case .blank(let bytes, let line):
                    blankBytes += bytes
                    guard blankBytes <= blankLimit else {
                        throw JSONError.blankLines(
                            file: path, line: line, limit: blankLimit)
                    }
                }
            }
        case .table:
            return try table?.next().map {
                JSONRecord(file: path, line: $0.line, object: $0.object)
            }
        case .rows(let reader):
            return try reader.next().map {
                JSONRecord(file: path, line: $0.row, object: $0.object)
            }
        case .array(let reader):
            return try reader.next().map { try record($0.value, line: $0.line) }
        }
    }

    /// Refuses columns that records have in the file, but are left out because of what they hold.
    ///
    /// - Parameter wanted: The columns that are of use.
    /// - Throws: ``ParquetError/kind(file:column:found:)``.
    public func refuseLeftOut(_ wanted: Set<String>) throws {
        guard case .rows(let reader) = source else { return }
        for (column, kind) in reader.leftOut where wanted.contains(column) {
            throw ParquetError.kind(file: path, column: column, found: kind)
        }
    }

    /// Reads all records that are left.
    public func all() throws -> [JSONRecord] {
        var records: [JSONRecord] = []
        while let record = try next() { records.append(record) }
        return records
    }

    private enum Line {
        case blank(bytes: Int, line: Int)
        case record(JSONValue, line: Int)
    }

    private func parse(line: Int, bytes: UnsafeBufferPointer<UInt8>) throws -> Line {
        var parser = JSONParser(bytes, options: options)
        guard parser.skipSpace() != nil else { return .blank(bytes: bytes.count + 1, line: line) }
        let value = try JSONText.locating(bytes, file: path, firstLine: line) {
            (_) throws(JSONParser.Failure) in try parser.document()
        }
        return .record(value, line: line)
    }

    private func record(_ value: JSONValue, line: Int) throws -> JSONRecord {
        guard let object = value.objectValue else {
            throw JSONError.recordKind(place: "\(path):\(line)", found: value.kind)
        }
        return JSONRecord(file: path, line: line, object: object)
    }
}

/// One record of a data file, and where it stands.
public struct JSONRecord: Equatable, Sendable {
    /// The file as given.
    public let file: String
    /// The line on which the record begins, from 1; of a Parquet file the row.
    public let line: Int
    /// What it holds.
    public let object: JSONObject

    /// The file and line, as messages begin: `train.jsonl:412`.
    public var place: String { "\(file):\(line)" }

    /// A record of the same place that holds something else.
    public func holding(_ object: JSONObject) -> JSONRecord {
        JSONRecord(file: file, line: line, object: object)
    }

    /// The members, read with errors that name file and line.
    public var fields: JSONFields { JSONFields(object, place: place) }
}

/// Makes the elements of a JSON array one at a time from the file's bytes.
final class JSONArrayReader {
    /// An element and the line on which it begins, from 1.
    struct Element {
        let line: Int
        let value: JSONValue
    }

    private let file: String
    private let bytes: [UInt8]
    private let options: JSONOptions
    private var position = 0
    /// The number of line feeds before `counted`.
    private var lineFeeds = 0
    private var counted = 0
    private var isFirst = true
    private var isAtEnd = false

    /// Reads a file of at most `limit` bytes and checks that an array begins in it.
    init(path: String, limit: Int, options: JSONOptions) throws {
        file = path
        self.options = options
        bytes = try JSONText.contents(of: path, limit: limit)
        let found = try parse { (parser) throws(JSONParser.Failure) -> String? in
            if parser.skipSpace() == UInt8(ascii: "[") {
                parser.position += 1
                return nil
            }
            return parser.skipSpace() == UInt8(ascii: "{") ? "an object" : try parser.value().kind
        }
        if let found { throw JSONError.notRecords(file: path, found: found) }
    }

    /// The next element, nil after the last.
    func next() throws -> Element? {
        if isAtEnd { return nil }
        var start = position
        let value = try parse { (parser) throws(JSONParser.Failure) -> JSONValue? in
            if parser.skipSpace() == UInt8(ascii: "]") {
                parser.position += 1
                if parser.skipSpace() != nil { throw parser.unexpected("the end of the text") }
                return nil
            }
            if !isFirst {
                guard parser.skipSpace() == UInt8(ascii: ",") else {
                    throw parser.unexpected("',' or ']'")
                }
                parser.position += 1
            }
            _ = parser.skipSpace()
            start = parser.position
            return try parser.value()
        }
        isFirst = false
        isAtEnd = value == nil
        return value.map { Element(line: line(at: start), value: $0) }
    }

    private func parse<Result>(
        _ body: (inout JSONParser) throws(JSONParser.Failure) -> Result
    ) throws -> Result {
        try JSONText.locating(bytes, file: file) { (buffer) throws(JSONParser.Failure) in
            var parser = JSONParser(buffer, options: options, position: position)
            let result = try body(&parser)
            position = parser.position
            return result
        }
    }

    private func line(at offset: Int) -> Int {
        lineFeeds += bytes.withUnsafeBufferPointer { JSONText.lineFeeds(in: $0[counted..<offset]) }
        counted = offset
        return lineFeeds + 1
    }
}
