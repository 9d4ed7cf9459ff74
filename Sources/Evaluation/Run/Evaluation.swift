import MambaLM
import Storage
import Tokenization

/// Runs tasks on a model.
///
///     let index = try TaskIndex(includePaths: folders)
///     let selection = try TaskSelection(["arc_easy", "lambada"], from: index)
///     let evaluation = try Evaluation(selection, data: DataFolders(["data"]), options: options)
///     let results = try evaluation.run(on: model, tokenizer: tokenizer) { event in … }
public struct Evaluation: Sendable {
    /// The tasks with their requests.
    public let tasks: [PreparedTask]
    /// The groups by which tasks were named.
    public let groups: [TaskGroup]
    /// How tasks are run.
    public let options: EvaluationOptions

    /// Reads all documents and makes all requests, so that what is wrong with them is said at once.
    ///
    /// - Parameters:
    ///   - selection: The tasks.
    ///   - data: Where documents are.
    ///   - options: Which documents, how many examples.
    /// - Throws: ``EvaluationError``, ``TaskError``, `JSONError` or `FileError`.
    public init(
        _ selection: TaskSelection, data: DataFolders, options: EvaluationOptions
    ) throws {
        tasks = try selection.tasks.map { try PreparedTask($0, in: data, options: options) }
        groups = selection.groups
        self.options = options
    }

    /// Scores all requests and sums up.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - tokenizer: Its tokenizer.
    ///   - prefixToken: Stands for an empty context; by default the tokenizer's bos, else its eos.
    ///   - journal: Keeps scores as they come and may know some already.
    ///   - report: Called with what happens.
    /// - Returns: The results.
    /// - Throws: ``EvaluationError`` or `FileError`, and what `report` throws, which ends the run.
    public func run(
        on model: MambaModel, tokenizer: LoadedTokenizer, prefixToken: Int32? = nil,
        journal: ScoreJournal? = nil, report: (EvaluationEvent) throws -> Void = { _ in }
    ) throws -> EvaluationResults {
        try run(
            on: model,
            encoder: RequestEncoder(
                tokenizer, prefixToken: prefixToken, end: model.configuration.endTokens.first),
            vocabulary: model.configuration.vocabulary, journal: journal, report: report)
    }

    /// The same for any model that can read on.
    func run(
        on model: some ContinuationModel, encoder: RequestEncoder, vocabulary: Int,
        journal: ScoreJournal? = nil, report: (EvaluationEvent) throws -> Void = { _ in }
    ) throws -> EvaluationResults {
        var encoder = encoder
        for warning in journal?.warnings ?? [] { try report(.warning(warning)) }
        let results = try tasks.map { task in
            for warning in task.warnings { try report(.warning(warning)) }
            let requests = try TaskRequests(
                task, encoder: &encoder, maximumLength: options.maximumLength,
                vocabulary: vocabulary)
            if requests.truncated > 0 {
                try report(
                    .warning(
                        "task \(quoted(task.task.name)): \(requests.truncated) of "
                            + "\(requests.requests.count) requests are longer than "
                            + "\(options.maximumLength) tokens; the beginning of their contexts "
                            + "is left out"))
            }
            let responses = try score(task, requests, on: model, journal, report)
            try report(.aggregating(task: task.task.name))
            let result = try TaskResult(task, responses: responses, options: options)
            try report(.finished(task: task.task.name))
            return result
        }
        return EvaluationResults(tasks: results, groups: groups)
    }

    private func score(
        _ task: PreparedTask, _ requests: TaskRequests, on model: some ContinuationModel,
        _ journal: ScoreJournal?, _ report: (EvaluationEvent) throws -> Void
    ) throws -> [[TaskResult.Response]] {
        let name = task.task.name
        let isPrompt = task.task.outputType != .rolling || options.rollingUsesTrees
        var scores = [TaskResult.Response?](repeating: nil, count: requests.requests.count)
        let keys =
            journal == nil
            ? []
            : requests.requests.map {
                ScoreJournal.key($0, isPrompt: isPrompt && model.hasTrees)
            }
        if let journal {
            for (index, key) in keys.enumerated() { scores[index] = journal.score(of: key) }
        }
        if let warning = journal?.warning(aboutEnginesOf: keys, task: name) {
            try report(.warning(warning))
        }
        let open = scores.indices.filter { scores[$0] == nil }
        var done = scores.count - open.count
        try report(
            .started(
                task: name, documents: task.items.count, requests: scores.count, resumed: done))
        let scorer = ContinuationScorer(
            model: model, maximumLength: options.maximumLength, batchTokens: options.batchTokens)
        try scorer.score(open.map { requests.requests[$0] }, isPrompt: isPrompt) { number, score in
            let index = open[number]
            let kept = TaskResult.Response(
                logLikelihood: score.logLikelihood, isGreedy: score.isGreedy)
            scores[index] = kept
            if let journal {
                let place = requests.places[index]
                try journal.keep(
                    kept, of: keys[index],
                    at: ScoreJournal.Place(
                        task: name, document: task.items[place.item].id, request: place.request,
                        window: place.window))
            }
            done += 1
            try report(.progress(task: name, done: done, total: scores.count))
        }
        return responses(task, requests, scores)
    }

    /// Puts scores back to their documents; those of windows are added up.
    private func responses(
        _ task: PreparedTask, _ requests: TaskRequests, _ scores: [TaskResult.Response?]
    ) -> [[TaskResult.Response]] {
        var responses = task.items.map { item in
            item.requests.map { _ in TaskResult.Response(logLikelihood: 0, isGreedy: true) }
        }
        for (place, score) in zip(requests.places, scores) {
            guard let score else { continue }
            responses[place.item][place.request].logLikelihood += score.logLikelihood
            if !score.isGreedy { responses[place.item][place.request].isGreedy = false }
        }
        return responses
    }
}
