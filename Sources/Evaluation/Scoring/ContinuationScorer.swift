import MambaLM
import Tensors

/// Scores continuations, reading once what requests begin with in common.
///
/// Without trees that is any common beginning, within contexts and within continuations; with trees,
/// a context that is a prompt is read as a whole, and only equal ones once. Requests branch off
/// within a batch, so that states are kept only where a batch ends in the midst of what goes on from
/// one. A score depends on its own request alone, so that batches, their order and the number of
/// threads change no result.
///
/// Source: the scores are those of lm-evaluation-harness 0.4.13, `HFLM._loglikelihood_tokens`.
struct ContinuationScorer<Model: ContinuationModel> {
    let model: Model
    /// The most tokens that are read for one request.
    let maximumLength: Int
    /// About how many tokens are computed at once; changes no result.
    let batchTokens: Int

    /// Scores requests.
    ///
    /// - Parameters:
    ///   - requests: With at least one token each in context and continuation; of a continuation
    ///     that is longer than `maximumLength`, the last tokens are scored.
    ///   - isPrompt: Whether contexts are prompts, on which trees are built if the model has them.
    ///   - report: Called with the number of a request and its score, roughly in order.
    func score(
        _ requests: [ScoringRequest], isPrompt: Bool,
        report: (Int, ContinuationScore) throws -> Void
    ) rethrows {
        try score(
            requests.map { RequestText($0, maximumLength: maximumLength) }, isPrompt: isPrompt,
            report: report)
    }

    /// Scores what texts predict.
    ///
    /// - Parameters:
    ///   - texts: The texts.
    ///   - isPrompt: Whether their prompts count, if the model has trees.
    ///   - report: Called with the number of a text and its scores, roughly in order.
    func score(
        _ texts: [RequestText], isPrompt: Bool, report: (Int, ContinuationScore) throws -> Void
    ) rethrows {
        for (index, text) in texts.enumerated() where text.targets.isEmpty {
            try report(index, ContinuationScore(logProbabilities: [], isGreedy: true))
        }
        let tree = RequestTree(
            texts, isPrompt: isPrompt && model.hasTrees, canContinue: model.canContinue)
        var unfinished = texts.map { UnfinishedScore(count: $0.targets.count) }
        var states: [Int: Model.State] = [:]
        var start = 0
        while start < tree.nodes.count {
            let batch = start..<end(ofBatchFrom: start, in: tree)
            let predictions = batch.map { tree.predictions(from: tree.nodes[$0]) }
            var scored: [ScoredToken] = []
            var row = 0
            for (index, predictions) in zip(batch, predictions) {
                scored += predictions.map {
                    ScoredToken(row: row + $0.place, target: $0.token)
                }
                row += tree.nodes[index].places.count
            }
            let result = model.read(
                batch.map { sequence($0, of: tree, in: batch, states: states) }, scoring: scored)
            for (place, prediction) in predictions.joined().enumerated() {
                for use in prediction.uses {
                    let whole = unfinished[use.text].add(
                        result.scores.logProbabilities[place],
                        isGreedy: result.scores.isGreedy[place], at: use.number)
                    if let whole { try report(use.text, whole) }
                }
            }
            // Some of what goes on from these nodes is still to come.
            states = states.filter { isContinued($0.key, from: batch.upperBound, in: tree) }
            for (index, state) in zip(batch, result.states) where state != nil {
                states[index] = state
            }
            start = batch.upperBound
        }
    }

    /// Where a batch ends that begins with a node: before the first node that does not fit.
    private func end(ofBatchFrom start: Int, in tree: RequestTree) -> Int {
        var tokens = 0
        return tree.nodes.indices[start...].first { index in
            tokens += tree.nodes[index].places.count
            return index > start && tokens > batchTokens
        } ?? tree.nodes.count
    }

    /// Whether a node at or after `place` goes on from a node.
    private func isContinued(_ node: Int, from place: Int, in tree: RequestTree) -> Bool {
        tree.nodes[node].lastChild.map { $0 >= place } ?? false
    }

    /// A node of a batch as the model reads it.
    private func sequence(
        _ index: Int, of tree: RequestTree, in batch: Range<Int>,
        states: [Int: Model.State]
    ) -> TokenSequence<Model.State> {
        let node = tree.nodes[index]
        var sequence = TokenSequence<Model.State>(
            tokens: tree.tokens(of: node), promptLength: node.promptLength,
            keepsState: isContinued(index, from: batch.upperBound, in: tree))
        if let parent = node.parent {
            if parent >= batch.lowerBound {
                sequence.origin = .sequence(parent - batch.lowerBound)
            } else if let state = states[parent] {
                sequence.origin = .state(state)
            }
        }
        return sequence
    }
}

/// The score of a text of which some predictions are still to come.
private struct UnfinishedScore {
    private let count: Int
    private var missing: Int
    private var logProbabilities: [Double] = []
    private var isGreedy = true

    init(count: Int) {
        self.count = count
        missing = count
    }

    /// Adds the score of one prediction; returns all once none is missing.
    mutating func add(
        _ logProbability: Double, isGreedy: Bool, at number: Int
    ) -> ContinuationScore? {
        if logProbabilities.isEmpty { logProbabilities = Array(repeating: 0, count: count) }
        logProbabilities[number] = logProbability
        self.isGreedy = self.isGreedy && isGreedy
        missing -= 1
        guard missing == 0 else { return nil }
        defer { logProbabilities = [] }
        return ContinuationScore(logProbabilities: logProbabilities, isGreedy: self.isGreedy)
    }
}

/// A model that can read on from where it stopped.
protocol ContinuationModel {
    /// What reading a text leaves behind.
    associatedtype State

    /// Whether a text can be continued, from one state, before all of it is known.
    var canContinue: Bool { get }
    /// Whether what a prompt's tokens become depends on tokens after them, up to the prompt's end.
    var hasTrees: Bool { get }

    /// Reads sequences together, none depending on another except the one it goes on from.
    ///
    /// - Parameters:
    ///   - sequences: What to read.
    ///   - scored: What to predict where; rows count the tokens of all sequences, and rise.
    /// - Returns: The states of the sequences that keep them; the scores of all predictions, in order.
    func read(
        _ sequences: [TokenSequence<State>], scoring scored: [ScoredToken]
    ) -> (states: [State?], scores: CrossEntropy.Result)

    /// Reads what several prompts begin with; nil for no tokens.
    func read(beginning tokens: [Int32]) -> State?

    /// Writes on from a prompt.
    ///
    /// - Parameters:
    ///   - prompt: At least one token.
    ///   - shared: The first tokens of it that were read already.
    ///   - settings: How tokens are drawn.
    ///   - count: How many texts.
    ///   - isDone: Told the tokens of a text after each; true ends the text.
    /// - Returns: The tokens of each.
    func write(
        after prompt: [Int32], shared: (tokens: [Int32], state: State)?,
        _ settings: Generation.Settings, count: Int, isDone: ([Int32]) throws -> Bool
    ) rethrows -> [[Int32]]
}

extension MambaModel: ContinuationModel {
    /// Whether the flow keeps one state per layer.
    var canContinue: Bool { flow.hasSingleState }
    /// Whether the flow is anything but a chain.
    var hasTrees: Bool { flow.dependsOnPrompt }

    /// Runs the sequences as one forest.
    func read(
        _ sequences: [TokenSequence<SequenceState>], scoring scored: [ScoredToken]
    ) -> (states: [SequenceState?], scores: CrossEntropy.Result) {
        read(TokenForest(sequences), scoring: scored)
    }

    /// Reads no prompt: on a chain it makes no difference.
    func read(beginning tokens: [Int32]) -> SequenceState? {
        tokens.isEmpty ? nil : readOn(tokens, after: nil)
    }

    /// Goes on from the state after the prompt.
    func write(
        after prompt: [Int32], shared: (tokens: [Int32], state: SequenceState)?,
        _ settings: Generation.Settings, count: Int, isDone: ([Int32]) throws -> Bool
    ) rethrows -> [[Int32]] {
        let known = shared?.tokens ?? []
        let reading = readPrompt(
            Array(prompt.dropFirst(known.count)), after: shared?.state, of: known)
        let generation = Generation(of: self, after: reading, settings, count: count)
        while true {
            let draws = generation.next()
            guard !draws.isEmpty else { return generation.texts.map(\.tokens) }
            for draw in draws where try isDone(generation.texts[draw.text].tokens) {
                generation.end(draw.text, .stop)
            }
        }
    }
}
