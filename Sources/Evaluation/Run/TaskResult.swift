import Storage

/// What came out of a task.
public struct TaskResult: Sendable {
    /// The score of one request.
    public struct Response: Equatable, Sendable {
        /// The natural logarithm of the probability.
        public var logLikelihood: Double
        /// Whether every token was the most likely one.
        public var isGreedy: Bool
        /// What the model wrote, once for each repetition; empty for scores.
        public var texts: [String] = []

        /// As the harness's filters see it.
        func python(of request: PreparedTask.Request) -> JSONValue {
            switch request {
            case .answer: .array(texts.map { .string($0) })
            case .rolling: [.number(logLikelihood)]
            case .continuation: [.pythonTuple([.number(logLikelihood), .bool(isGreedy)])]
            }
        }
    }

    /// One document with its scores.
    public struct Sample: Sendable {
        /// The document and what was asked.
        public let item: PreparedTask.Item
        /// One response per request.
        public let responses: [Response]
        /// What made the metrics' view of the responses.
        public let filter: String
        /// That view, one value a request; nil where it is the responses themselves.
        let filtered: [JSONValue]?
        /// How often each request was made.
        let repeats: Int
        /// The values of the metrics.
        public let metrics: [(name: MetricName, value: MetricValue)]
    }

    /// One metric over all documents.
    public struct Figure: Sendable {
        /// The metric.
        public let metric: MetricConfiguration
        /// The filter of the responses.
        public let filter: String
        /// Its value.
        public let value: Double
        /// Whether the value is an integer to the harness.
        public let isInteger: Bool
        /// Its standard error, nil if there is none.
        public let error: Double?
        /// How many documents have a value.
        public let documents: Int
    }

    /// The task and its requests.
    public let prepared: PreparedTask
    /// The documents with their scores.
    public let samples: [Sample]
    /// The metrics.
    public let figures: [Figure]

    /// The task.
    public var task: TaskConfiguration { prepared.task }
    /// How many documents count.
    public var sampleCount: Int { figures.map(\.documents).max() ?? 0 }
    /// The samples of the first filter: one a document.
    var firstSamples: ArraySlice<Sample> { samples.prefix(prepared.items.count) }
}

extension TaskResult {
    /// Sums up the documents' scores.
    ///
    /// - Throws: ``EvaluationError/aggregation(task:metric:problem:)``.
    init(
        _ prepared: PreparedTask, responses: [[Response]], options: EvaluationOptions
    ) throws {
        self.prepared = prepared
        var samples: [Sample] = []
        for pipeline in prepared.task.filters {
            let filtered = try TaskResult.filtered(prepared, responses, pipeline)
            for (number, item) in prepared.items.enumerated() {
                samples.append(
                    Sample(
                        item: item, responses: responses[number], filter: pipeline.name,
                        filtered: filtered?[number], repeats: prepared.task.repeats,
                        metrics: options.predictsOnly
                            ? []
                            : try TaskResult.metrics(
                                of: item, responses[number], filtered?[number], prepared
                            ).values))
            }
        }
        self.samples = samples
        var values: [FigureName: [MetricValue]] = [:]
        var order: [FigureName] = []
        for sample in samples {
            for metric in sample.metrics {
                let name = FigureName(metric: metric.name, filter: sample.filter)
                if values[name] == nil { order.append(name) }
                values[name, default: []].append(metric.value)
            }
        }
        figures = try order.map { name in
            try Figure.sum(name, values[name] ?? [], of: prepared.task, options: options)
        }
    }

    fileprivate struct FigureName: Hashable {
        var metric: MetricName
        var filter: String
    }

    /// What metrics see of the responses, document by document; nil where it is the responses.
    private static func filtered(
        _ prepared: PreparedTask, _ responses: [[Response]], _ pipeline: FilterPipeline
    ) throws -> [[JSONValue]]? {
        let task = prepared.task
        if task.generation == nil, pipeline.onlyTakesFirst { return nil }
        var (answers, documents): ([JSONValue], [Document]) = ([], [])
        for (item, responses) in zip(prepared.items, responses) {
            for (request, response) in zip(item.requests, responses) {
                let answer = response.python(of: request)
                let items = answer.arrayValue ?? []
                answers.append(
                    task.generation != nil
                        ? answer
                        : .array(Array(repeating: items, count: task.repeats).flatMap { $0 }))
                documents.append(item.document)
            }
        }
        var rest = try pipeline(answers, documents)[...]
        return prepared.items.map { item in
            defer { rest = rest.dropFirst(item.requests.count) }
            return Array(rest.prefix(item.requests.count))
        }
    }

    private static func metrics(
        of item: PreparedTask.Item, _ responses: [Response], _ filtered: [JSONValue]?,
        _ prepared: PreparedTask
    ) throws -> DocumentMetrics {
        var responses = responses
        if let filtered, prepared.task.generation == nil {
            // Filters of scores give scores.
            responses = zip(responses, filtered).map { response, value in
                let items = value["!tuple"]?.arrayValue ?? value.arrayValue ?? [value]
                return Response(
                    logLikelihood: items.first?.numberValue ?? response.logLikelihood,
                    isGreedy: items.last?.boolValue ?? response.isGreedy)
            }
        }
        let likelihood = responses.first?.logLikelihood ?? 0
        switch prepared.task.processResults {
        case .native(let function)?:
            guard case .results(let body) = function.body else {
                throw EvaluationError.functionUse(
                    place: item.document.place, function: function.name)
            }
            let values = try body(item.document, likelihood)
            return DocumentMetrics(values.filter { prepared.wanted.contains($0.0) })
        case .python(let function)?:
            let results =
                filtered
                ?? zip(responses, item.requests).map {
                    $0.python(of: $1).arrayValue?.first ?? .null
                }
            let value = try function.ask(
                "call", [.object(item.document.object), .array(results)])
            guard
                let object = value["!dict"]?.arrayValue == nil
                    ? value.objectValue
                    : value.withoutPythonMarks.objectValue
            else {
                throw EvaluationError.value(
                    place: item.document.place, task: prepared.task.name,
                    field: "process_results", found: value.kind,
                    expected: "a dictionary of metrics")
            }
            return DocumentMetrics(
                object.members.map {
                    (MetricName(rawValue: $0.key), MetricValue(python: $0.value))
                })
        case nil: break
        }
        switch prepared.task.outputType {
        case .rolling:
            return DocumentMetrics(
                logLikelihood: likelihood, of: item.target.stringValue ?? "",
                wanted: prepared.wanted)
        case .multipleChoice:
            return DocumentMetrics(
                choices: item.choices, gold: item.gold, scores: responses,
                wanted: prepared.wanted)
        case .logLikelihood:
            return DocumentMetrics(
                responses.first ?? Response(logLikelihood: 0, isGreedy: false),
                wanted: prepared.wanted)
        case .generateUntil:
            return try DocumentMetrics(
                answer: filtered?.first ?? .null, of: item.document, prepared.fields,
                hasMultipleTargets: prepared.hasMultipleTargets)
        }
    }
}

extension TaskResult.Figure {
    /// Sums up a metric's values.
    fileprivate static func sum(
        _ name: TaskResult.FigureName, _ values: [MetricValue], of task: TaskConfiguration,
        options: EvaluationOptions
    ) throws -> TaskResult.Figure {
        // A metric that the task does not list is averaged, as in the harness.
        let metric =
            task.metrics.first { $0.name == name.metric }
            ?? MetricConfiguration(
                name: name.metric, aggregation: .mean,
                higherIsBetter: name.metric.defaultHigherIsBetter)
        func failure(_ problem: String) -> EvaluationError {
            .aggregation(task: task.name, metric: name.metric.rawValue, problem: problem)
        }
        if let function = metric.aggregatingFunction {
            let sum = try function.ask("call", [.array(values.map(\.python))])
            guard let number = sum.numberValue else {
                throw failure("\(quoted(function.name)) returned \(sum.kind), expected a number")
            }
            return TaskResult.Figure(
                metric: metric, filter: name.filter, value: number,
                isInteger: sum.integerValue != nil, error: nil, documents: values.count)
        }
        // The harness draws less often where it takes long.
        let isCorpus = [.bleu, .chrF, .chrFPlus].contains(name.metric)
        let iterations = options.bootstrapIterations
        do {
            return TaskResult.Figure(
                metric: metric, filter: name.filter, value: try metric.aggregation(values),
                isInteger: metric.aggregation == .bypass,
                error: try StandardError.of(
                    metric.aggregation, values,
                    iterations: isCorpus ? min(iterations, 100) : iterations,
                    threads: max(1, options.threads)), documents: values.count)
        } catch {
            throw failure("\(error)")
        }
    }
}

/// What came out of a run.
public struct EvaluationResults: Sendable {
    /// A group's figures.
    public struct GroupResult: Sendable {
        /// One figure.
        public struct Figure: Sendable {
            /// The metric, by the harness's name.
            public let metric: String
            /// The filter.
            public let filter: String
            /// The mean over the tasks.
            public let value: Double
            /// Its standard error, nil if there is none.
            public let error: Double?
            /// The number of documents.
            public let documents: Int
        }

        /// The group.
        public let group: TaskGroup
        /// The figures.
        public let figures: [Figure]
        /// The number of documents of all tasks.
        public let documents: Int
        /// Whether more is better, by metric; nil where the members disagree.
        public let higherIsBetter: [(metric: String, value: Bool?)]
        /// The number of examples in prompts, nil if members differ or have none of their own.
        public let shots: Int?
    }

    /// The tasks in the order in which they ran.
    public let tasks: [TaskResult]
    /// The groups, children before parents.
    public let groups: [GroupResult]
    /// The names of the groups, parents before children.
    let groupNames: [String]

    /// Where examples of prompts do not come from where the tasks say, one notice per task.
    public var notices: [ExampleNotice] { tasks.compactMap(\.prepared.notice) }

    init(tasks: [TaskResult], groups: [TaskGroup]) {
        self.tasks = tasks
        groupNames = groups.map(\.name)
        let byName = Dictionary(tasks.map { ($0.task.name, $0) }) { first, _ in first }
        var shots = byName.mapValues { Optional($0.prepared.shots) }
        var directions = byName.mapValues { result in
            result.task.metrics.map {
                (metric: $0.name.rawValue, value: $0.higherIsBetter)
            }
        }
        // In the harness's order, parents first: what a group hands on, its parent does not see.
        for group in groups {
            let values = Set(group.members.compactMap { shots[$0] ?? nil })
            if values.count == 1 { shots[group.name] = values.first }
            directions[group.name] = EvaluationResults.common(
                group.members.compactMap { directions[$0] })
        }
        self.groups = EvaluationResults.childrenFirst(groups).map { group in
            GroupResult(
                group, tasks: group.tasks.compactMap { byName[$0] },
                higherIsBetter: directions[group.name] ?? [], shots: shots[group.name] ?? nil)
        }
    }

    private static func common(
        _ members: [[(metric: String, value: Bool?)]]
    ) -> [(metric: String, value: Bool?)] {
        var result: [(metric: String, value: Bool?)] = []
        for direction in members.joined() {
            if let place = result.firstIndex(where: { $0.metric == direction.metric }) {
                if result[place].value != direction.value { result[place].value = nil }
            } else {
                result.append(direction)
            }
        }
        return result
    }

    private static func childrenFirst(_ groups: [TaskGroup]) -> [TaskGroup] {
        var (result, visited): ([TaskGroup], Set<String>) = ([], [])
        func visit(_ group: TaskGroup) {
            guard visited.insert(group.name).inserted else { return }
            for name in group.members {
                if let child = groups.first(where: { $0.name == name }) { visit(child) }
            }
            result.append(group)
        }
        let children = Set(groups.flatMap(\.members))
        for group in groups where !children.contains(group.name) { visit(group) }
        return result
    }
}

extension EvaluationResults.GroupResult {
    /// Sums up tasks.
    ///
    /// Source: lm-evaluation-harness 0.4.13, `Group.aggregate`.
    fileprivate init(
        _ group: TaskGroup, tasks: [TaskResult], higherIsBetter: [(metric: String, value: Bool?)],
        shots: Int?
    ) {
        self.group = group
        self.higherIsBetter = higherIsBetter
        self.shots = shots
        documents = tasks.reduce(0) { $0 + $1.sampleCount }
        let named = group.metrics.flatMap { metric in
            let all = tasks.flatMap(\.figures).filter { $0.metric.name.rawValue == metric.name }
            var found: [String] = []
            for figure in all where !found.contains(figure.filter) { found.append(figure.filter) }
            return (metric.filters ?? found).map { (metric: metric, filter: $0) }
        }
        figures = named.compactMap { metric, filter in
            let parts = tasks.compactMap { task in
                task.figures.first {
                    $0.metric.name.rawValue == metric.name && $0.filter == filter
                }.map { (figure: $0, size: task.sampleCount) }
            }
            guard !parts.isEmpty else { return nil }
            let weights = parts.map { metric.isWeighted ? Double($0.size) : 1 }
            let sum = zip(parts, weights).reduce(0) { $0 + $1.0.figure.value * $1.1 }
            let errors = parts.compactMap(\.figure.error)
            var error: Double?
            if errors.count == parts.count {
                error =
                    metric.isWeighted
                    ? StandardError.pooled(errors, sizes: parts.map(\.size))
                    : StandardError.ofPlainMean(errors)
            }
            return Figure(
                metric: metric.name, filter: filter, value: sum / weights.reduce(0, +),
                error: error, documents: parts.reduce(0) { $0 + $1.size })
        }
    }
}
