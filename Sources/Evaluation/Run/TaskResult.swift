import Storage

/// What came out of a task.
public struct TaskResult: Sendable {
    /// The score of one request.
    public struct Response: Equatable, Sendable {
        /// The natural logarithm of the probability.
        public var logLikelihood: Double
        /// Whether every token was the most likely one.
        public var isGreedy: Bool
    }

    /// One document with its scores.
    public struct Sample: Sendable {
        /// The document and what was asked.
        public let item: PreparedTask.Item
        /// One response per request.
        public let responses: [Response]
        /// The values of the metrics.
        public let metrics: [(name: MetricName, value: MetricValue)]
    }

    /// One metric over all documents.
    public struct Figure: Sendable {
        /// The metric.
        public let metric: MetricConfiguration
        /// Its value.
        public let value: Double
        /// Whether the value is an integer to the harness.
        public let isInteger: Bool
        /// Its standard error, nil if there is none.
        public let error: Double?
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
    public var sampleCount: Int { figures.isEmpty ? 0 : samples.count }
}

extension TaskResult {
    /// Sums up the documents' scores.
    ///
    /// - Throws: ``EvaluationError/aggregation(task:metric:problem:)``.
    init(
        _ prepared: PreparedTask, responses: [[Response]], options: EvaluationOptions
    ) throws {
        self.prepared = prepared
        samples = try zip(prepared.items, responses).map { item, responses in
            Sample(
                item: item, responses: responses,
                metrics: options.predictsOnly
                    ? []
                    : try TaskResult.metrics(of: item, responses, prepared).values)
        }
        var values: [MetricName: [MetricValue]] = [:]
        var order: [MetricName] = []
        for metric in samples.flatMap(\.metrics) {
            if values[metric.name] == nil { order.append(metric.name) }
            values[metric.name, default: []].append(metric.value)
        }
        figures = try order.compactMap { name in
            guard let metric = prepared.task.metrics.first(where: { $0.name == name }) else {
                return nil
            }
            do {
                return Figure(
                    metric: metric, value: try metric.aggregation(values[name] ?? []),
                    isInteger: metric.aggregation == .bypass,
                    error: try StandardError.of(
                        metric.aggregation, values[name] ?? [],
                        iterations: options.bootstrapIterations, threads: max(1, options.threads)))
            } catch let failure as Aggregation.Failure {
                throw EvaluationError.aggregation(
                    task: prepared.task.name, metric: name.rawValue, problem: "\(failure)")
            }
        }
    }

    private static func metrics(
        of item: PreparedTask.Item, _ responses: [Response], _ prepared: PreparedTask
    ) throws -> DocumentMetrics {
        let likelihood = responses.first?.logLikelihood ?? 0
        if case .results(let function)? = prepared.task.processResults?.body {
            let values = try function(item.document, likelihood)
            return DocumentMetrics(values.filter { prepared.wanted.contains($0.0) })
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
        case .logLikelihood, .generateUntil:
            return DocumentMetrics(
                responses.first ?? Response(logLikelihood: 0, isGreedy: false),
                wanted: prepared.wanted)
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
            /// The filter; "none" is the only one there is.
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
                (metric: $0.name.rawValue, value: Optional($0.higherIsBetter))
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
        figures = group.metrics.compactMap { metric in
            guard metric.filters?.contains("none") ?? true else { return nil }
            let parts = tasks.compactMap { task in
                task.figures.first { $0.metric.name.rawValue == metric.name }
                    .map { (figure: $0, size: task.sampleCount) }
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
                metric: metric.name, filter: "none", value: sum / weights.reduce(0, +),
                error: error, documents: parts.reduce(0) { $0 + $1.size })
        }
    }
}
