import Prompting
import TestSupport
import Testing

@testable import Chat

@Suite("The form of answers")
struct AnswerFormTests {
    @Test("an answer ends where the template ends answers")
    func answerEnd() throws {
        func answers(end: String) throws -> [Reply] {
            let source = """
                {% for m in messages %}{{ m.content }}\
                {% if m.role == 'assistant' %}\(end){% endif %}{% endfor %}
                """
            return try makeSession(template: "chat", chatTemplate: source) { $0.maxTokens = 60 }
                .samples(for: "Hi", count: 8)
        }
        let free = try answers(end: "")
        let end = try #require(
            free.map(\.text).compactMap { text in
                zip(text, text.dropFirst()).first { $0.isLetter && $1.isLetter }.map {
                    "\($0)\($1)"
                }
            }.first)
        let ended = try answers(end: end)
        for (before, after) in zip(free, ended) {
            let place = before.text.firstRange(of: end)?.lowerBound ?? before.text.endIndex
            #expect(after.text == before.text[..<place])
        }
        // A full stop after every answer ends none.
        let letter = String(end.prefix(1))
        #expect(try answers(end: letter).map(\.text) == free.map(\.text))
    }

    @Test("white space at a prompt's end is left to the answer, as in training")
    func unreadEnd() throws {
        // "red" after "a: " is one token with the space; the prompt was read with the space as a token.
        let merges = [("Ġ", "a")]
        let spaced = try makeSession(template: "none", merges: merges)
        let bare = try makeSession(template: "none", merges: merges)
        let (first, second) = (try spaced.reply(to: "x: "), try bare.reply(to: "x:"))
        #expect(first.tokens == second.tokens && first.promptTokens == second.promptTokens)
        // Where no token takes the space in, it is read.
        let unmerged = try makeSession(template: "none", merges: [])
        #expect(try unmerged.reply(to: "x: ").promptTokens == 3)
    }

    @Test("what an answer repeats of the prompt's end is no part of it")
    func repetition() throws {
        let tokenizer = try TinyTokenizer.make(merges: [("Ġ", "r")]).tokenizer
        for (text, repeated, rest) in [
            (" red", " ", "red"), ("red", " ", "red"), ("  x", "  ", "x"), (" ", "  ", ""),
        ] {
            var answer = AnswerText(tokenizer, stopStrings: [], repeating: repeated)
            var shown = tokenizer.encode(text).map { answer.push($0) }.joined()
            shown += answer.finish()
            #expect(shown == rest && answer.text == rest)
        }
    }
}
