import TestSupport
import Testing

@testable import Storage

@Suite("JSON parser")
struct JSONParserTests {
    private func parse(
        _ text: String, options: JSONOptions = JSONOptions()
    ) throws -> JSONValue {
        try JSONValue(parsing: text, file: "a.json", options: options)
    }

    @Test(
        "valid texts give their values",
        arguments: [
            ("null", .null),
            ("true", true),
            (" \t\r\nfalse ", false),
            ("0", 0),
            ("-0", 0),
            ("9223372036854775807", .integer(.max)),
            ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .number(9223372036854775808)),
            ("-9223372036854775809", .number(-9223372036854775808)),
            ("12345678901234567890123", .number(12345678901234567741440)),
            ("1.0", 1.0),
            ("-0.0", .number(-0.0)),
            ("1e5", 1e5),
            ("1E+5", 1e5),
            ("1.5e-3", 1.5e-3),
            ("0e0", 0.0),
            ("4.617921089946659e+24", 4.617921089946659e+24),
            ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)),
            ("1e-400", 0.0),
            ("\"\"", ""),
            ("\"a\u{7F}\u{2028}é😀\"", "a\u{7F}\u{2028}é😀"),
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""\u0041\u00e9\u00E9\u20ac\u0000""#, "Aéé€\0"),
            (#""x\ud83d\ude00y\uD83D\uDE00""#, "x😀y😀"),
            (#""\ud7ff\ue000\uffff""#, "\u{D7FF}\u{E000}\u{FFFF}"),
            ("[]", []),
            ("[ ]", []),
            ("[1,[2],{}]", [1, [2], [:]]),
            ("{ }", [:]),
            (#"{"b":1 , "a" :{"b":[null]}}"#, ["b": 1, "a": ["b": [nil]]]),
            (#"{"":""}"#, ["": ""]),
            (#"{"a":1,"b":2,"a":3}"#, ["a": 3, "b": 2]),
        ] as [(String, JSONValue)])
    func validTexts(text: String, expected: JSONValue) throws {
        let value = try parse(text)
        #expect(value == expected)
        #expect(JSONWriter().string(value) == JSONWriter().string(expected))
    }

    @Test(
        "invalid texts are refused where they go wrong",
        arguments: [
            ("", 1, 1, .end(expected: "a value")),
            (" \n ", 2, 2, .end(expected: "a value")),
            ("nul", 1, 1, .unexpected(found: "'n'", expected: "a value")),
            ("True", 1, 1, .unexpected(found: "'T'", expected: "a value")),
            ("NaN", 1, 1, .unexpected(found: "'N'", expected: "a value")),
            ("Infinity", 1, 1, .unexpected(found: "'I'", expected: "a value")),
            ("-Infinity", 1, 2, .unexpected(found: "'I'", expected: "a digit")),
            ("1 2", 1, 3, .unexpected(found: "'2'", expected: "the end of the text")),
            ("[1]]", 1, 4, .unexpected(found: "']'", expected: "the end of the text")),
            ("nullx", 1, 5, .unexpected(found: "'x'", expected: "the end of the text")),
            ("+1", 1, 1, .unexpected(found: "'+'", expected: "a value")),
            ("-", 1, 2, .end(expected: "a digit")),
            ("01", 1, 2, .unexpected(found: "'1'", expected: "no digit after a leading 0")),
            ("-012", 1, 3, .unexpected(found: "'1'", expected: "no digit after a leading 0")),
            ("1.", 1, 3, .end(expected: "a digit")),
            (".5", 1, 1, .unexpected(found: "'.'", expected: "a value")),
            ("1.e5", 1, 3, .unexpected(found: "'e'", expected: "a digit")),
            ("1e", 1, 3, .end(expected: "a digit")),
            ("1e+x", 1, 4, .unexpected(found: "'x'", expected: "a digit")),
            ("0x10", 1, 2, .unexpected(found: "'x'", expected: "the end of the text")),
            ("1e400", 1, 1, .numberRange),
            ("[-1e400]", 1, 2, .numberRange),
            ("[1,]", 1, 4, .unexpected(found: "']'", expected: "a value")),
            ("[,1]", 1, 2, .unexpected(found: "','", expected: "a value")),
            ("[1 2]", 1, 4, .unexpected(found: "'2'", expected: "',' or ']'")),
            ("[1", 1, 3, .end(expected: "',' or ']'")),
            ("[", 1, 2, .end(expected: "a value")),
            ("]", 1, 1, .unexpected(found: "']'", expected: "a value")),
            ("[1}", 1, 3, .unexpected(found: "'}'", expected: "',' or ']'")),
            ("{", 1, 2, .end(expected: "a key in quotes")),
            ("{a:1}", 1, 2, .unexpected(found: "'a'", expected: "a key in quotes")),
            ("{1:1}", 1, 2, .unexpected(found: "'1'", expected: "a key in quotes")),
            ("{\"a\"}", 1, 5, .unexpected(found: "'}'", expected: "':'")),
            ("{\"a\":}", 1, 6, .unexpected(found: "'}'", expected: "a value")),
            ("{\"a\":1,}", 1, 8, .unexpected(found: "'}'", expected: "a key in quotes")),
            ("{\"a\":1;}", 1, 7, .unexpected(found: "';'", expected: "',' or '}'")),
            ("'a'", 1, 1, .unexpected(found: "'''", expected: "a value")),
            ("\"a", 1, 3, .end(expected: "'\"' at the end of a string")),
            ("\"a\\", 1, 4, .end(expected: "'\"' at the end of a string")),
            ("\"a\\\"", 1, 5, .end(expected: "'\"' at the end of a string")),
            ("\"a\nb\"", 1, 3, .controlCharacter(0x0A)),
            ("\"\\n\t\"", 1, 4, .controlCharacter(0x09)),
            ("\"\0\"", 1, 2, .controlCharacter(0)),
            ("\"\\a\"", 1, 2, .badEscape),
            ("\"\\u12\"", 1, 2, .badEscape),
            ("\"\\u12g4\"", 1, 2, .badEscape),
            ("\"\\U0041\"", 1, 2, .badEscape),
            ("\"\\ud800\"", 1, 2, .loneSurrogate(0xD800)),
            ("\"é\\udc00\"", 1, 3, .loneSurrogate(0xDC00)),
            ("\"\\ud83dx\"", 1, 2, .loneSurrogate(0xD83D)),
            ("\"\\ud83d\\u0041\"", 1, 2, .loneSurrogate(0xD83D)),
            ("\"\\ud83d\\ud83d\\ude00\"", 1, 2, .loneSurrogate(0xD83D)),
            ("// a\n1", 1, 1, .unexpected(found: "'/'", expected: "a value")),
            ("\u{FEFF}1", 1, 1, .unexpected(found: "byte 0xEF", expected: "a value")),
            ("\u{A0}1", 1, 1, .unexpected(found: "byte 0xC2", expected: "a value")),
            ("[\n \"é\", é]", 2, 7, .unexpected(found: "byte 0xC3", expected: "a value")),
        ] as [(String, Int, Int, JSONFault)])
    func invalidTexts(text: String, line: Int, column: Int, fault: JSONFault) {
        #expect(
            throws: JSONError.syntax(file: "a.json", line: line, column: column, fault: fault)
        ) {
            try parse(text)
        }
    }

    @Test(
        "strings that are not UTF-8 are refused, with and without escapes",
        arguments: [
            [0x80], [0xC3, 0x28], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82],
        ]
            as [[UInt8]])
    func notUTF8(bytes: [UInt8]) {
        for prefix in ["[\"ab", "[\"\\n"] {
            for suffix in ["\"]", "\\n\"]"] {
                #expect(
                    throws: JSONError.syntax(file: "a", line: 1, column: 5, fault: .notUTF8)
                ) {
                    try JSONValue(
                        parsing: Array(prefix.utf8) + bytes + Array(suffix.utf8), file: "a")
                }
            }
        }
    }

    @Test("Python's non-finite numbers are read where they are allowed")
    func nonFinite() throws {
        let options = JSONOptions(allowsNonFinite: true)
        let value = try parse("[NaN, Infinity, -Infinity]", options: options)
        #expect(JSONWriter().string(value) == "[NaN, Infinity, -Infinity]")
        #expect(throws: JSONError.self) { try parse("[nan]", options: options) }
        #expect(throws: JSONError.self) { try parse("[Infinit]", options: options) }
        #expect(throws: JSONError.self) { try parse("[-NaN]", options: options) }
    }

    @Test("a key that appears twice is an error where that is refused")
    func duplicateKeys() throws {
        let options = JSONOptions(refusesDuplicateKeys: true)
        let error = JSONError.syntax(file: "a.json", line: 1, column: 8, fault: .duplicateKey("a"))
        #expect(throws: error) { try parse(#"{"a":1,"\u0061":2}"#, options: options) }
        // "é" in its two spellings is canonically equal, and two keys.
        let two = try parse("{\"\u{E9}\":1,\"e\u{301}\":2}", options: options)
        #expect(two.objectValue?.count == 2)
        #expect(two["\u{E9}"] == 1)
        #expect(two["e\u{301}"] == 2)
        #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
    }

    @Test("depth is limited, and a hostile million of brackets is an error")
    func depth() throws {
        let nested = { String(repeating: "[", count: $0) + String(repeating: "]", count: $0) }
        #expect(throws: Never.self) { try parse(nested(256)) }
        #expect(throws: Never.self) {
            try parse(nested(512), options: JSONOptions(depthLimit: 512))
        }
        let error = JSONError.syntax(
            file: "a.json", line: 1, column: 257, fault: .depth(limit: 256))
        #expect(throws: error) { try parse(nested(257)) }
        #expect(throws: error) { try parse(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: JSONError.self) {
            try parse(String(repeating: "{\"a\":", count: 1_000_000))
        }
        // Depth is given back: a long flat list of lists is not deep.
        let flat = "[" + Array(repeating: "[]", count: 1000).joined(separator: ",") + "]"
        #expect(throws: Never.self) { try parse(flat) }
    }

    @Test("values are counted, each element and member, and too many are an error")
    func valueLimit() {
        let options = JSONOptions(valueLimit: 5)
        #expect(throws: Never.self) { try parse("[1, {\"a\": [], \"b\": null}]", options: options) }
        for text in ["[1, {\"a\": [], \"b\": null}, 2]", "[1,1,1,1,1", "{\"a\":{\"a\":[[[0]]]}}"] {
            let error = #expect(throws: JSONError.self) { try parse(text, options: options) }
            guard case .syntax(_, _, _, .values(limit: 5)) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        #expect(
            "\(JSONFault.values(limit: 3_000_000))"
                == "text holds more than 3000000 values, the limit")
    }

    @Test("large objects find every key and keep order")
    func largeObjects() throws {
        let keys = (0..<1000).map { "key \(($0 * 7919) % 1000)" }
        let text = "{" + keys.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ",") + "}"
        var object = try #require(try parse(text).objectValue)
        #expect(object.keys == keys)
        for (index, key) in keys.enumerated() { #expect(object[key] == .integer(index)) }
        #expect(object["key"] == nil)
        object[keys[10]] = nil
        object[keys[11]] = "new"
        #expect(object.count == 999)
        #expect(object[keys[10]] == nil)
        #expect(object[keys[11]] == "new")
        #expect(object[keys[999]] == 999)
        #expect(object.keys == Array(keys[..<10] + keys[11...]))
    }

    @Test("random edits of a text never crash, and what is accepted is stable")
    func fuzz() throws {
        let seed = #"{"a": [1, -2.5e3, "x\u00e9\n\ud83d\ude00é"], "b": {"c": null, "d": true}}"#
        var generator = SeededGenerator(seed: 11)
        let alphabet = Array("{}[]\",:\\u0d8e+-.1 \nnulltruefalse\u{E9}".utf8) + [0xFF, 0x80, 0]
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes = Array(seed.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                let byte = alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = byte
                case 1: bytes.insert(byte, at: place)
                case 2: bytes.remove(at: place)
                default: bytes.removeSubrange(place...)
                }
                if bytes.isEmpty { bytes = [0] }
            }
            guard let value = try? JSONValue(parsing: bytes, file: "a") else { continue }
            accepted += 1
            let again = try JSONValue(parsing: JSONWriter().string(value), file: "a")
            #expect(again == value)
        }
        #expect(accepted > 500)
    }

    @Test("sentences say where, what was found and what was expected")
    func sentences() {
        #expect {
            try parse("{\"a\": 1,\n  b}")
        } throws: {
            "\($0)" == "a.json:2:3: found 'b', expected a key in quotes"
        }
        let control = JSONError.syntax(
            file: "a", line: 1, column: 2, fault: .controlCharacter(9))
        #expect(
            "\(control)"
                == "a:1:2: control character U+0009 in a string, expected an escape such as \\n")
    }
}
