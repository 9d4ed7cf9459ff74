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
