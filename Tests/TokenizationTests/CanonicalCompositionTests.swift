import Testing

@testable import Tokenization

@Suite("Canonical composition")
struct CanonicalCompositionTests {
    @Test(
        "known texts compose",
        arguments: [
            ("e\u{301}", "\u{E9}"), ("a\u{302}\u{323}", "\u{1EAD}"), ("\u{212B}", "\u{C5}"),
            ("\u{1100}\u{1161}\u{11A8}", "\u{AC01}"), ("\u{AC00}\u{11A8}", "\u{AC01}"),
            ("\u{958}", "\u{915}\u{93C}"), ("\u{301}", "\u{301}"), ("x\u{344}", "\u{1E8D}\u{301}"),
        ])
    func knownTextsCompose(text: String, expected: String) {
        let bytes = Array(text.utf8)
        let result = CanonicalComposition.shared.normalized(bytes, in: bytes.indices) ?? bytes
        #expect(result == Array(expected.utf8))
    }

    @Test("text that is composed already is left alone")
    func composedTextIsLeftAlone() {
        let bytes = Array("plain, é, 한국어, 日本".utf8)
        #expect(CanonicalComposition.shared.normalized(bytes, in: bytes.indices) == nil)
    }

    @Test("composing twice is composing once, for every scalar behind a letter and a mark")
    func composingIsIdempotent() {
        let composition = CanonicalComposition.shared
        for value in UInt32(0x80)..<0x30000 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let bytes = Array("a\u{301}\(scalar)".utf8)
            let once = composition.normalized(bytes, in: bytes.indices) ?? bytes
            let twice = composition.normalized(once, in: once.indices) ?? once
            #expect(once == twice, "U+\(String(value, radix: 16))")
        }
    }
}
