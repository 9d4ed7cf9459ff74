import Prompting
import Storage

/// The form of records in a cache: a safetensors file.
///
/// | Part | Content |
/// |---|---|
/// | `tokens`, I32 `[tokens]` | the ids of all records, one after another |
/// | `records`, I32 `[records, 4]` | a row a record: tokens, prompt length, data file, line |
/// | `identity` | what the records were made from |
/// | `summary` | the data's format and what there is to say of records |
/// | `sha256` | of tokens, records and summary, in this order |
enum TokenCacheFile {
    private static let columns = 4

    /// Writes a file, all or nothing.
    ///
    /// - Throws: `FileError`.
    static func write(
        _ loaded: LoadedRecords, to path: String, identity: String, files: [String]
    ) throws {
        let encoded = loaded.encoded
        let places = Dictionary(
            zip(files, files.indices), uniquingKeysWith: { first, _ in first })
        let tokens = encoded.records.flatMap(\.tokens)
        let rows = encoded.records.flatMap { record in
            [
                record.tokens.count, record.promptLength, places[record.origin.file] ?? 0,
                record.origin.line,
            ].map { Int32(clamping: $0) }
        }
        let summary = JSONWriter().string([
            "format": .string(loaded.format.rawValue),
            "remarks": .object(
                JSONObject(
                    RecordRemark.allCases.compactMap { remark in
                        encoded.remarks[remark].map { tally in
                            let place = places[tally.first.file] ?? 0
                            let row = [tally.count, place, tally.first.line]
                            return (remark.rawValue, .array(row.map { .integer($0) }))
                        }
                    })),
        ])
        try SafetensorsWriter.write(
            [
                .init(name: "tokens", type: .int32, shape: [tokens.count]),
                .init(name: "records", type: .int32, shape: [encoded.records.count, columns]),
            ],
            metadata: [
                "identity": identity, "summary": summary,
                "sha256": checksum(tokens, rows, summary),
            ], to: path
        ) { spec, sink in
            try sink.write(integers: spec.name == "tokens" ? tokens : rows)
        }
    }

    /// Reads a file and checks all of it.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - identity: What the records must have been made from.
    ///   - files: The data files under their present names.
    ///   - vocabulary: The model's number of token ids.
    /// - Returns: The records.
    /// - Throws: ``TokenCacheError``, or an error of Storage.
    static func read(
        _ path: String, identity: String, files: [String], vocabulary: Int
    ) throws -> LoadedRecords {
        func damaged(_ reason: String) -> TokenCacheError { .damaged(file: path, reason: reason) }
        let file = try SafetensorsFile(path: path)
        guard file.metadata["identity"] == identity else {
            throw damaged("it was made from other data")
        }
        guard let tokens = file.integers(of: try file.tensor("tokens")),
            let rows = file.integers(of: try file.tensor("records")), rows.count % columns == 0,
            let summary = file.metadata["summary"]
        else { throw damaged("a part is missing or of another type") }
        guard file.metadata["sha256"] == checksum(tokens, rows, summary) else {
            throw damaged("its checksum does not match")
        }
        // The checksum guards against accidents, what follows against a file made on purpose.
        let fields = try JSONFields(
            JSONValue(parsing: Array(summary.utf8), file: path), file: path)
        guard let format = DataFormat(rawValue: try fields.string("format")), format != .auto else {
            throw damaged("its format is unknown")
        }
        guard tokens.allSatisfy({ $0 >= 0 && Int($0) < vocabulary }) else {
            throw damaged("an id is not in the model's vocabulary")
        }
        guard let records = records(rows, tokens, files) else {
            throw damaged("its records contradict one another")
        }
        var encoded = EncodedRecords()
        encoded.records = records
        for member in try fields.object("remarks").object.members {
            let row = member.value.arrayValue?.compactMap(\.integerValue) ?? []
            guard let remark = RecordRemark(rawValue: member.key), row.count == 3,
                (1...Int(Int32.max)).contains(row[0]),
                files.indices.contains(row[1]), row[2] >= 1
            else { throw damaged("its remarks contradict its records") }
            encoded.remarks[remark] = EncodedRecords.Tally(
                count: row[0], first: RecordOrigin(file: files[row[1]], line: row[2]))
        }
        return LoadedRecords(format: format, encoded: encoded)
    }

    /// The records that rows describe; nil if a row cannot be true, or tokens are left over.
    private static func records(
        _ rows: [Int32], _ tokens: [Int32], _ files: [String]
    ) -> [TrainingRecord]? {
        var records: [TrainingRecord] = []
        records.reserveCapacity(rows.count / columns)
        var start = 0
        for row in stride(from: 0, to: rows.count, by: columns) {
            let (count, prompt) = (Int(rows[row]), Int(rows[row + 1]))
            let (file, line) = (Int(rows[row + 2]), Int(rows[row + 3]))
            guard prompt >= 0, count > max(prompt, 1), count <= tokens.count - start,
                files.indices.contains(file), line >= 1
            else { return nil }
            records.append(
                TrainingRecord(
                    tokens: Array(tokens[start..<start + count]), promptLength: prompt,
                    origin: RecordOrigin(file: files[file], line: line)))
            start += count
        }
        return start == tokens.count && !records.isEmpty ? records : nil
    }

    private static func checksum(_ tokens: [Int32], _ rows: [Int32], _ summary: String) -> String {
        var hash = SHA256()
        hash.update(tokens)
        hash.update(rows)
        hash.update(Array(summary.utf8))
        return hash.hexadecimal()
    }
}
