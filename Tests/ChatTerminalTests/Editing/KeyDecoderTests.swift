import Testing

@testable import ChatTerminal

@Suite("Keys of a terminal")
struct KeyDecoderTests {
    private static let start = "\u{1B}[200~"
    private static let end = "\u{1B}[201~"

    /// The keys of bytes that arrive in parts, and nothing after them.
    private func keys(_ parts: [[UInt8]]) -> [KeyDecoder.Key] {
        var decoder = KeyDecoder()
        var keys: [KeyDecoder.Key] = []
        for part in parts {
            decoder.push(part)
            while let key = decoder.next() { keys.append(key) }
        }
        while decoder.isExpecting, let key = decoder.next(isComplete: true) { keys.append(key) }
        return keys
    }

    private func keys(_ text: String) -> [KeyDecoder.Key] { keys([Array(text.utf8)]) }

    /// Each byte in a part of its own.
    private func singly(_ text: String) -> [KeyDecoder.Key] { keys(text.utf8.map { [$0] }) }

    private func typed(_ text: String) -> [KeyDecoder.Key] {
        text.unicodeScalars.map { .character($0) }
    }

    @Test("characters come whole, however their bytes arrive")
    func characters() {
        for text in ["abc\r", "häß", "日本", "👩‍🚀", "\u{1B}[A\u{1B}", "\u{1B}[2~"] {
            #expect(keys(text) == typed(text))
            #expect(singly(text) == typed(text))
        }
    }

    @Test("an incomplete character waits for its rest")
    func waits() {
        var decoder = KeyDecoder()
        decoder.push([0xE6, 0x97])
        #expect(decoder.next() == nil)
        #expect(decoder.isExpecting)
        decoder.push([0xA5])
        #expect(decoder.next() == .character("日"))
        #expect(!decoder.isExpecting)
    }

    @Test(
        "bytes that are not UTF-8 become U+FFFD",
        arguments: [
            ([0xFF], 1), ([0xC3], 1), ([0xE6, 0x97], 1), ([0xC0, 0x80], 2), ([0x80], 1),
            ([0xED, 0xA0, 0x80], 3), ([0xF5], 1), ([0], 1), ([0xC2, 0x9C], 1),
        ] as [([UInt8], Int)])
    func invalid(_ bytes: [UInt8], count: Int) {
        let expected = [KeyDecoder.Key](repeating: .character("\u{FFFD}"), count: count)
        #expect(keys([bytes]) == expected)
        #expect(keys(bytes.map { [$0] }) == expected)
        let between = keys([[0x61] + bytes + [0x62]])
        #expect(between == [.character("a")] + expected + [.character("b")])
    }

    @Test("a marked paste is one key, however its bytes arrive")
    func paste() {
        let lines = (1...200).map { "line \($0) – ü" }
        for lineEnd in ["\r", "\n", "\r\n"] {
            let sent = "a" + Self.start + lines.joined(separator: lineEnd) + Self.end + "\r"
            let expected: [KeyDecoder.Key] = [
                .character("a"), .paste(lines.joined(separator: "\n")), .character("\r"),
            ]
            #expect(keys(sent) == expected)
            #expect(singly(sent) == expected)
        }
    }

    @Test("a paste may hold escapes, beginnings of marks, zero and bad bytes")
    func hostilePaste() {
        let text = "\u{1B}[201\u{1B}[20\u{1B}\u{1B}[200~x\u{7F}"
        #expect(keys(Self.start + text + Self.end) == [.paste(text)])
        #expect(singly(Self.start + text + Self.end) == [.paste(text)])
        let bytes = Array(Self.start.utf8) + [0, 0xFF, 0x61] + Array(Self.end.utf8)
        #expect(keys([bytes]) == [.paste("\u{FFFD}\u{FFFD}a")])
        #expect(keys(Self.start + Self.end) == [.paste("")])
    }

    @Test("a run longer than fingers type is a paste, up to its line end")
    func burst() {
        let long = String(repeating: "wörd ", count: 50_000)
        #expect(keys(long + "\r" + "ab") == [.paste(long)] + typed("\rab"))
        let parts = stride(from: 0, to: long.utf8.count, by: 4095).map {
            Array(Array(long.utf8)[$0..<min($0 + 4095, long.utf8.count)])
        }
        #expect(keys(parts) == [.paste(long)])
        let short = String(repeating: "x", count: KeyDecoder.burst - 1)
        #expect(keys(short) == typed(short))
    }

    @Test("a paste without end is held until the terminal says so")
    func openPaste() {
        var decoder = KeyDecoder()
        decoder.push(Array((Self.start + "abc").utf8))
        #expect(decoder.next() == nil)
        #expect(!decoder.isExpecting)
        decoder.push(Array(Self.end.utf8))
        #expect(decoder.next() == .paste("abc"))
    }
}
