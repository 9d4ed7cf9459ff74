import Python
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

    @Test("shared beginnings, cut by batches anywhere, and whole sequences give equal scores")
    func sharingChangesNothing() {
        let whole = ToyModel()
        whole.canContinue = false
        let expected = scores(requests, whole)
        #expect(expected.allSatisfy { $0 != nil })
        for tokens in [1, 13, 64, 100_000] {
            let model = ToyModel()
            #expect(scores(requests, model, batchTokens: tokens) == expected)
            #expect(model.tokensRead < whole.tokensRead / 2)
            #expect((model.statesKept == 0) == (model.batches == 1))
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

    @Test("each context is read once, each continuation except for its last token")
    func contextsAreReadOnce() {
        let context = (0..<50).map { Int32($0) }
        let model = ToyModel()
        model.hasTrees = true
        _ = scores(
            [[1, 2, 3], [1], [4, 5]].map { ScoringRequest(context: context, continuation: $0) },
            model, batchTokens: 1000)
        #expect(model.tokensRead == 50 + 2 + 0 + 1)
        #expect(model.batches == 1)
    }

    @Test(
        "what contexts, and continuations, begin with in common is read once",
        arguments: [false, true])
    func beginningsAreReadOnce(hasTrees: Bool) {
        let base = (0..<40).map { Int32($0) }
        let model = ToyModel()
        model.hasTrees = hasTrees
        _ = scores(
            (0..<10).map {
                ScoringRequest(context: base + [100 + $0 / 2], continuation: [7, 8, 9, 20 + $0, 1])
            },
            model, batchTokens: 1000)
        #expect(model.tokensRead == (hasTrees ? 5 * 41 : 40 + 5) + 5 * 3 + 10)
    }

    @Test("a beginning is read again where that saves less than a sequence costs")
    func shortBeginningsAreReadAgain() {
        func tokens(_ requests: Int, common: Int) -> Int {
            let model = ToyModel()
            _ = scores(
                (0..<requests).map {
                    ScoringRequest(
                        context: (0..<common).map { Int32($0) } + [100 + Int32($0)],
                        continuation: [1])
                }, model, batchTokens: 1000)
            return model.tokensRead
        }
        #expect(tokens(2, common: 1) == 4)
        #expect(tokens(3, common: 1) == 4)
        #expect(tokens(2, common: 2) == 4)
    }

    @Test("every token of a text after the first can be scored, with a tree over a part of it")
    func allPositions() {
        let tokens = (0..<30).map { Int32($0 % 7) }
        func scores(
            _ model: ToyModel, _ texts: [RequestText], batchTokens: Int = 1000
        ) -> [ContinuationScore?] {
            var scores = [ContinuationScore?](repeating: nil, count: texts.count)
            ContinuationScorer(model: model, maximumLength: 5, batchTokens: batchTokens)
                .score(texts, isPrompt: true) { scores[$0] = $1 }
            return scores
        }
        let (chain, tree, whole) = (ToyModel(), ToyModel(), ToyModel())
        (tree.hasTrees, whole.hasTrees, whole.canContinue) = (true, true, false)
        let texts =
            [0, 1, 12, 30].map { RequestText(predictingAllOf: tokens, promptLength: $0) }
            + [RequestText(predictingAllOf: [3], promptLength: 1)]
        let expected = scores(whole, texts)
        #expect(expected.map { $0?.logProbabilities.count } == [29, 29, 29, 29, 0])
        #expect(scores(tree, texts) == expected)
        #expect(scores(tree, texts, batchTokens: 1) == expected)
        #expect(Set(expected.map { $0?.logLikelihood }).count == 5)
        #expect(whole.tokensRead == 29 + 29 + 29 + 30)
        let found = scores(chain, texts)
        #expect(found.dropLast().allSatisfy { $0 == expected[0] })
        #expect(chain.tokensRead == 30)
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

    @Test("of a continuation that is longer than the limit the last tokens are scored")
    func longContinuationsLoseTheirBeginning() {
        let tokens = (0..<50).map { Int32($0) }
        let (cut, long) = (ToyModel(), ToyModel())
        let expected = scores(
            [ScoringRequest(context: [39], continuation: Array(tokens.suffix(10)))], cut)
        #expect(
            scores(
                [
                    ScoringRequest(
                        context: Array(tokens.prefix(3)), continuation: Array(tokens.dropFirst(3)))
                ],
                long, maximumLength: 10) == expected)
        #expect(long.tokensRead == 10)
    }
}
