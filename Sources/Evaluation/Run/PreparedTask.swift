import Python
import Storage

/// A task with all its requests, as text: what can be made of it without a model.
public struct PreparedTask: Sendable {
    /// What is asked of a model.
    public enum Request: Equatable, Sendable {
        /// How likely a continuation is after a context.
        case continuation(context: String, continuation: String)
        /// How likely a whole text is.
        case rolling(String)
        /// What a model writes after a context, with the task's arguments.
        case answer(context: String, arguments: JSONObject)

        /// The arguments in the harness's order.
        var arguments: [JSONValue] {
            switch self {
            case .continuation(let context, let continuation):
                [.string(context), .string(continuation)]
            case .rolling(let text): [.string(text)]
            case .answer(let context, let arguments): [.string(context), .object(arguments)]
            }
        }
    }

    /// One document and what is asked about it.
    public struct Item: Sendable {
        /// The number of the document in its split.
        public let id: Int
        /// The requests, in order.
        public let requests: [Request]
        /// What the task says is right.
        public let target: JSONValue
        let document: Document
        let choices: [String]
        let gold: DocumentMetrics.Gold
    }

    /// The task.
    public let task: TaskConfiguration
    /// The number of examples in a prompt.
    public let shots: Int
    /// The documents that are evaluated.
    public let items: [Item]
    /// How many documents the split has.
    public let documents: Int
    /// What the user should know, one sentence each.
    public let warnings: [String]
    /// What the user should know of where examples come from; also one of ``warnings``.
    public let notice: ExampleNotice?
    let wanted: Set<MetricName>
    let fields: TaskFields
    let hasMultipleTargets: Bool

    /// Reads a task's documents and makes their requests.
    ///
    /// - Parameters:
    ///   - task: The task.
    ///   - folders: Where data are.
    ///   - options: Which documents, how many examples.
    /// - Throws: ``EvaluationError``, ``TaskError``, `JSONError` or `FileError`.
    public init(
        _ task: TaskConfiguration, in folders: DataFolders, options: EvaluationOptions
    ) throws {
        self.task = task
        shots = task.shots == 0 ? 0 : options.shots ?? task.shots ?? 0
        let data = try TaskData(task, in: folders, shots: shots)
        if options.isStrict, let notice = data.notice { throw EvaluationError.examples(notice) }
        notice = data.notice
        documents = data.documents.count
        wanted = Set(task.metrics.map(\.name))
        fields = data.fields
        hasMultipleTargets = data.hasMultipleTargets
        var builder = ItemBuilder(
            data: data, shots: shots, wanted: wanted, options: options)
        var items: [Item] = []
        for index in try PreparedTask.indices(task, options, documents: documents) {
            items.append(try builder.item(index))
        }
        self.items = items
        warnings = (data.notice.map { ["\($0)"] } ?? []) + builder.warnings
    }

    /// The numbers of the documents that are evaluated.
    private static func indices(
        _ task: TaskConfiguration, _ options: EvaluationOptions, documents: Int
    ) throws(EvaluationError) -> [Int] {
        if let chosen = options.samples?[task.name], !chosen.isEmpty {
            for index in chosen where !(0..<documents).contains(index) {
                throw .sample(task: task.name, index: index, documents: documents)
            }
            return Set(chosen).sorted()
        }
        guard let limit = options.limit else { return Array(0..<documents) }
        guard limit > 0 else { throw .limit(limit) }
        let count = limit < 1 ? (Double(documents) * limit).rounded(.up) : limit.rounded(.down)
        return Array(0..<min(documents, Int(min(count, Double(documents)))))
    }
}

/// Makes the requests of one document after the other.
private struct ItemBuilder {
    private let fields: TaskFields
    private let documents: [Document]
    private let prompts: PromptBuilder
    private var sampler: ExampleSampler
    private let shots: Int
    private let wanted: Set<MetricName>
    private(set) var warnings: [String] = []

    private var task: TaskConfiguration { fields.task }

    init(data: TaskData, shots: Int, wanted: Set<MetricName>, options: EvaluationOptions) {
        fields = data.fields
        documents = data.documents
        self.shots = shots
        self.wanted = wanted
        prompts = PromptBuilder(
            fields: data.fields, hasMultipleInputs: data.hasMultipleInputs,
            systemInstruction: options.systemInstruction)
        sampler = ExampleSampler(
            pool: data.pool, exclusion: data.exclusion, task: data.fields.task,
            seed: options.fewShotSeed)
    }

    mutating func item(_ index: Int) throws -> PreparedTask.Item {
        let document = documents[index]
        let target = try fields.target(document)
        if task.outputType == .rolling {
            let text = try self.text(target, document)
            return PreparedTask.Item(
                id: index, requests: [.rolling(text)], target: target, document: document,
                choices: [], gold: .one(0))
        }
        let examples = try sampler.pick(shots, for: document)
        let contexts = try prompts.contexts(document, examples: examples)
        if let generation = task.generation {
            return PreparedTask.Item(
                id: index,
                requests: [.answer(context: contexts[0], arguments: generation.object)],
                target: target, document: document, choices: [], gold: .one(0))
        }
        guard task.outputType == .multipleChoice else {
            return PreparedTask.Item(
                id: index,
                requests: [
                    .continuation(context: contexts[0], continuation: try text(target, document))
                ], target: target, document: document, choices: [], gold: .one(0))
        }
        let choices = try fields.choices(document)
        let delimiter = task.targetDelimiter
        var requests: [PreparedTask.Request]
        if prompts.hasMultipleInputs {
            let continuation = delimiter + (try target.pythonText())
            requests = contexts.map { .continuation(context: $0, continuation: continuation) }
        } else {
            requests = choices.map {
                .continuation(context: contexts[0], continuation: delimiter + $0)
            }
        }
        if wanted.contains(.accMutualInfo) {
            requests += choices.map { .continuation(context: "", continuation: delimiter + $0) }
        }
        return PreparedTask.Item(
            id: index, requests: requests, target: target, document: document, choices: choices,
            gold: try gold(document, target, choices))
    }

    private func text(_ target: JSONValue, _ document: Document) throws -> String {
        guard let text = target.stringValue else {
            throw failure(document, target.kind, expected: "text")
        }
        return text
    }

    private func failure(
        _ document: Document, _ found: String, expected: String
    ) -> EvaluationError {
        .value(
            place: document.place, task: task.name, field: "doc_to_target", found: found,
            expected: expected)
    }

    /// The right choice; one that does not exist is never chosen, as in the harness, but noted.
    private mutating func gold(
        _ document: Document, _ target: JSONValue, _ choices: [String]
    ) throws -> DocumentMetrics.Gold {
        if prompts.hasMultipleInputs {
            guard case .index(let index) = try fields.question(document) else {
                throw EvaluationError.value(
                    place: document.place, task: task.name, field: "doc_to_text", found: "text",
                    expected: "an integer, as for the first document")
            }
            return .one(checked(index, document, choices))
        }
        if let index = target.asInteger { return .one(checked(index, document, choices)) }
        if let text = target.stringValue {
            let index = choices.firstIndex { $0.hasSameScalars(as: text) }
            return .one(checked(index ?? choices.count, document, choices))
        }
        let items = target.arrayValue ?? [target]
        let indices = items.compactMap(\.asInteger)
        guard indices.count == items.count, target.arrayValue != nil else {
            throw failure(
                document, target.kind, expected: "an index, a choice or a list of indices")
        }
        return .anyOf(indices.map { checked($0, document, choices) })
    }

    private mutating func checked(_ index: Int, _ document: Document, _ choices: [String]) -> Int {
        if index < choices.count, index != DocumentMetrics.Gold.none { return index }
        warnings.append(
            "\(quotedPath(document.place)): right answer of task \(quoted(task.name)) is none of the "
                + "\(choices.count) choices; the document counts as wrong")
        return DocumentMetrics.Gold.none
    }
}

/// The requests of a task as token ids.
struct TaskRequests {
    /// The requests; those of whole texts are cut into windows.
    private(set) var requests: [ScoringRequest] = []
    /// To which item, request and window each belongs.
    private(set) var places: [(item: Int, request: Int, window: Int)] = []
    /// How many requests have contexts that are longer than what is read.
    private(set) var truncated = 0

    /// Encodes a task's requests.
    ///
    /// - Throws: ``EvaluationError`` where a continuation has no tokens or too many, or a token is not
    ///   one of the model's.
    init(
        _ task: PreparedTask, encoder: inout RequestEncoder, maximumLength: Int, vocabulary: Int
    ) throws(EvaluationError) {
        for (index, item) in task.items.enumerated() {
            for (number, request) in item.requests.enumerated() {
                switch request {
                case .continuation(let context, let continuation):
                    let encoded = encoder.encode(context: context, continuation: continuation)
                    let count = encoded.continuation.count
                    guard (1...maximumLength).contains(count) else {
                        throw .continuation(
                            place: item.document.place, task: task.task.name,
                            text: continuation.slice(0, 80), tokens: count, limit: maximumLength)
                    }
                    if encoded.context.count + count - 1 > maximumLength { truncated += 1 }
                    requests.append(encoded)
                    places.append((index, number, 0))
                case .rolling(let text):
                    let windows = RollingWindows.of(
                        encoder.encode(text), prefix: encoder.prefixToken,
                        length: maximumLength)
                    requests += windows
                    places += windows.indices.map { (index, number, $0) }
                case .answer: continue
                }
            }
        }
        for (request, place) in zip(requests, places) {
            let ids = [request.context, request.continuation]
            if let id = ids.joined().first(where: { $0 < 0 || Int($0) >= vocabulary }) {
                throw .unknownToken(
                    place: task.items[place.item].document.place, task: task.task.name,
                    id: Int(id), vocabulary: vocabulary)
            }
        }
    }
}
