/// Scores continuations, reading each context once.
///
/// Equal contexts are read once, whichever requests they belong to; without trees, so is what
/// contexts begin with in common. Every continuation goes on from its context's state, those of many
/// contexts together. A score depends on its own request alone, so that batches, their order and the
/// number of threads change no result.
///
/// Source: the scores are those of lm-evaluation-harness 0.4.13, `HFLM._loglikelihood_tokens`: the last
/// `maximumLength + 1` tokens count, and the last of them is not read.
struct ContinuationScorer<Model: ContinuationModel> {
    let model: Model
    /// The most tokens that are read for one request.
    let maximumLength: Int
    /// About how many tokens are computed at once; changes no result.
    let batchTokens: Int

    /// A request as it is run: what is read and what is predicted.
    private struct Part {
        var context: ArraySlice<Int32>
        var continuation: ArraySlice<Int32>
    }

    /// Scores requests.
    ///
    /// - Parameters:
    ///   - requests: With at least one token in the context and 1 to `maximumLength` in the
    ///     continuation.
    ///   - isPrompt: Whether contexts are prompts, on which trees are built if the model has them.
    ///   - report: Called with the number of a request and its score, roughly in order.
    func score(
        _ requests: [ScoringRequest], isPrompt: Bool,
        report: (Int, ContinuationScore) throws -> Void
    ) rethrows {
        let parts = requests.map { request in
            let context = request.context.suffix(maximumLength + 1 - request.continuation.count)
            precondition(
                !context.isEmpty && !request.continuation.isEmpty, "a request has no tokens")
            return Part(context: context, continuation: request.continuation[...])
        }
        let hasPrompts = isPrompt && model.hasTrees
        guard model.canContinue else {
            return try scoreWhole(parts, isPrompt: hasPrompts, report: report)
        }
        let tree = ContextTree(
            parts.map { ContextTree.Context(tokens: $0.context, isPrompt: hasPrompts) })
        try run(tree.roots.map { ($0, nil) }, of: tree, parts, report)
    }

    /// Runs nodes on from their parents' states, then what hangs on them, then their children.
    private func run(
        _ nodes: [(node: Int, state: Model.State?)], of tree: ContextTree, _ parts: [Part],
        _ report: (Int, ContinuationScore) throws -> Void
    ) rethrows {
        var rest = nodes[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(batch(rest) { tree.nodes[$0.node].tokens.count })
            rest = rest.dropFirst(chunk.count)
            let needsStates = chunk.contains { item in
                let node = tree.nodes[item.node]
                return !node.children.isEmpty
                    || node.requests.contains { parts[$0].continuation.count > 1 }
            }
            let (states, firstScores) = model.read(
                chunk.map { item in
                    let node = tree.nodes[item.node]
                    return PartialSequence(
                        tokens: node.tokens, promptLength: node.promptLength, state: item.state,
                        predictions: node.requests.map {
                            (node.tokens.count - 1, parts[$0].continuation[0])
                        })
                }, keepingStates: needsStates)
            try finish(
                chunk.enumerated().flatMap { place, item in
                    tree.nodes[item.node].requests.map {
                        ($0, needsStates ? states[place] : nil)
                    }
                }, firstScores, parts, report)
            let children = zip(chunk.indices, chunk).flatMap { index, item in
                tree.nodes[item.node].children.map { ($0, states[index - chunk.startIndex]) }
            }
            if !children.isEmpty {
                try run(children.map { ($0.0, $0.1) }, of: tree, parts, report)
            }
        }
    }

    /// Scores what follows the first tokens of continuations, from the states of their contexts.
    private func finish(
        _ requests: [(index: Int, state: Model.State?)], _ firstScores: [TokenScore],
        _ parts: [Part], _ report: (Int, ContinuationScore) throws -> Void
    ) rethrows {
        // Single tokens have nothing that follows.
        var rest = zip(requests, firstScores).map { (request: $0, first: $1) }[...]
        while !rest.isEmpty {
            let size = batch(rest) { max(1, parts[$0.request.index].continuation.count - 1) }
            let chunk = rest.prefix(size)
            rest = rest.dropFirst(size)
            let long = chunk.filter { parts[$0.request.index].continuation.count > 1 }
            var scores: ArraySlice<TokenScore> = []
            if !long.isEmpty {
                scores =
                    model.read(
                        long.map { item in
                            let continuation = parts[item.request.index].continuation
                            return PartialSequence(
                                tokens: continuation.dropLast(), state: item.request.state,
                                predictions: continuation.dropFirst().enumerated().map {
                                    ($0, $1)
                                })
                        }, keepingStates: false
                    ).scores[...]
            }
            for item in chunk {
                let count = parts[item.request.index].continuation.count - 1
                let score = ContinuationScore(
                    [item.first] + scores.prefix(count))
                scores = scores.dropFirst(count)
                try report(item.request.index, score)
            }
        }
    }

    /// Scores requests one sequence each, where a model cannot go on from a state.
    private func scoreWhole(
        _ parts: [Part], isPrompt: Bool, report: (Int, ContinuationScore) throws -> Void
    ) rethrows {
        var rest = parts.indices[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(
                batch(rest) { parts[$0].context.count + parts[$0].continuation.count })
            rest = rest.dropFirst(chunk.count)
            var scores = model.read(
                chunk.map { index in
                    let part = parts[index]
                    return PartialSequence(
                        tokens: part.context + part.continuation.dropLast(),
                        promptLength: isPrompt ? part.context.count : 0,
                        predictions: part.continuation.enumerated().map {
                            (part.context.count - 1 + $0, $1)
                        })
                }, keepingStates: false
            ).scores[...]
            for index in chunk {
                let count = parts[index].continuation.count
                try report(index, ContinuationScore(scores.prefix(count)))
                scores = scores.dropFirst(count)
            }
        }
    }

    /// How many of the first items fit into one batch; at least one.
    private func batch<Items: Collection>(_ items: Items, size: (Items.Element) -> Int) -> Int {
        var (tokens, count) = (0, 0)
        for item in items {
            tokens += size(item)
            if count > 0, tokens > batchTokens || count == model.stateLimit { break }
            count += 1
        }
        return count
    }
}

extension ContinuationScore {
    init(_ scores: some Sequence<TokenScore>) {
        self.init(
            logProbabilities: scores.map(\.logProbability),
            isGreedy: scores.allSatisfy(\.isGreedy))
    }
}
