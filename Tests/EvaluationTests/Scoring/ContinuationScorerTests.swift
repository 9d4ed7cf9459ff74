import Testing

@testable import Evaluation

@Suite("Scoring of continuations")
struct ContinuationScorerTests {
    private func scores(
        _ requests: [ScoringRequest], _ model: ToyModel, maximumLength: Int = 100,
        batchTokens: Int = 64, isPrompt: Bool = true
    ) -> [ContinuationScore?] {
        var scores = [ContinuationScore?](repeating: nil, count: requests.count)
        ContinuationScorer(
            model: model, maximumLength: maximumLength, batchTokens: batchTokens
        ).score(requests, isPrompt: isPrompt) { index, score in
            #expect(scores[index] == nil)
            scores[index] = score
        }
        return scores
    }

    /// Contexts that share beginnings of many lengths, some equal, some within others.
    private var requests: [ScoringRequest] {
        var random = PythonRandom(seed: 3)
        let base = (0..<80).map { _ in Int32(random.next(below: 3)) }
        return (0..<120).map { _ in
            var context = Array(base.prefix(1 + random.next(below: 80)))
            if random.next(below: 3) > 0 {
                context += (0..<random.next(below: 30)).map { _ in Int32(random.next(below: 3)) }
            }
            let count = 1 + random.next(below: 5)
            return ScoringRequest(
                context: context,
                continuation: (0..<count).map { _ in Int32(random.next(below: 9)) })
        }
    }

    @Test("shared beginnings, trees of prompts and whole sequences give equal scores")
    func sharingChangesNothing() {
        let whole = ToyModel()
        whole.canContinue = false
        let expected = scores(requests, whole)
        #expect(expected.allSatisfy { $0 != nil })
        for (tokens, states) in [(1, 1), (64, 3), (100_000, 1000)] {
            let model = ToyModel()
            model.stateLimit = states
            #expect(scores(requests, model, batchTokens: tokens) == expected)
            #expect(model.tokensRead < whole.tokensRead / 2)
        }
    }

    @Test("with trees only equal contexts share, and each is one prompt")
    func treesShareEqualContexts() {
        let (whole, model) = (ToyModel(), ToyModel())
        (whole.canContinue, whole.hasTrees, model.hasTrees) = (false, true, true)
        #expect(scores(requests, model) == scores(requests, whole))
        #expect(scores(requests, model, isPrompt: false) != scores(requests, whole))
        let chain = ToyModel()
        #expect(scores(requests, model, isPrompt: false) == scores(requests, chain))
    }

    @Test("each context is read once, each continuation but for its last token")
    func contextsAreReadOnce() {
        let context = (0..<50).map { Int32($0) }
        let model = ToyModel()
        model.hasTrees = true
        _ = scores(
            [[1, 2, 3], [1], [4, 5]].map { ScoringRequest(context: context, continuation: $0) },
            model, batchTokens: 1000)
        #expect(model.tokensRead == 50 + 2 + 0 + 1)
        #expect(model.batches == 2)
    }

    @Test("a beginning that many contexts share is read once")
    func beginningsAreReadOnce() {
        let base = (0..<40).map { Int32($0) }
        let model = ToyModel()
        _ = scores(
            (0..<10).map { ScoringRequest(context: base + [100 + $0, 7], continuation: [1]) },
            model, batchTokens: 1000)
        #expect(model.tokensRead == 40 + 10 * 2)
    }

    @Test("what is longer than the limit loses its beginning")
    func longRequestsLoseTheirBeginning() {
        let context = (0..<50).map { Int32($0) }
        let (cut, long) = (ToyModel(), ToyModel())
        let expected = scores(
            [ScoringRequest(context: Array(context.suffix(9)), continuation: [1, 2])], cut)
        #expect(
            scores(
                [ScoringRequest(context: context, continuation: [1, 2])], long, maximumLength: 10)
                == expected)
        #expect(long.tokensRead == 10)
    }

    @Test("a tree of contexts has every context once, in order of requests")
    func contextTree() {
        let contexts = requests.map {
            ContextTree.Context(tokens: $0.context[...], isPrompt: false)
        }
        let tree = ContextTree(contexts)
        var found: [Int: [Int32]] = [:]
        func visit(_ index: Int, _ above: [Int32]) {
            let tokens = above + tree.nodes[index].tokens
            #expect(!tree.nodes[index].tokens.isEmpty)
            for request in tree.nodes[index].requests { found[request] = tokens }
            for child in tree.nodes[index].children { visit(child, tokens) }
        }
        for root in tree.roots { visit(root, []) }
        #expect(found.count == contexts.count)
        for (index, context) in contexts.enumerated() {
            #expect(found[index] == Array(context.tokens))
        }
    }
}
