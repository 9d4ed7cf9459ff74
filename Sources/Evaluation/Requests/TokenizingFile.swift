import Storage
import Tokenization

/// Encodes or decodes a file of records: `mtl-eval tokenize`.
public struct TokenizingFile {
    private let tokenizer: any Tokenizer

    /// Prepares to encode or decode.
    public init(tokenizer: any Tokenizer) { self.tokenizer = tokenizer }

    /// Adds `ids` to records with `text`, or `text` to records with `ids`.
    ///
    /// - Parameters:
    ///   - input: A `.jsonl` or `.json` file, either with `.zst`.
    ///   - output: One JSON object a line; appears complete or not at all.
    ///   - decoding: Whether ids become text.
    /// - Throws: ``RequestError``, `JSONError` or `FileError`.
    public func run(input: String, output: String, decoding: Bool) throws {
        let records = try JSONRecords(path: input)
        let encoder = tokenizer.makeEncoder()
        let writer = JSONWriter(escapesNonASCII: false)
        try AtomicFile.write(to: output) { file in
            while let record = try records.next() {
                var object = record.object
                if decoding {
                    object["text"] = .string(tokenizer.decode(try ids(of: record)))
                } else {
                    let ids = encoder.encode(try record.fields.string("text"))
                    object["ids"] = .array(ids.map { .integer(Int($0)) })
                }
                try file.write(writer.string(.object(object)) + "\n")
            }
        }
    }

    private func ids(of record: JSONRecord) throws -> [Int32] {
        try record.fields.integers("ids").map { id in
            guard (0..<tokenizer.vocabularySize).contains(id) else {
                throw RequestError.unknownToken(
                    place: record.place, field: "ids", id: id,
                    vocabulary: tokenizer.vocabularySize)
            }
            return Int32(id)
        }
    }
}
