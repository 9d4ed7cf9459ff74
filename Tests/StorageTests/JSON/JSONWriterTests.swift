import Testing

@testable import Storage

@Suite("JSON writer")
struct JSONWriterTests {
    /// The value behind the golden texts, which Python 3.11 wrote.
    private static let value: JSONValue = [
        "a": 1, "b": [1, 2.5, nil, true, false, "x"], "c": [:], "d": [], "e": ["n": ["k": [[:]]]],
        "é": "é\u{2028}😀\u{7F}\"\\/\u{8}\u{C}\n\r\t\0\u{1F}", "": .number(-0.0),
        "big": [
            1e16, 1e-5, .number(.nan), .number(.infinity), .number(-.infinity), .integer(.max),
            .integer(.min),
        ],
    ]

    @Test("the default is that of json.dumps")
    func theDefault() {
        let text = JSONWriter().string(Self.value)
        #expect(
            text == #"{"a": 1, "b": [1, 2.5, null, true, false, "x"], "c": {}, "d": [], "#
                + #""e": {"n": {"k": [{}]}}, "\u00e9": "\u00e9\u2028\ud83d\ude00\u007f\"\\/\b\f\n"#
                + #"\r\t\u0000\u001f", "": -0.0, "big": [1e+16, 1e-05, NaN, Infinity, -Infinity, "#
                + #"9223372036854775807, -9223372036854775808]}"#)
    }

    @Test("without ensure_ascii, sorted, compact")
    func sortedAndCompact() {
        let writer = JSONWriter(escapesNonASCII: false, sortsKeys: true, isCompact: true)
        #expect(
            writer.string(Self.value)
                == #"{"":-0.0,"a":1,"b":[1,2.5,null,true,false,"x"],"big":[1e+16,1e-05,NaN,"#
                + #"Infinity,-Infinity,9223372036854775807,-9223372036854775808],"c":{},"d":[],"#
                + #""e":{"n":{"k":[{}]}},"é":"é"# + "\u{2028}😀\u{7F}"
                + #"\"\\/\b\f\n\r\t\u0000\u001f"}"#)
    }

    @Test("with indent 2")
    func indented() {
        let expected = #"""
            {
              "a": 1,
              "b": [
                1,
                2.5,
                null,
                true,
                false,
                "x"
              ],
              "c": {},
              "d": [],
              "e": {
                "n": {
                  "k": [
                    {}
                  ]
                }
              },
              "\u00e9": "\u00e9\u2028\ud83d\ude00\u007f\"\\/\b\f\n\r\t\u0000\u001f",
              "": -0.0,
              "big": [
                1e+16,
                1e-05,
                NaN,
                Infinity,
                -Infinity,
                9223372036854775807,
                -9223372036854775808
              ]
            }
            """#
        #expect(JSONWriter(indent: 2).string(Self.value) == expected)
    }

    @Test("with indent 0 and with both indent and compact separators")
    func otherForms() {
        let value: JSONValue = ["a": [1, 2]]
        #expect(JSONWriter(indent: 0).string(value) == "{\n\"a\": [\n1,\n2\n]\n}")
        #expect(
            JSONWriter(indent: 2, isCompact: true).string(value)
                == "{\n  \"a\":[\n    1,\n    2\n  ]\n}")
    }

    @Test("keys are sorted by character, not by UTF-16 unit")
    func sortedKeys() {
        let value: JSONValue = ["😀": 1, "\u{FFFF}": 2, "a": 3, "B": 4]
        #expect(
            JSONWriter(sortsKeys: true).string(value)
                == #"{"B": 4, "a": 3, "\uffff": 2, "\ud83d\ude00": 1}"#)
    }

    @Test("setting a key again keeps its place")
    func settingAgain() {
        var object: JSONObject = ["a": 1, "b": 2]
        object["a"] = 3
        object["c"] = nil
        #expect(JSONWriter().string(.object(object)) == #"{"a": 3, "b": 2}"#)
    }
}
