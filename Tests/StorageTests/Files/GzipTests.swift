import TestSupport
import Testing

@testable import Storage

@Suite("gzip")
struct GzipTests {
    /// What Python's `gzip.compress` makes of `{"text": "one"}` and a line end, then of another line.
    private static let bytes: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xAB, 0x56, 0x2A, 0x49, 0xAD,
        0x28, 0x51, 0xB2, 0x52, 0x50, 0xCA, 0xCF, 0x4B, 0x55, 0xAA, 0xE5, 0x02, 0x00, 0x6D, 0x03,
        0xD1, 0x06, 0x10, 0x00, 0x00, 0x00, 0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
        0x03, 0xAB, 0x56, 0x2A, 0x49, 0xAD, 0x28, 0x51, 0xB2, 0x52, 0x50, 0x2A, 0x29, 0xCF, 0x57,
        0xAA, 0xE5, 0x02, 0x00, 0xA2, 0xE4, 0x8D, 0x6D, 0x10, 0x00, 0x00, 0x00,
    ]
    private let folder = TemporaryFolder()

    private func write(_ bytes: [UInt8], to name: String) throws -> String {
        try AtomicFile.write(to: folder.file(name)) { try $0.write(bytes) }
        return folder.file(name)
    }

    @Test("members in a row are one text, whatever the file is called")
    func members() throws {
        for name in ["a.jsonl.gz", "a.jsonl"] {
            let records = try JSONRecords(path: write(Self.bytes, to: name)).all()
            #expect(records.map { $0.object["text"]?.stringValue } == ["one", "two"])
            #expect(records.map(\.line) == [1, 2])
        }
    }

    @Test("a file that is cut off is an error wherever it is, and so is one that is no gzip")
    func damage() throws {
        for end in 2..<Self.bytes.count {
            let path = try write(Array(Self.bytes[..<end]), to: "cut.gz")
            let isWhole = end == Self.bytes.count / 2
            if isWhole {
                #expect(try ByteStream.contents(of: path) == Array("{\"text\": \"one\"}\n".utf8))
            } else {
                #expect(throws: FileError.truncatedMember(file: path, offset: end)) {
                    try ByteStream.contents(of: path)
                }
            }
        }
        let plain = try write(Array("plain".utf8), to: "plain.gz")
        #expect(throws: FileError.notGzip(file: plain)) { try ByteStream.contents(of: plain) }
        var changed = Self.bytes
        changed[20] ^= 0x55
        let path = try write(changed, to: "changed.gz")
        #expect(throws: FileError.self) { try ByteStream.contents(of: path) }
        #expect(
            "\(FileError.truncatedMember(file: "a.gz", offset: 3))"
                == "a.gz: gzip data are cut off at byte 3, the end of the file")
    }
}

@Suite("Tables")
struct TableReaderTests {
    private let folder = TemporaryFolder()

    private func rows(_ text: String, _ name: String = "a.csv") throws -> [JSONRecord] {
        try JSONRecords(path: folder.write(text, to: name)).all()
    }

    private func values(_ text: String, _ name: String = "a.csv") throws -> [[String]] {
        try rows(text, name).map { $0.object.members.compactMap(\.value.stringValue) }
    }

    @Test("rows are objects of texts, with RFC 4180's quotes")
    func quotes() throws {
        let text = "\u{FEFF}a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n\r\n\"\",é\n,"
        let rows = try rows(text)
        #expect(rows.map { $0.object.keys } == [["a", "b"], ["a", "b"], ["a", "b"]])
        #expect(try values(text) == [["1", "x, \"y\"\nz"], ["", "é"], ["", ""]])
        #expect(rows.map(\.line) == [2, 5, 6])
        #expect(try values("a\tb\n1,2\t\"3\t4\"", "a.tsv") == [["1,2", "3\t4"]])
        #expect(try values("a,b\n").isEmpty && values("").isEmpty)
    }

    @Test("what is no table is refused with its line")
    func faults() throws {
        let file = folder.file("a.csv")
        #expect(throws: TableError.values(file: file, line: 3, found: 1, expected: 2)) {
            try rows("a,b\n1,2\n3\n")
        }
        #expect(throws: TableError.column(file: file, name: "a")) { try rows("a,a\n") }
        #expect(throws: TableError.column(file: file, name: "")) { try rows("a,\n") }
        for text in ["a\n\"x", "a\n\"", "a\n\"x\"y\n", "a\n\"x\"\""] {
            #expect(throws: TableError.quote(file: file, line: 2), "\(text)") { try rows(text) }
        }
        #expect(
            "\(TableError.values(file: "a.csv", line: 3, found: 1, expected: 2))"
                == "a.csv:3: row has 1 values, expected 2, one for each column")
    }
}
