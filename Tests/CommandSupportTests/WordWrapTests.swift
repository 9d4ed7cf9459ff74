import CommandSupport
import Testing

@Suite("Word wrap")
struct WordWrapTests {
    private func wrapped(_ pieces: [String], width: Int) -> String {
        var wrap = WordWrap(width: width)
        return pieces.map { wrap.push($0) }.joined() + wrap.finish()
    }

    @Test(
        "lines break between words, and within words that fill a line",
        arguments: [
            ("the quick brown fox", "the quick\nbrown fox"),
            ("the quick  brown", "the quick\nbrown"),
            ("ten chars!", "ten chars!"),
            ("abcdefghijklm no", "abcdefghij\nklm no"),
            ("a\n\n  b c", "a\n\n  b c"),
            ("日本語日本語日本", "日本語日本\n語日本"),
            ("ab 日本語日本", "ab 日本語\n日本"),
            ("", ""), ("   ", "   "), ("a\tb", "a       b"),
        ])
    func wraps(_ text: String, expected: String) {
        #expect(wrapped([text], width: 10) == expected)
        #expect(wrapped(text.map(String.init), width: 10) == expected)
    }

    @Test("no line is wider than asked for, and no word is lost", arguments: 1...25)
    func widthHolds(_ width: Int) {
        let text = "Der Flug über 日本語 endete — 👩‍🚀 sagte: „Donaudampfschifffahrt“. e\u{301}e\u{301}"
        let lines = WordWrap.lines(of: text, width: width)
        for line in lines { #expect(DisplayWidth.of(line) <= max(width, 2), "\(line)") }
        #expect(lines.joined().filter { $0 != " " } == text.filter { $0 != " " })
    }

    @Test("a word is written once it is complete")
    func holdsBack() {
        var wrap = WordWrap(width: 10)
        #expect(wrap.push("one tw") == "one")
        #expect(wrap.push("o ") == " two")
        #expect(wrap.finish() == " ")
    }
}
