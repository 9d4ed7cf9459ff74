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
            vocabulary: model.configuration.vocabulary,
            writer: AnswerWriter(model: model, tokenizer, seed: options.generationSeed),
            journal: journal, report: report)
    }

    /// The same for any model that can read on.
    func run<Model: ContinuationModel>(
        on model: Model, encoder: RequestEncoder, vocabulary: Int, writer: AnswerWriter<Model>,
        journal: ScoreJournal? = nil, report: (EvaluationEvent) throws -> Void = { _ in }
    ) throws -> EvaluationResults {
        var encoder = encoder
        for warning in journal?.warnings ?? [] { try report(.warning(warning)) }
        let results = try tasks.map { task in
            for warning in task.warnings { try report(.warning(warning)) }
            if task.task.generation != nil {
                let answers = try write(task, encoder, writer, journal, report)
                try report(.aggregating(task: task.task.name))
                let result = try TaskResult(task, responses: answers, options: options)
                try report(.finished(task: task.task.name))
                return result
            }
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

    /// Writes the answers of a task.
    private func write<Model: ContinuationModel>(
        _ task: PreparedTask, _ encoder: RequestEncoder, _ writer: AnswerWriter<Model>,
        _ journal: ScoreJournal?, _ report: (EvaluationEvent) throws -> Void
    ) throws -> [[TaskResult.Response]] {
        let (name, count) = (task.task.name, task.task.repeats)
        let prompts = try task.items.map { item in
            guard case .answer(let context, _)? = item.requests.first,
                let arguments = task.task.generation
            else { preconditionFailure("task \(name) writes no answers") }
            return try AnswerWriter<Model>.prompt(
                encoder.encode(context), arguments, maximumLength: options.maximumLength,
                prefix: encoder.prefixToken, place: item.document.place, task: name)
        }
        let truncated = prompts.count(where: \.isTruncated)
        if truncated > 0 {
            try report(
                .warning(
                    "task \(quoted(name)): \(truncated) of \(prompts.count) prompts leave no room for "
                        + "an answer in \(options.maximumLength) tokens; their beginning is left out"
                ))
        }
        let keys = prompts.map {
            ScoreJournal.key(
                $0.tokens, $0.arguments.object, count: count, seed: options.generationSeed,
                isPrompt: writer.model.hasTrees)
        }
        var answers = keys.map { journal?.score(of: $0) }
        if let warning = journal?.warning(aboutEnginesOf: keys, task: name) {
            try report(.warning(warning))
        }
        var done = answers.count { $0 != nil }
        let total = answers.count
        try report(.started(task: name, documents: total, requests: total, resumed: done))
        let open = answers.indices.filter { answers[$0] == nil }
        let length = writer.sharedLength(open.map { prompts[$0].tokens })
        let beginning = open.first.map { Array(prompts[$0].tokens.prefix(length)) } ?? []
        let shared = writer.model.read(beginning: beginning).map { (beginning, $0) }
        for index in open {
            let texts = try writer.answers(
                to: prompts[index], after: shared, count: count, stream: task.items[index].id
            ) { try report(.progress(task: name, done: done, total: total)) }
            let answer = TaskResult.Response(logLikelihood: 0, isGreedy: false, texts: texts)
            answers[index] = answer
            try journal?.keep(
                answer, of: keys[index],
                at: ScoreJournal.Place(
                    task: name, document: task.items[index].id, request: 0, window: 0))
            done += 1
            try report(.progress(task: name, done: done, total: total))
        }
        return answers.map { $0.map { [$0] } ?? [] }
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

/// How tasks are run.
public struct EvaluationOptions: Sendable {
    /// The number of examples in a prompt; nil for what each task says.
    ///
    /// A task that says 0 keeps 0.
    public var shots: Int?
    /// How many documents of each task are evaluated, the first ones; nil for all.
    ///
    /// Below 1 it is a fraction of them, rounded up.
    public var limit: Double?
    /// The documents of tasks, by task; nil for all.
    ///
    /// For a task named here, ``limit`` does not count.
    public var samples: [String: [Int]]?
    /// The most tokens that are read for one request.
    public var maximumLength = 2048
    /// About how many tokens are computed at once; changes no result.
    public var batchTokens = 1536
    /// The seed for drawing answers, where a task draws them.
    public var generationSeed: UInt64 = 1234
    /// The seed for drawing examples.
    public var fewShotSeed: UInt64 = 1234
    /// The number of bootstrap resamples for standard errors; 0 for no standard errors.
    public var bootstrapIterations = 100_000
    /// The number of threads for standard errors; changes no result.
    public var threads = 1
    /// Arguments of `generation_kwargs` that the user gave, for the report.
    public var generationChanges: JSONObject = [:]
    /// Put before every prompt.
    public var systemInstruction: String?
    /// Whether the contexts of the windows of whole texts are prompts on which trees are built.
    ///
    /// Then perplexity mixes both kinds, as in the authors' run: of a long text only the last window
    /// has a context of any length. By default all windows are chains.
    public var rollingUsesTrees = false
    /// Whether a task whose examples are not drawn from where it says is an error.
    public var isStrict = false
    /// Whether no metrics are computed.
    public var predictsOnly = false

    /// Creates the default options.
    public init() {}
}

/// What happens during a run, for whoever watches.
public enum EvaluationEvent: Sendable, Equatable {
    /// Something that the user should know.
    case warning(String)
    /// A task begins.
    case started(task: String, documents: Int, requests: Int, resumed: Int)
    /// Requests of a task are done.
    case progress(task: String, done: Int, total: Int)
    /// Standard errors are being computed.
    case aggregating(task: String)
    /// A task is done.
    case finished(task: String)
}

/// What can be wrong with documents, or with what is asked of a run.
public enum EvaluationError: Error, Equatable {
    /// A split that a task is evaluated on has no file.
    case noData(task: String, split: String, lookedFor: [String])
    /// A split has no documents.
    case empty(file: String, task: String)
    /// A task file's function is used where it does not fit.
    case functionUse(place: String, function: String)
    /// A template cannot be rendered for a document.
    case template(place: String, task: String, field: String, problem: String)
    /// A field of a task does not come out as it should for a document.
    case value(place: String, task: String, field: String, found: String, expected: String)
    /// A document cannot be read the way the task wants.
    case document(place: String, task: String, problem: String)
    /// A task names a column that no document has.
    case noColumn(place: String, task: String, field: String, column: String, nearest: String?)
    /// Examples are not drawn from where the task says, which strict runs do not accept.
    case examples(ExampleNotice)
    /// There are not enough documents to draw examples from.
    case fewExamples(task: String, found: Int, expected: Int)
    /// A continuation has no tokens, or more than fit.
    case continuation(place: String, task: String, text: String, tokens: Int, limit: Int)
    /// Answers may be longer than what is read.
    case answerLength(place: String, task: String, limit: Int, length: Int)
    /// A filter or metric cannot take an answer.
    case filter(place: String, problem: String)
    /// A token of a request is not one of the model's.
    case unknownToken(place: String, task: String, id: Int, vocabulary: Int)
    /// A metric cannot be summed up.
    case aggregation(task: String, metric: String, problem: String)
    /// An invalid number of documents.
    case limit(Double)
    /// A document is asked for that the split does not have.
    case sample(task: String, index: Int, documents: Int)
    /// A file of results does not hold what is needed from it.
    case results(file: String, problem: String)
}

extension EvaluationError: CustomStringConvertible {
    /// One line that names the file or task.
    public var description: String {
        switch self {
        case .noData(let task, let split, let paths):
            "task \(quoted(task)): found no file for split \(quoted(split))"
                + (paths.isEmpty
                    ? "; give the folder that holds \(task)/\(split).jsonl with --data-dir"
                    : ", looked for " + paths.joined(separator: ", "))
        case .empty(let file, let task):
            "\(quotedPath(file)): has no documents, expected at least one for task \(quoted(task))"
        case .functionUse(let place, let function):
            "\(quotedPath(place)): function \(quoted(function)) does not make texts"
        case .template(let place, let task, let field, let problem):
            "\(quotedPath(place)): field \(quoted(field)) of task \(quoted(task)): \(problem)"
        case .value(let place, let task, let field, let found, let expected):
            "\(quotedPath(place)): field \(quoted(field)) of task \(quoted(task)) is \(found), expected \(expected)"
        case .document(let place, let task, let problem):
            "\(quotedPath(place)): task \(quoted(task)): \(problem)"
        case .noColumn(let place, let task, let field, let column, let nearest):
            "\(quotedPath(place)): key \(quoted(field)) of task \(quoted(task)) is \(quoted(column)), "
                + "which is no column of the documents, expected a column or a template"
                + (nearest.map { "; did you mean '\($0)'?" } ?? "")
        case .examples(let notice): "\(notice) (an error with --strict)"
        case .fewExamples(let task, let found, let expected):
            "task \(quoted(task)): found \(found) documents to draw examples from, "
                + "expected at least \(expected)"
        case .continuation(let place, let task, let text, let tokens, let limit):
            "\(quotedPath(place)): continuation \(quoted(text)) of task \(quoted(task)) has \(tokens) tokens, "
                + "expected 1 to \(limit)"
                + (tokens > limit ? "; raise --max-length" : "")
        case .answerLength(let place, let task, let limit, let length):
            "\(quotedPath(place)): answers of task \(quoted(task)) may have \(limit) tokens, expected less "
                + "than --max-length, \(length); give --gen-kwargs max_gen_toks=N"
        case .filter(let place, let problem): "\(quotedPath(place)): \(problem)"
        case .unknownToken(let place, let task, let id, let vocabulary):
            "\(quotedPath(place)): a request of task \(quoted(task)) has the token id \(id), "
                + "expected 0 to \(vocabulary - 1); tokenizer and model do not fit"
        case .aggregation(let task, let metric, let problem):
            "task \(quoted(task)): metric \(quoted(metric)): \(problem)"
        case .limit(let found):
            "limit is \(found), expected a number above 0; below 1 it is a fraction"
        case .sample(let task, let index, let documents):
            "task \(quoted(task)): found the document number \(index), expected 0 to \(documents - 1)"
        case .results(let file, let problem): "\(quotedPath(file)): \(problem)"
        }
    }
}
