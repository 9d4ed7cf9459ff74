import MambaLM
import Prompting
import TestSupport
import Testing

@testable import Chat

@Suite("Replies")
struct ReplyTests {
    @Test("the pieces are the text, and question and answer join the conversation")
    func streaming() throws {
        let session = try makeSession { $0.keepsLogProbabilities = true }
        var pieces: [String] = []
        let reply = try session.reply(to: "Hi", onEvent: collecting { pieces.append($1) })
        #expect(pieces.joined() == reply.text)
        #expect(!pieces.contains(""))
        #expect(reply.tokens.count == 12 && reply.stopReason == .length)
        #expect(reply.logProbabilities?.count == 12)
        #expect(session.tokenizer.tokenizer.decode(reply.tokens) == reply.text)
        #expect(session.transcript.exchanges == [.init(question: "Hi", answer: reply.text)])
        let prompt = "### Instruction:\nHi\n\n### Response:"
        #expect(reply.promptTokens == session.tokens(of: prompt).count)
        #expect(reply.readTokens == reply.promptTokens)
        #expect(session.statistics.drawnTokens == 12 && session.statistics.replies == 1)
    }

    @Test("answers are those of the plain generator", arguments: Topology.allCases)
    func plainGenerator(topology: Topology) throws {
        let session = try makeSession(topology) { $0.keepsLogProbabilities = true }
        let first = try session.reply(to: "Hi")
        let second = try session.reply(to: "And then?")
        let text =
            "### Instruction:\nHi\n\n### Response:\(first.text)<|endoftext|>"
            + "### Instruction:\nAnd then?\n\n### Response:"
        let model = tinyModel(topology)
        var settings = Generation.Settings()
        settings.limit = 12
        settings.seed = TokenSampler.seed(42, stream: 1)
        settings.endTokens = [0]
        settings.keepsLogProbabilities = true
        let prompt = session.tokenizer.tokenizer.encode(text)
        let generation = Generation(of: model, after: model.readPrompt(prompt), settings)
        while !generation.next().isEmpty {}
        #expect(generation.texts[0].tokens == second.tokens)
        #expect(generation.texts[0].logProbabilities == second.logProbabilities)
        #expect(second.promptTokens == prompt.count)
    }

    @Test("a start token is read once, before everything", arguments: HistoryMode.allCases)
    func startToken(history: HistoryMode) throws {
        let with = try makeSession(addsStart: true) { $0.history = history }
        let without = try makeSession { $0.history = history }
        for question in ["Hi", "Why?"] {
            let (first, second) = (
                try with.samples(for: question, count: 1)[0],
                try without.samples(for: question, count: 1)[0]
            )
            let isOnce = history == .carry && question == "Why?"
            #expect(first.promptTokens - second.promptTokens == (isOnce ? 0 : 1))
            try with.reply(to: question)
            try without.reply(to: question)
        }
    }

    // They were not read: answers of models that name their turn's end only there went on.
    @Test("an end token of generation_config.json ends the answer")
    func generationEndToken() throws {
        let whole = try makeSession().reply(to: "Hi").tokens
        let place = try #require(
            whole.indices.dropFirst(2).first { !whole[..<$0].contains(whole[$0]) })
        let model = tinyModel(generationEndTokens: [whole[place]])
        let reply = try makeSession(model: model).reply(to: "Hi")
        #expect(reply.tokens == Array(whole[..<place]) && reply.stopReason == .end)
    }

    @Test("a stop string ends the answer across tokens and is not shown")
    func stopStrings() throws {
        let whole = try makeSession().reply(to: "Hi").text
        let characters = Array(whole.unicodeScalars.map { String($0) })
        try #require(characters.count > 8)
        let stop = characters[5...6].joined()
        let place = try #require(whole.firstRange(of: stop)).lowerBound
        let stopping = try makeSession { $0.stopStrings = ["not there", stop] }
        var shown = ""
        let reply = try stopping.reply(to: "Hi", onEvent: collecting { shown += $1 })
        #expect(reply.text == String(whole[..<place]) && shown == reply.text)
        #expect(reply.stopReason == .stop && reply.stopString == stop)
        #expect(stopping.transcript.exchanges[0].answer == reply.text)
    }

    @Test("the next turn goes on from the visible answer alone", arguments: HistoryMode.allCases)
    func afterStopString(history: HistoryMode) throws {
        let whole = try makeSession().reply(to: "Hi").text
        let stop = String(whole.dropFirst(4).prefix(2))
        let stopping = try makeSession {
            ($0.stopStrings, $0.history) = ([stop], history)
        }
        let visible = try stopping.reply(to: "Hi").text
        let second = try stopping.reply(to: "Why?")
        // Answers that are cut by the caller at the same place leave the same conversation.
        let other = try makeSession { $0.history = history }
        try other.reply(to: "Hi")
        var branch = other.branch
        branch.cut(to: 0)
        branch.transcript.exchanges = [.init(question: "Hi", answer: visible)]
        branch.answers = [nil]
        other.branch = branch
        other.settings.stopStrings = [stop]
        #expect(try other.reply(to: "Why?").tokens == second.tokens)
    }

    @Test("cancelling keeps what there is, and the conversation goes on")
    func cancelling() throws {
        for history in HistoryMode.allCases {
            let session = try makeSession(.tree) { $0.history = history }
            var drawn = 0
            let reply = try session.reply(
                to: "Hi",
                onEvent: { event in
                    if event == .drawing { drawn += 1 }
                    return drawn <= 4
                })
            #expect(reply.stopReason == .stopped && reply.tokens.count == 4)
            #expect(session.transcript.exchanges == [.init(question: "Hi", answer: reply.text)])
            // Nothing is to be read.
            let none = try session.regenerate(onEvent: { _ in false })
            #expect(none.stopReason == .stopped && none.text.isEmpty)
            #expect(try session.reply(to: "So?").tokens.count > 0)
            #expect(session.transcript.exchanges.count == 2)
        }
    }

    @Test("samples are drawn together and do not depend on how many there are")
    func samples() throws {
        let session = try makeSession(.tree)
        var texts = ["", "", "", ""]
        let four = try session.samples(for: "Hi", count: 4, onEvent: collecting { texts[$0] += $1 })
        #expect(texts == four.map(\.text))
        #expect(Set(four.map(\.tokens)).count == 4)
        let two = try session.samples(for: "Hi", count: 2)
        #expect(two.map(\.tokens) == four.prefix(2).map(\.tokens))
        #expect(session.transcript.exchanges.isEmpty)
        #expect(try session.reply(to: "Hi").tokens == four[0].tokens)
    }

    @Test("the same seed gives the same conversation, another seed another")
    func seeds() throws {
        func talk(_ seed: UInt64) throws -> [String?] {
            let session = try makeSession(.tree) { $0.seed = seed }
            try session.reply(to: "Hi")
            try session.reply(to: "Hi")
            return session.transcript.exchanges.map(\.answer)
        }
        let first = try talk(1)
        #expect(first[0] != first[1])
        #expect(try talk(1) == first)
        #expect(try talk(2) != first)
    }

    @Test("another answer comes without reading anew", arguments: Topology.allCases)
    func regenerating(topology: Topology) throws {
        let session = try makeSession(topology)
        try session.reply(to: "Hi")
        let first = try session.reply(to: "Why?")
        let again = try session.regenerate()
        #expect(again.tokens != first.tokens)
        #expect(again.readTokens == 0 && again.promptTokens == first.promptTokens)
        #expect(session.transcript.exchanges.map(\.question) == ["Hi", "Why?"])
        #expect(session.transcript.exchanges[1].answer == again.text)
    }

    @Test("what cannot be answered is refused, and nothing is added")
    func refusals() throws {
        let session = try makeSession { $0.promptLimit = 40 }
        #expect(throws: ChatError.emptyPrompt) { try session.reply(to: "") }
        #expect(throws: ChatError.nothingSaid) { try session.regenerate() }
        #expect(throws: ChatError.nothingSaid) { try session.undo() }
        let error = #expect(throws: ChatError.self) {
            try session.reply(to: String(repeating: "x", count: 1 << 20))
        }
        #expect(
            error?.description.hasPrefix("prompt has 1048608 tokens, expected at most 40; ") == true
        )
        #expect(session.transcript.exchanges.isEmpty)
        session.settings.promptLimit = 100
        session.settings.maxTokens = 0
        #expect(throws: ChatError.setting(name: "max-tokens", found: "0", expected: "at least 1")) {
            try session.reply(to: "Hi")
        }
        session.settings.maxTokens = 3
        try session.reply(to: "Hi")
        #expect(session.transcript.exchanges.count == 1)
    }
}
