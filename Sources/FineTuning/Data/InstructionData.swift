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
    ///   - files: Files that end in `.json` or `.jsonl`, either with `.zst`.
    ///   - format: The format of all files; `auto` takes what the very first record tells.
    ///   - vocabulary: The model's number of token ids, which ids in records are held against.
    /// - Throws: ``FileError``, ``JSONError`` or ``DataError``, at the first record that is not right.
    public init(files: [String], format: DataFormat, vocabulary: Int) throws {
        var format = format
        var checker: RecordChecker?
        var records: [InstructionRecord] = []
        for file in files {
            let source = try JSONRecords(path: file)
            while let record = try source.next() {
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
