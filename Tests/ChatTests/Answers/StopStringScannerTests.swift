import TestSupport
import Testing

@testable import Chat

@Suite("Stop strings")
struct StopStringScannerTests {
    /// What is let through of a text that comes in pieces.
    private func run(_ pieces: [String], stops: [String]) -> (texts: [String], stop: Int?) {
        var scanner = StopStringScanner(stops)
        var texts: [String] = []
        for piece in pieces {
            let (text, stop) = scanner.push(piece)
            texts.append(text)
            if let stop { return (texts, stop) }
        }
        return (texts + [scanner.finish()], nil)
    }

    @Test("what may begin a stop string is held back until it is certain")
    func holdsBack() {
        #expect(run(["a#", "#", "b"], stops: ["###"]).texts == ["a", "", "##b", ""])
        #expect(run(["a#", "##", "b"], stops: ["###"]) == (["a", ""], 0))
        #expect(run(["ab", "ab", "ac"], stops: ["abac"]) == (["", "ab", ""], 0))
        #expect(run(["x", "yz"], stops: []) == (["x", "yz", ""], nil))
        #expect(run(["end#"], stops: ["##"]) == (["end", "#"], nil))
    }

    @Test("of several the first to begin ends the text, and of those the first in the list")
    func several() {
        #expect(run(["one two three"], stops: ["three", "two"]) == (["one "], 1))
        #expect(run(["one two"], stops: ["two", "tw"]) == (["one "], 0))
        #expect(run(["tw", "o"], stops: ["two", "tw"]) == ([""], 1))
    }

    @Test("characters of several bytes are never divided")
    func characters() {
        // ä is C3 A4, ö C3 B6: they begin alike.
        #expect(run(["aä", "b"], stops: ["ö"]) == (["aä", "b", ""], nil))
        #expect(run(["a", "😀", "b"], stops: ["😀!"]) == (["a", "", "😀b", ""], nil))
        #expect(run(["a", "😀", "!b"], stops: ["😀!"]) == (["a", "", ""], 0))
    }

    @Test("however a text is cut, what is let through is the text up to the stop string")
    func anyPieces() {
        var generator = SeededGenerator(seed: 3)
        let stops = ["aab", "ba", "é"]
        for _ in 0..<3000 {
            let text = (0..<12).map { _ in ["a", "b", "aa", "é", "c"][Int(generator.next() % 5)] }
                .joined()
            let ends = stops.compactMap { text.firstRange(of: $0)?.lowerBound }
            let expected = ends.min().map { String(text[..<$0]) } ?? text
            var pieces: [String] = []
            var rest = text[...]
            while !rest.isEmpty {
                let count = Int(generator.next() % 4) + 1
                pieces.append(String(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            let (texts, stop) = run(pieces, stops: stops)
            #expect(texts.joined() == expected)
            #expect((stop == nil) == ends.isEmpty)
        }
    }
}
