import TestSupport
import Testing

@testable import Storage

@Suite("Parquet files")
struct ParquetTests {
    let folder = TemporaryFolder()

    private static func path(_ name: String) -> String {
        Fixtures.path("parquet/\(name).parquet")
    }

    private static func rows(_ path: String) throws -> [JSONObject] {
        try JSONRecords(path: path).all().map(\.object)
    }

    private static func expected(_ name: String) throws -> [JSONObject] {
        let file = Fixtures.path("parquet/expected.json")
        let rows = try JSONValue.read(file)[name]?.arrayValue?.compactMap(\.objectValue)
        return try #require(rows)
    }

    @Test(
        "rows are those of pyarrow",
        arguments: [
            "none-1", "none-2", "snappy-1", "snappy-2", "gzip-1", "gzip-2", "zstd-1", "zstd-2",
            "lz4-1", "lz4-2", "plain", "pages", "chat", "chat-2", "nested", "nested-old", "types",
        ])
    func rows(name: String) throws {
        let rows = try Self.rows(Self.path(name))
        let key = String(name.prefix { $0 != "-" })
        let codecs: Set = ["none", "snappy", "gzip", "zstd", "lz4", "plain"]
        #expect(rows == (try Self.expected(codecs.contains(key) ? "records" : key)))
    }

    @Test("a table without rows has none, and rows are counted from 1")
    func places() throws {
        #expect(try Self.rows(Self.path("none")) == [])
        let records = try JSONRecords(path: Self.path("pages")).all()
        #expect(records.map(\.line) == Array(1...300))
    }

    @Test("columns of other kinds are left out, and refused where they are wanted")
    func leftOut() throws {
        let reader = try ParquetReader(path: Self.path("types"))
        #expect(
            reader.leftOut.map { "\($0.column): \($0.kind)" } == [
                "bytes: binary", "day: a date", "time: a point in time", "price: a decimal",
                "map: a map", "image.bytes: binary",
            ])
        let records = try JSONRecords(path: Self.path("types"))
        try records.refuseLeftOut(["i8"])
        let error = ParquetError.kind(file: Self.path("types"), column: "day", found: "a date")
        #expect(throws: error) { try records.refuseLeftOut(["day"]) }
        #expect("\(error)".contains("column 'day' holds a date, expected texts"))
    }

    @Test("encodings and codecs that are not read are refused by name")
    func refusals() throws {
        let encodings = [
            ("delta", "instruction", "DELTA_BYTE_ARRAY"), ("split", "share", "BYTE_STREAM_SPLIT"),
        ]
        for (name, column, found) in encodings {
            let path = Self.path(name)
            let error = ParquetError.encoding(file: path, column: column, found: found)
            #expect(throws: error) { try Self.rows(path) }
        }
        let path = Self.path("brotli")
        #expect(
            throws: ParquetError.compression(file: path, column: "instruction", found: "Brotli")
        ) { try Self.rows(path) }
    }

    @Test("what is no Parquet file, or not whole, is told")
    func damage() throws {
        let whole = try ByteStream.contents(of: Self.path("chat"))
        let text = folder.write("[{\"a\": 1}, {\"a\": 2}]", to: "text.parquet")
        #expect(throws: ParquetError.notParquet(file: text)) { try Self.rows(text) }
        let cut = folder.write(whole.dropLast(40), to: "cut.parquet")
        #expect(
            throws: ParquetError.damaged(
                file: cut, offset: whole.count - 40,
                fault: "no footer at the end; is the download complete?")
        ) { try Self.rows(cut) }
        let locked = folder.write(whole.dropLast(1) + Array("E".utf8), to: "locked.parquet")
        #expect(
            throws: ParquetError.elsewhere(file: locked, column: nil, isEncrypted: true)
        ) { try Self.rows(locked) }
        #expect(
            throws: FileError.system(file: "nosuch.parquet", action: "open", code: 2)
        ) { try JSONRecords(path: "nosuch.parquet") }
    }

    /// Bytes are changed in turn; a file is read or refused, and nothing ends the program.
    @Test("changed bytes are refused or read", arguments: ["chat", "nested", "zstd-1", "pages"])
    func changedBytes(name: String) throws {
        var bytes = try ByteStream.contents(of: Self.path(name))
        let expected = try Self.rows(Self.path(name))
        var (refused, tried) = (0, 0)
        for place in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 300)) {
            tried += 1
            let byte = bytes[place]
            bytes[place] = byte ^ 0x41
            let path = folder.write(bytes, to: "changed.parquet")
            bytes[place] = byte
            do {
                let reader = try ParquetReader(path: path)
                var count = 0
                while count <= expected.count, try reader.next() != nil { count += 1 }
            } catch is ParquetError {
                refused += 1
            }
        }
        // Pages have checksums.
        #expect(refused > tried * (name == "pages" ? 9 : 2) / 10)
    }

    @Test("Snappy and LZ4 copy what came before, overlapping too, and nothing from outside")
    func blocks() {
        func snappy(_ bytes: [UInt8], _ size: Int) -> [UInt8]? {
            bytes.withUnsafeBytes { BlockCompression.snappy($0, size: size) }
        }
        // "ab" as it is, then 4 and 6 bytes from 2 before.
        #expect(
            snappy([12, 4, 97, 98, 0b0000_0001, 2, 0b0001_0110, 2, 0], 12)
                == Array("abababababab".utf8))
        #expect(snappy([12, 4, 97, 98, 1, 2, 0b0001_0110, 2, 0], 11) == nil)
        #expect(snappy([4, 4, 97, 98, 1, 3], 6) == nil)
        #expect(snappy([6, 4, 97, 98, 1, 0], 6) == nil)
        #expect(snappy([2, 4, 97], 2) == nil)
        #expect(snappy([0], 0) == [])
        // A literal whose length is a byte of its own.
        #expect(snappy([61, 60 << 2, 60] + Array(repeating: 7, count: 61), 61)?.count == 61)
        func lz4(_ bytes: [UInt8], _ size: Int) -> [UInt8]? {
            bytes.withUnsafeBytes { BlockCompression.lz4($0, size: size) }
        }
        #expect(
            lz4([0x2F, 97, 98, 2, 0, 1, 0x10, 99], 23)
                == Array("ab".utf8) + Array(repeating: Array("ab".utf8), count: 10).joined()
                + Array("c".utf8))
        #expect(lz4([0x2F, 97, 98, 3, 0, 1, 0x10, 99], 23) == nil)
        #expect(lz4([0x2F, 97, 98, 2, 0, 1, 0x10, 99], 22) == nil)
    }
}

@Suite("Splits of data sets")
struct DataSplitsTests {
    let folder = TemporaryFolder()

    private func files(_ split: String) throws -> [String] {
        try DataSplits.files(of: split, in: folder.path).map {
            String($0.dropFirst(folder.path.count + 1))
        }
    }

    @Test("one file, parts, parts in 'data' and a folder of the split's name are found")
    func layouts() throws {
        folder.write("", to: "train.csv.gz")
        folder.makeFolders("data")
        for part in ["00001-of-00002-9f3a", "00000-of-00002-71bc"] {
            folder.write("", to: "data/validation-\(part).parquet")
        }
        folder.makeFolders("test")
        for name in ["0001.parquet", "0000.parquet", ".hidden.parquet", "read.me"] {
            folder.write("", to: "test/\(name)")
        }
        #expect(try files("train") == ["train.csv.gz"])
        #expect(
            try files("validation") == [
                "data/validation-00000-of-00002-71bc.parquet",
                "data/validation-00001-of-00002-9f3a.parquet",
            ])
        #expect(try files("test") == ["test/0000.parquet", "test/0001.parquet"])
        #expect(try files("dev") == [])
    }

    @Test("a part that is missing, and a split that is there twice, are told")
    func faults() throws {
        folder.write("", to: "train-00001-of-00002.parquet")
        let missing = DataSplitError.missingPart(
            folder: folder.path, split: "train", number: 0, count: 2)
        #expect(throws: missing) { try files("train") }
        #expect(
            "\(missing)".hasSuffix(
                "part 0 of the 2 parts of 'train' is missing, expected all; is the download complete?"
            ))
        folder.write("", to: "train-00000-of-00002.parquet")
        #expect(try files("train").count == 2)
        folder.write("", to: "train.jsonl")
        #expect(
            throws: DataSplitError.ambiguous(
                folder: folder.path, names: ["train.jsonl", "train-00000-of-00002.parquet"])
        ) { try files("train") }
    }
}
