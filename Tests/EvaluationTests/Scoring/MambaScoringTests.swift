import MambaLM
import Python
import Tensors
import TestSupport
import Testing
import TreeSSMText

@testable import Evaluation

/// Scores of a real model, small and random, against whole sequences.
@Suite("Scoring with a Mamba model")
struct MambaScoringTests {
    /// A flow by name, as test cases must be printable.
    enum Flow: String, CaseIterable {
        case chain, successor, parent, child

        var value: any StateFlow {
            switch self {
            case .chain: ChainFlow()
            case .successor: TreeFlow(TreeSettings(transition: .successor))
            case .parent: TreeFlow(TreeSettings(transition: .parent))
            case .child: TreeFlow(TreeSettings(transition: .child))
            }
        }
    }

    private func model(_ flow: Flow, threads: Int = 1) -> MambaModel {
        var configuration = MambaConfiguration()
        (configuration.vocabulary, configuration.model, configuration.layers) = (50, 24, 2)
        (configuration.inner, configuration.state, configuration.stepRank) = (48, 16, 2)
        var generator = SplitMix64(seed: 5)
        let model = MambaModel.random(
            configuration, engine: makeEngine(threads: threads), using: &generator)
        model.flow = flow.value
        return model
    }

    /// Contexts and continuations with common beginnings, several continuations each; together
    /// more tokens than a block computes at once.
    private var requests: [ScoringRequest] {
        var random = PythonRandom(seed: 8)
        func tokens(_ count: Int, below limit: Int = 50) -> [Int32] {
            (0..<count).map { _ in Int32(random.next(below: limit)) }
        }
        let base = tokens(60)
        return (0..<20).flatMap { _ in
            let context =
                Array(base.prefix(1 + random.next(below: 60))) + tokens(random.next(below: 20))
            return (0..<4).map { _ in
                ScoringRequest(
                    context: context,
                    continuation: tokens(1 + random.next(below: 9), below: 2) + tokens(1))
            }
        }
    }

    private func scores(
        _ model: MambaModel, batchTokens: Int, maximumLength: Int = 64, reversed: Bool = false
    ) -> [ContinuationScore?] {
        let order = reversed ? Array(requests.indices.reversed()) : Array(requests.indices)
        var scores = [ContinuationScore?](repeating: nil, count: requests.count)
        ContinuationScorer(
            model: model, maximumLength: maximumLength, batchTokens: batchTokens
        ).score(order.map { requests[$0] }, isPrompt: true) { scores[order[$0]] = $1 }
        return scores
    }

    /// The score of a request that is read alone and whole.
    private func score(_ request: ScoringRequest, _ model: MambaModel) -> ContinuationScore {
        let text = RequestText(request, maximumLength: 64)
        let rows = text.targets.indices.map { text.firstPlace + $0 - text.targets.startIndex }
        let result = model.score(
            TokenBatch([
                TokenBatch.Sequence(
                    tokens: text.tokens(0..<text.count), promptLength: text.promptLength)
            ]), zip(rows, text.targets).map { ScoredToken(row: $0, target: $1) })
        return ContinuationScore(
            logProbabilities: result.logProbabilities,
            isGreedy: result.isGreedy.allSatisfy { $0 })
    }

    @Test("scores are those of whole sequences, bit for bit", arguments: Flow.allCases)
    func scoresAreThoseOfWholeSequences(flow: Flow) {
        let model = model(flow)
        let expected = requests.map { score($0, model) }
        #expect(scores(model, batchTokens: 4096) == expected)
    }

    @Test("batches, their order and threads change no bit", arguments: Flow.allCases)
    func batchesChangeNoBit(flow: Flow) {
        let expected = scores(model(flow), batchTokens: 4096)
        #expect(expected.allSatisfy { $0 != nil })
        for (tokens, threads) in [(1, 1), (37, 2), (300, 3)] {
            #expect(scores(model(flow, threads: threads), batchTokens: tokens) == expected)
        }
        #expect(scores(model(flow), batchTokens: 100, reversed: true) == expected)
    }

    @Test("trees change scores, and only of contexts of more than two tokens")
    func treesChangeScores() {
        let (chain, tree) = (
            scores(model(.chain), batchTokens: 99), scores(model(.successor), batchTokens: 99)
        )
        for (index, request) in requests.enumerated() {
            #expect((chain[index] != tree[index]) == (request.context.count > 2), "\(index)")
        }
    }
}
