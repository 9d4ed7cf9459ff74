import Python
import Storage
import Testing

@testable import Evaluation

@Suite("Python literals")
struct PythonLiteralTests {
    @Test("literals are read, and what is none refused, as by Python")
    func literalsAreReadAsByPython() throws {
        for item in try Fixture.json("literals.json").elements {
            let text = try #require(item["text"]?.stringValue)
            let expected = try item.member("value")
            let found = try? JSONValue(PythonLiteral.parse(text))
            switch expected {
            case "refused", "refused here": #expect(found == nil, "\(text)")
            case "infinite": #expect(found == .number(.infinity), "\(text)")
            default: #expect(found == expected, "\(text)")
            }
        }
    }

    @Test("every cut-off literal is refused or read, and none crashes")
    func cutLiteralsDoNotCrash() {
        let text =
            "[{'a': (1, -2.5e+3, 'x\\u00e9\\x41'), 'b': r'\\q' \"z\"}, '''l\nm''', None, 0x1f]"
        let scalars = Array(text.unicodeScalars)
        for end in scalars.indices {
            let cut = String(String.UnicodeScalarView(scalars[..<end]))
            #expect(throws: PythonLiteral.Failure.self) { try PythonLiteral.parse(cut) }
        }
    }

    @Test("deep nesting is refused")
    func deepNestingIsRefused() {
        #expect(throws: PythonLiteral.Failure.self) {
            try PythonLiteral.parse(String(repeating: "[", count: 100_000))
        }
    }
}
