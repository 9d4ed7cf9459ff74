import TestSupport
import Testing

@testable import Storage

@Suite("JSON records")
struct JSONRecordsTests {
    let folder = TemporaryFolder()

    private func records(
        _ text: String, _ name: String, arrayLimit: Int = 1 << 20, blankLimit: Int = 1 << 20
    ) throws -> [JSONRecord] {
        let path = folder.file(name)
        let isCompressed = name.hasSuffix(".zst")
        try AtomicFile.write(to: path, compression: isCompressed ? .zstd(level: 3) : .none) {
            try $0.write(text)
        }
        return try JSONRecords(path: path, arrayLimit: arrayLimit, blankLimit: blankLimit).all()
    }

    @Test("lines, blank ones left out", arguments: ["a.jsonl", "a.jsonl.zst"])
    func lines(name: String) throws {
        let text = "\u{FEFF}{\"a\": 1}\r\n\n  \t\r\n{\"a\": \"x\u{2028}\u{85}y\"}\n{\"a\":[]}"
        let records = try records(text, name)
        #expect(records.map(\.line) == [1, 4, 5])
        #expect(
            records.map(\.object) == [["a": 1], ["a": "x\u{2028}\u{85}y"], ["a": []]])
        #expect(records.last?.place == "\(folder.file(name)):5")
    }

    @Test("an array, with the lines of its elements", arguments: ["a.json", "a.json.zst"])
    func array(name: String) throws {
        let text =
            "\u{FEFF}\n[\n    {\n        \"a\": \"x\\n\"\n    },\n\n    {\"a\": 2}, {\"a\": 3}\n]\n"
        let records = try records(text, name)
        #expect(records.map(\.line) == [3, 7, 7])
        #expect(records.map(\.object) == [["a": "x\n"], ["a": 2], ["a": 3]])
    }

    @Test(
        "files without records",
        arguments: [("a.jsonl", ""), ("b.jsonl", "\n\n"), ("c.json", " [ ]\n")])
    func empty(name: String, text: String) throws {
        let path = folder.write(text, to: name)
        let records = try JSONRecords(path: path)
        #expect(try records.next() == nil)
        #expect(try records.next() == nil)
    }

    @Test("what goes wrong is named with file and line")
    func errors() throws {
        let lines = folder.file("a.jsonl")
        #expect(throws: JSONError.recordKind(place: "\(lines):2", found: "an array")) {
            try records("{}\n[1]\n", "a.jsonl")
        }
        #expect(
            throws: JSONError.syntax(
                file: lines, line: 3, column: 6, fault: .end(expected: "a value"))
        ) {
            try records("{}\n\n{\"a\":\n1}", "a.jsonl")
        }
        #expect(throws: FileError.notUTF8(file: folder.file("b.jsonl"), line: 2, byte: 8)) {
            let path = folder.write(
                Array("{}\n{\"a\": \"".utf8) + [0xFF, 0x22, 0x7D], to: "b.jsonl")
            _ = try JSONRecords(path: path).all()
        }
        let array = folder.file("a.json")
        #expect(throws: JSONError.recordKind(place: "\(array):2", found: "a string")) {
            try records("[{},\n\"x\"]", "a.json")
        }
        for (text, line, column, fault) in [
            ("[{}\n{}]", 2, 1, .unexpected(found: "'{'", expected: "',' or ']'")),
            ("[{},]", 1, 5, .unexpected(found: "']'", expected: "a value")),
            ("[,{}]", 1, 2, .unexpected(found: "','", expected: "a value")),
            ("[{}]\n x", 2, 2, .unexpected(found: "'x'", expected: "the end of the text")),
            ("[{}", 1, 4, .end(expected: "',' or ']'")),
            ("", 1, 1, .end(expected: "a value")),
        ] as [(String, Int, Int, JSONFault)] {
            #expect(
                throws: JSONError.syntax(file: array, line: line, column: column, fault: fault)
            ) {
                try records(text, "a.json")
            }
        }
        #expect(throws: JSONError.notRecords(file: array, found: "an object")) {
            try records("{\"a\": 1}\n{\"a\": 2}\n", "a.json")
        }
        #expect(throws: JSONError.notRecords(file: array, found: "a string")) {
            try records("\"a\"", "a.json")
        }
        #expect(throws: JSONError.unknownSuffix(file: "a.txt")) { try JSONRecords(path: "a.txt") }
        #expect(throws: FileError.tooLong(file: folder.file("z.json.zst"), limit: 1000)) {
            let text = "[" + String(repeating: " ", count: 1000) + "]"
            _ = try records(text, "z.json.zst", arrayLimit: 1000)
        }
    }

    /// 2 GiB of line feeds fit into 72 KB of zstd, and held the program for two minutes.
    @Test(
        "blank lines have a limit, all of a file together", arguments: ["a.jsonl", "a.jsonl.zst"])
    func blankLines(name: String) throws {
        #expect(try records("\n \n{}\n\n", name, blankLimit: 4).count == 1)
        #expect(throws: JSONError.blankLines(file: folder.file(name), line: 5, limit: 4)) {
            try records("\n \n{}\n\n\n", name, blankLimit: 4)
        }
        #expect(
            "\(JSONError.blankLines(file: "a.jsonl", line: 7, limit: 5))"
                == "a.jsonl:7: blank lines hold more than 5 bytes, the limit")
    }

    @Test("fields are read with errors that name place and field")
    func fields() throws {
        let text =
            #"{"s": "x", "i": 2, "n": 2.5, "b": true, "z": null, "l": ["p", "q"], "m": [1, 2],"#
            + #" "o": {"r": 8, "w": [1, "x"], "p": [{"q": 1}, {}]}}"#
        let fields = try #require(try records(text, "a.jsonl").first).fields
        let place = folder.file("a.jsonl") + ":1"
        #expect(try fields.string("s") == "x")
        #expect(try fields.integer("i") == 2)
        #expect(try fields.number("i") == 2)
        #expect(try fields.number("n") == 2.5)
        #expect(try fields.bool("b"))
        #expect(try fields.strings("l") == ["p", "q"])
        #expect(try fields.integers("m") == [1, 2])
        #expect(try fields.array("m") == [1, 2])
        #expect(try fields.object("o").integer("r") == 8)
        #expect(try fields.string(ifPresent: "s") == "x")
        #expect(try fields.string(ifPresent: "z") == nil)
        #expect(try fields.integer(ifPresent: "none") == nil)
        #expect(try fields.object(ifPresent: "o")?.integer(ifPresent: "r") == 8)
        #expect(throws: JSONError.missingField(place: place, field: "none")) {
            try fields.string("none")
        }
        #expect(throws: JSONError.missingField(place: place, field: "o.none")) {
            try fields.object("o").value("none")
        }
        #expect(
            throws: JSONError.fieldKind(
                place: place, field: "n", found: "a number", expected: "an integer")
        ) {
            try fields.integer(ifPresent: "n")
        }
        #expect(
            throws: JSONError.fieldKind(
                place: place, field: "o.w", found: "an array", expected: "an array of integers")
        ) {
            try fields.object("o").integers("w")
        }
        let parts = try fields.object("o").objects("p")
        #expect(parts.map(\.name) == ["o.p[0]", "o.p[1]"])
        #expect(try parts[0].integer("q") == 1)
        #expect(throws: JSONError.missingField(place: place, field: "o.p[1].q")) {
            try parts[1].integer("q")
        }
        #expect(
            throws: JSONError.fieldKind(
                place: place, field: "l", found: "an array", expected: "an array of objects")
        ) {
            try fields.objects("l")
        }
        #expect(
            "\(JSONError.missingField(place: "train.jsonl:412", field: "output"))"
                == "train.jsonl:412: field 'output' is missing")
        #expect(throws: JSONError.recordKind(place: "c.json", found: "an array")) {
            try JSONFields([], file: "c.json")
        }
    }

    @Test("a whole file is read, with a byte order mark and compressed")
    func wholeFiles() throws {
        #expect(try JSONValue.read(folder.write("\u{FEFF}{\"a\": 1}", to: "a.json")) == ["a": 1])
        let path = folder.file("b.json.zst")
        try AtomicFile.write(to: path, compression: .zstd(level: 3)) { try $0.write("[1]") }
        #expect(try JSONValue.read(path) == [1])
    }
}
