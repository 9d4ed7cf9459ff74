import Testing

@testable import ChatTerminal

@Suite("Text that cannot steer a terminal")
struct PlainTextTests {
    @Test("control characters become visible, line ends and tabs stay")
    func visible() {
        #expect(PlainText.visible("a\n\tb") == "a\n\tb")
        #expect(PlainText.visible("\u{1B}[2Jx\u{7}\r\u{7F}") == "␛[2Jx␇␍␡")
        #expect(PlainText.visible("\u{9B}2J\u{202E}x") == "\u{FFFD}2J\u{FFFD}x")
    }

    @Test("an escaped text is one line")
    func escaped() {
        #expect(PlainText.escaped("a\n\r\tb\u{1B}") == "a\\n\\r\\tb␛")
        #expect(PlainText.short(String(repeating: "é", count: 61)).count == 61)
        #expect(PlainText.short(String(repeating: "é", count: 60)).count == 60)
    }
}
