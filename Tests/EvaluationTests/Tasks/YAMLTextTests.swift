import Storage
import Testing

@testable import Evaluation

@Suite("YAML of task files")
struct YAMLTextTests {
    private func parse(_ text: String) throws -> JSONValue {
        try YAMLText.parse(Array(text.utf8), file: "t.yaml")
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
        #expect(value["e"]?.functionName == "m.f")
    }

    @Test(
        "what is no YAML of a task is refused with the line",
        arguments: [
            "a: [1", "a: 1\nb: 'x", "a: !python/object:os.system x", "? [a]\n: 1", "\tx: 1",
            "a: 1\na: 2", "a: *nowhere", "%YAML 9", String(repeating: "[", count: 10_000),
            String(repeating: "- ", count: 10_000), String(repeating: "a: {", count: 5_000),
        ])
    func badTextsAreRefused(text: String) {
        #expect(throws: TaskError.self) { try parse(text) }
    }

    @Test("aliases that multiply are refused")
    func aliasBombIsRefused() {
        var text = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n"
        for level in 1..<9 {
            let part = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ",")
            text += "a\(level): &a\(level) [\(part)]\n"
        }
        #expect(throws: TaskError.self) { try parse(text) }
    }

    @Test("bytes that are not UTF-8 are refused")
    func badBytesAreRefused() {
        #expect(throws: TaskError.self) { try YAMLText.parse([0x61, 0x3A, 0x20, 0xFF], file: "t") }
    }

    @Test("every cut-off task file is read or refused, and none crashes")
    func cutFilesDoNotCrash() throws {
        for name in BuiltInTasks.names {
            let bytes = try #require(BuiltInTasks.file(named: name))
            for end in stride(from: 0, to: bytes.count, by: 7) {
                guard let value = try? YAMLText.parse(Array(bytes[..<end]), file: name),
                    let keys = value.objectValue
                else { continue }
                _ = try? TaskConfiguration(TaskFile(path: name, source: .builtIn, keys: keys))
            }
        }
    }
}
