import MambaLM
import Prompting
import Tensors
import TestSupport
import Testing

@testable import Chat

@Suite("History")
struct HistoryTests {
    @Test("carrying on a chain is recomputing, where no tokens merge")
    func chainModesAgree() throws {
        func talk(_ history: HistoryMode) throws -> [Reply] {
            let session = try makeSession(merges: []) {
                $0.history = history
                $0.keepsLogProbabilities = true
                // So that an answer does not end in half a character, which text cannot hold.
                $0.endTokens = Set(128...259)
            }
            return try ["Hi", "Why?", "And?"].map { try session.reply(to: $0) }
        }
        let (carried, recomputed) = (try talk(.carry), try talk(.recompute))
        #expect(carried.map(\.tokens) == recomputed.map(\.tokens))
        #expect(carried.map(\.logProbabilities) == recomputed.map(\.logProbabilities))
        #expect(carried[2].promptTokens < recomputed[2].promptTokens)
        // On a chain neither reads anything twice.
        #expect(recomputed[2].readTokens <= carried[2].readTokens + 2)
    }

    @Test(
        "carried turns are prompts that go on from the state", arguments: [Topology.chain, .tree])
    func carriedTurns(topology: Topology) throws {
        let session = try makeSession(topology, system: "S") {
            ($0.history, $0.keepsLogProbabilities) = (.carry, true)
        }
        let first = try session.reply(to: "Hi")
        let second = try session.reply(to: "What now?")
        let model = tinyModel(topology)
        func encode(_ text: String) -> [Int32] { session.tokenizer.tokenizer.encode(text) }
        let opening = model.readPrompt(encode("S\n\n### Instruction:\nHi\n\n### Response:"))
        let state = model.readOn(first.tokens, after: opening.state)
        let turn = encode("<|endoftext|>### Instruction:\nWhat now?\n\n### Response:")
        let prompt = model.readPrompt(
            turn, after: state, of: opening.tokens + first.tokens)
        var settings = Generation.Settings()
        settings.limit = 12
        settings.seed = TokenSampler.seed(42, stream: 1)
        settings.endTokens = [0]
        settings.keepsLogProbabilities = true
        let generation = Generation(of: model, after: prompt, settings)
        while !generation.next().isEmpty {}
        #expect(generation.texts[0].tokens == second.tokens)
        #expect(generation.texts[0].logProbabilities == second.logProbabilities)
        #expect(second.promptTokens == turn.count && second.readTokens == turn.count)
    }

    @Test(
        "without history each message is answered as if it were the first",
        arguments: Topology.allCases)
    func separate(topology: Topology) throws {
        func session() throws -> ChatSession {
            try makeSession(topology, system: "S") {
                ($0.history, $0.sampling.temperature) = (.separate, 0)
            }
        }
        let (talk, fresh) = (try session(), try session())
        try talk.reply(to: "Something else")
        let (later, first) = (try talk.reply(to: "What now?"), try fresh.reply(to: "What now?"))
        #expect(later.tokens == first.tokens && later.promptTokens == first.promptTokens)
        #expect(talk.transcript.exchanges.count == 2)
        #expect(try talk.regenerate().readTokens == 0)
    }

    @Test("a chat template's turns are carried too")
    func chatTemplate() throws {
        let session = try makeSession(
            .tree, template: "chat", chatTemplate: turnsTemplate, system: "S"
        ) { $0.history = .carry }
        try session.reply(to: "Hi")
        let second = try session.reply(to: "Why?")
        let turn = session.tokens(of: "<|endoftext|><user>Why?<|endoftext|><assistant>")
        #expect(second.promptTokens == turn.count)
    }

    @Test("cost does not grow while carrying: neither tokens read nor memory")
    func constantCost() throws {
        let session = try makeSession(.tree) { $0.history = .carry }
        var reads: [Int] = []
        for _ in 0..<30 { reads.append(try session.reply(to: "Again").readTokens) }
        #expect(Set(reads.dropFirst()).count == 1)
        #expect(session.branch.points.count == 8)
        let bytes = session.statistics.stateBytes
        #expect(bytes == 2 * (48 * 8 + 3 * 48) * 4)
        #expect(session.statistics.position > 30 * 12)
    }

    @Test(
        "taking turns back, many or few, leads to where the conversation was",
        arguments: [1, 3, 12])
    func undoing(count: Int) throws {
        for (topology, history) in [
            (Topology.chain, HistoryMode.recompute), (.tree, .recompute), (.chain, .carry),
            (.tree, .carry),
        ] {
            let session = try makeSession(topology) { $0.history = history }
            try session.reply(to: "First")
            let expected = try session.samples(for: "Then?", count: 1)[0].tokens
            let drawn = session.drawnReplies
            for turn in 0..<count { try session.reply(to: "Turn \(turn)") }
            for _ in 0..<count { try session.undo() }
            session.drawnReplies = drawn
            let found = try session.samples(for: "Then?", count: 1)[0]
            #expect(found.tokens == expected)
            #expect(try session.undo().question == "First")
        }
    }

    @Test("what changes the meaning of the past makes it be read again, to the same result")
    func forgetting() throws {
        let changes: [(String, (ChatSession) -> Void)] = [
            ("template", { $0.template = $0.template }),
            (
                "history",
                { session in
                    session.settings.history = .recompute
                    session.settings.history = .carry
                }
            ),
            (
                "system",
                { session in
                    session.system = "Z"
                    session.system = nil
                }
            ),
            (
                "topology",
                { session in
                    let flow = session.model.flow
                    session.model.flow = ChainFlow(gain: 2)
                    _ = try? session.samples(for: "x", count: 1)
                    session.model.flow = flow
                }
            ),
        ]
        for (name, change) in changes {
            let session = try makeSession(.tree) { $0.history = .carry }
            try session.reply(to: "Hi")
            try session.reply(to: "Why?")
            let kept = try session.samples(for: "So?", count: 1)[0]
            change(session)
            let again = try session.samples(for: "So?", count: 1)[0]
            #expect(again.tokens == kept.tokens, "\(name)")
            #expect(again.readTokens > kept.readTokens, "\(name)")
        }
    }

    @Test("without a single state nothing can be carried, and the error says what to do")
    func noSingleState() throws {
        let session = try makeSession(.child) { $0.history = .carry }
        let error = #expect(throws: ChatError.self) { try session.reply(to: "Hi") }
        #expect(error?.description.contains("; use --history recompute ") == true)
        session.settings.history = .recompute
        try session.reply(to: "Hi")
    }

    @Test("branches go their own ways from where they parted")
    func branches() throws {
        let session = try makeSession(.tree) { $0.history = .carry }
        try session.reply(to: "Hi")
        try session.fork("other")
        #expect(session.branches == ["main", "other"] && session.currentBranch == "other")
        let drawn = session.drawnReplies
        let there = try session.reply(to: "Why?")
        try session.switchBranch(to: "main")
        #expect(session.transcript.exchanges.count == 1)
        session.drawnReplies = drawn
        #expect(try session.reply(to: "Why?").tokens == there.tokens)
        session.clear()
        #expect(session.transcript.exchanges.isEmpty)
        try session.switchBranch(to: "other")
        #expect(session.transcript.exchanges.count == 2)
        #expect(throws: ChatError.branchExists(name: "main")) { try session.fork("main") }
        #expect(throws: ChatError.unknownBranch(name: "x", known: ["main", "other"])) {
            try session.switchBranch(to: "x")
        }
    }
}
