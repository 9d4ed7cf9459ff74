import Testing

@testable import ChatTerminal

@Suite("Pasted texts under a name")
struct PastedTextsTests {
    @Test("a short text is shown, a long one has a name that stands for it")
    func names() {
        var pasted = PastedTexts()
        #expect(pasted.shown("a\nb", from: .pasted) == "a\nb")
        let lines = (1...200).map { "line \($0)" }.joined(separator: "\n")
        let name = pasted.shown(lines, from: .pasted)
        #expect(name == "[pasted 200 lines #1]")
        let word = String(repeating: "é", count: 1000)
        let second = pasted.shown(word, from: .pasted)
        #expect(second == "[pasted 1000 characters #2]")
        #expect(pasted.shown(lines, from: .sent) == "[sent 200 lines #1]")
        let line = "see \(name) and \(second)\(name)"
        #expect(pasted.expanded(line) == "see \(lines) and \(word)\(lines)")
    }

    @Test("names inside a text, cut names and unknown ones stay as they are")
    func unknownNames() {
        var pasted = PastedTexts()
        let long = String(repeating: "[pasted 21 lines #2]\n", count: 20)
        let name = pasted.shown(long, from: .pasted)
        let other = pasted.shown(String(repeating: "x\n", count: 20), from: .pasted)
        #expect(other == "[pasted 21 lines #2]")
        #expect(pasted.expanded(name) == long)
        for text in ["[pasted 3 lines #9]", "[pasted ", "[[x] ]", String(name.dropLast())] {
            #expect(pasted.expanded(text) == text)
        }
        #expect(pasted.expanded("[[" + other) == "[[" + String(repeating: "x\n", count: 20))
    }
}
