import Glibc
import MambaLM
import Tensors
import TestSupport
import Testing

@testable import Chat

@Suite("Inspection")
struct InspectionTests {
    @Test("tokens are told with their texts")
    func tokens() throws {
        let session = try makeSession()
        #expect(session.tokens(of: "that").map(\.text) == ["th", "a", "t"])
        #expect(session.tokens(of: "ä").map(\.text) == ["\u{FFFD}", "\u{FFFD}"])
        #expect(session.tokens(of: "").isEmpty)
    }

    @Test(
        "a text's score is the model's, without prompt and template", arguments: Topology.allCases)
    func scores(topology: Topology) throws {
        let session = try makeSession(topology)
        let score = try session.score("that is it")
        let tokens = session.tokenizer.tokenizer.encode("that is it")
        let scored = (1..<tokens.count).map { ScoredToken(row: $0 - 1, target: tokens[$0]) }
        let expected = session.model.score(TokenBatch([.init(tokens: tokens)]), scored)
            .logProbabilities
        #expect(score.logProbabilities.dropFirst().map { $0 ?? 1 } == expected)
        #expect(score.logProbabilities[0] == nil && score.pieces.count == tokens.count)
        let mean = expected.reduce(0, +) / Double(expected.count)
        #expect(abs((score.perplexity ?? 0) - exp(-mean)) < 1e-9)
        #expect(try session.score("x").perplexity == nil)
        #expect(throws: ChatError.emptyPrompt) { try session.score("") }
    }

    @Test("the tree is that of the last prompt, and telling it changes nothing")
    func tree() throws {
        for history in HistoryMode.allCases {
            let session = try makeSession(.tree) { $0.history = history }
            try session.reply(to: "Hi")
            let second = try session.reply(to: "Why not?")
            let tree = try session.tree(layer: 1)
            #expect(tree.pieces.count == second.promptTokens)
            #expect(tree.parents.count == second.promptTokens && tree.parents.last == -1)
            #expect(tree.parents.dropLast().allSatisfy { tree.parents.indices.contains($0) })
            #expect(tree.parents != Array(1..<tree.parents.count) + [-1])
            #expect(tree.parents != (try session.tree(layer: 0)).parents)
            let text = tree.pieces.map(\.text).joined()
            #expect(text.hasSuffix("### Instruction:\nWhy not?\n\n### Response:"))
            #expect(text.hasPrefix("<|endoftext|>") == (history == .carry))
            let other = try makeSession(.tree) { $0.history = history }
            try other.reply(to: "Hi")
            try other.reply(to: "Why not?")
            #expect(try session.reply(to: "So?").tokens == other.reply(to: "So?").tokens)
        }
    }

    @Test("where there is no tree, or no such layer, the error says so")
    func noTree() throws {
        let chain = try makeSession()
        try chain.reply(to: "Hi")
        #expect(throws: ChatError.noTree) { try chain.tree(layer: 0) }
        let tree = try makeSession(.tree)
        #expect(throws: ChatError.noTree) { try tree.tree(layer: 0) }
        try tree.reply(to: "Hi")
        #expect(throws: ChatError.unknownLayer(found: 2, layers: 2)) { try tree.tree(layer: 2) }
    }
}
