import Glibc
import Storage
import TestSupport
import Testing

@testable import YAML

@Suite("YAML files")
struct YAMLReaderTests {
    private func parse(_ text: String) throws -> JSONValue {
        try YAMLReader.parse(Array(text.utf8), file: "t.yaml")?.value ?? .null
    }

    @Test(
        "plain scalars are what PyYAML makes of them",
        arguments: [
            ("yes", true), ("Off", false), ("~", nil), ("NULL", nil), ("1_000", 1000),
            ("0x1F", 31), ("017", 15), ("-0b101", -5), ("1.0", 1.0), ("1e5", "1e5"),
            ("1.5e+3", 1500.0), (".5", 0.5), ("5.", 5.0), ("-.inf", .number(-.infinity)),
            ("'yes'", "yes"), ("\"1\"", "1"), ("!!str 1", "1"), ("y", "y"), ("08", "08"),
            ("1.2.3", "1.2.3"), ("+", "+"), ("-", [nil]),
        ] as [(String, JSONValue)])
    func plainScalars(text: String, expected: JSONValue) throws {
        #expect(try parse(text) == expected)
    }

    @Test("a function becomes a mapping that no text can spell, merges and anchors are followed")
    func functionsAndMerges() throws {
        let value = try parse("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\ne: !function m.f\n")
        #expect(value["d"] == ["b": 1, "c": 3])
        #expect(value["e"] == ["!function": "m.f"])
    }

    @Test(
        "what is no YAML of a task is refused with the line",
        arguments: [
            "a: [1", "a: 1\nb: 'x", "a: !python/object:os.system x", "? [a]\n: 1", "\tx: 1",
            "a: 1\na: 2", "a: *nowhere", "%YAML 9", String(repeating: "[", count: 10_000),
            String(repeating: "- ", count: 10_000), String(repeating: "a: {", count: 5_000),
        ])
    func badTextsAreRefused(text: String) {
        #expect(throws: YAMLError.self) { try parse(text) }
    }

    @Test("aliases that multiply are refused")
    func aliasBombIsRefused() {
        let limit = YAMLError.limit(
            file: "t.yaml", line: 6, what: "file stands for values,", limit: 200_000)
        #expect(throws: limit) { try parse(bomb) }
        // A reader that hashes keys before it counts anything: a file of ten lines took for ever.
        #expect(throws: limit) { try parse(bomb + "? *a8\n: 1\n") }
        #expect(throws: YAMLError.self) { try parse("a: &a [1]\n? *a\n: 1\n") }
        #expect(throws: YAMLError.self) { try parse("a: &a [1]\nb: { *a }\n") }
    }

    private var bomb: String {
        var text = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n"
        for level in 1..<9 {
            let part = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ",")
            text += "a\(level): &a\(level) [\(part)]\n"
        }
        return text
    }

    @Test("long texts count for their length, so that aliases cannot repeat them without bound")
    func longTextsCount() {
        let text =
            "a: &a \"\(String(repeating: "x", count: 1 << 20))\"\n"
            + "b: [\(Array(repeating: "*a", count: 100).joined(separator: ","))]\n"
        #expect(throws: YAMLError.self) { try parse(text) }
    }

    @Test("aliases that nest deeper with every line are refused by their depth")
    func deepAliasesAreRefused() {
        var text = "a0: &a0 [1]\n"
        for level in 1...200 { text += "a\(level): &a\(level) [*a\(level - 1)]\n" }
        #expect(
            throws: YAMLError.limit(
                file: "t.yaml", line: 100, what: "values are nested,", limit: 100)
        ) { try parse(text) }
    }

    @Test("what is no regular file is refused, not waited for")
    func devicesAreRefused() {
        #expect(throws: FileError.notRegular(file: "/dev/zero")) {
            try YAMLReader.read("/dev/zero")
        }
        let folder = TemporaryFolder()
        let pipe = folder.file("pipe.yaml")
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(throws: FileError.notRegular(file: pipe)) { try YAMLReader.read(pipe) }
    }

    @Test("keys and values know their lines")
    func lines() throws {
        let node = try YAMLReader.parse(Array("a: 1\n\nb:\n  c: [2,\n    3]\n".utf8), file: "t")
        let members = try #require(node?.members)
        #expect(members.map(\.line) == [1, 3])
        #expect(members[1].value.members?[0].line == 4)
        #expect(members[1].value.members?[0].value.elements?.map(\.line) == [4, 5])
    }

    @Test("bytes that are not UTF-8 are refused")
    func badBytesAreRefused() {
        #expect(throws: YAMLError.self) {
            try YAMLReader.parse([0x61, 0x3A, 0x20, 0xFF], file: "t")
        }
    }
}
