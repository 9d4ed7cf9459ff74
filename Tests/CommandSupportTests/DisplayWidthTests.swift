import CommandSupport
import Testing

@Suite("Columns of text")
struct DisplayWidthTests {
    @Test(
        "characters take the columns that terminals give them",
        arguments: [
            ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本語", 6), ("한국", 4), ("ｱ", 1),
            ("Ａ", 2), ("👍", 2), ("👩‍🚀", 2), ("🇳🇴", 2), ("❤️", 2), ("❤", 1), ("→·│", 3),
            ("\u{200B}", 0), ("\u{AD}", 1), ("Σ", 1), ("\u{1112}\u{1161}\u{11AB}", 2),
        ])
    func widths(_ text: String, expected: Int) {
        #expect(DisplayWidth.of(text) == expected)
    }
}
