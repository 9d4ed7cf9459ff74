import MambaLM
import TestSupport
import Testing

@testable import Chat

@Suite("Reading a prompt, stopped")
struct StoppedReadingTests {
    /// A topology, and what becomes of earlier turns.
    struct Case: Sendable, CustomTestStringConvertible {
        let topology: Topology
        let history: HistoryMode

        var testDescription: String { "\(topology), \(history)" }

        static let all = [
            Case(topology: .chain, history: .recompute), Case(topology: .chain, history: .carry),
            Case(topology: .tree, history: .recompute), Case(topology: .tree, history: .carry),
            Case(topology: .child, history: .recompute),
        ]
    }

    /// A conversation of two turns, which the next one reads again.
    private func conversation(_ test: Case) throws -> ChatSession {
        let session = try makeSession(test.topology) {
            ($0.history, $0.keepsLogProbabilities) = (test.history, true)
        }
        try session.reply(to: "Hi")
        try session.reply(to: "Why?")
        session.forgetReadings()
        return session
    }

    private func note(_ event: ReplyEvent, in places: inout [ReadingProgress]) -> Bool {
        if case .reading(let place) = event { places.append(place) }
        return true
    }

    @Test(
        "wherever it is stopped, the conversation goes on as if nothing had been asked",
        arguments: Case.all)
    func leavesNoTrace(test: Case) throws {
        let (untouched, stopped) = (try conversation(test), try conversation(test))
        var places: [ReadingProgress] = []
        for session in [untouched, stopped] {
            places = []
            _ = try session.samples(for: "And?", count: 1, onEvent: { note($0, in: &places) })
        }
        // Carried turns are read one by one: question, answer, question, answer, question.
        #expect(places.count == (test.history == .carry ? 5 : 1) * stopped.model.blocks.count)
        for (index, place) in places.enumerated() {
            let expected = ChatError.readingStopped(
                tokens: place.readTokens, total: place.totalTokens)
            var asked = 0
            func goesOn(_ event: ReplyEvent) -> Bool {
                asked += 1
                return asked <= index
            }
            #expect(throws: expected) { try stopped.reply(to: "And?", onEvent: goesOn) }
            asked = 0
            #expect(throws: expected) {
                try stopped.samples(for: "And?", count: 2, onEvent: goesOn)
            }
        }
        #expect(throws: ChatError.self) { try stopped.regenerate(onEvent: { _ in false }) }
        #expect(stopped.transcript == untouched.transcript)
        #expect(stopped.statistics.replies == untouched.statistics.replies)
        #expect(stopped.branch.points.isEmpty && stopped.branch.lastPrompt == nil)

        let (expected, found) = (try untouched.reply(to: "And?"), try stopped.reply(to: "And?"))
        #expect(found.tokens == expected.tokens)
        #expect(found.logProbabilities == expected.logProbabilities)
        #expect(found.readTokens == expected.readTokens)
        #expect(try stopped.regenerate().tokens == untouched.regenerate().tokens)
    }

    @Test("progress begins at 0, rises, and its total is what is read", arguments: Case.all)
    func progress(test: Case) throws {
        let session = try conversation(test)
        var places: [ReadingProgress] = []
        let reply = try session.reply(to: "And?", onEvent: { note($0, in: &places) })
        let read = places.map(\.readTokens)
        #expect(read.first == 0 && zip(read, read.dropFirst()).allSatisfy { $0 < $1 })
        #expect(places.allSatisfy { $0.totalTokens == reply.readTokens })
        #expect((read.last ?? 0) < reply.readTokens)
        places = []
        try session.regenerate(onEvent: { note($0, in: &places) })
        #expect(places.isEmpty)
    }

    @Test("the sentence says how far it was")
    func sentence() {
        #expect(
            ChatError.readingStopped(tokens: 5300, total: 16000).description
                == "reading the prompt was stopped after 5300 of 16000 tokens, and the conversation "
                + "is as it was before")
    }
}
