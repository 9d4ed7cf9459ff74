/// What one run of tasks scored, document by document.
public struct RunScores {
    /// A task and one of its metrics.
    public struct Subject: Hashable, Sendable {
        /// The task.
        public let task: String
        /// The metric.
        public let metric: String
    }

    /// What was scored, tasks in alphabetical order.
    public private(set) var subjects: [Subject] = []
    private var values: [Subject: [String: Double]] = [:]

    /// Reads the samples of a run.
    ///
    /// - Parameter folder: A folder with `samples_TASK_DATE.jsonl`, or the one above it.
    /// - Throws: ``EvaluationError/results(file:problem:)``, `JSONError` or `FileError`.
    public init(folder: String) throws {
        let files = try PairedComparison.sampleFiles(in: folder)
        for (task, file) in files.sorted(by: { $0.key < $1.key }) {
            let samples = try PairedComparison.Samples(file)
            for metric in samples.metrics {
                let found = samples.documents.compactMap { id, document in
                    // The same number may be another document elsewhere.
                    document.values[metric].map { ("\(id) \(document.hash)", $0) }
                }
                // Of a perplexity each document has its logarithm's part alone.
                let name = metric == "perplexity" ? "log-likelihood" : metric
                add(Subject(task: task, metric: name), .init(found) { first, _ in first })
            }
        }
    }

    /// Adds values of items that are not documents of a task.
    ///
    /// - Parameters:
    ///   - task: What stands for a task.
    ///   - metric: What the values are.
    ///   - items: The values, in the order of all other runs.
    public mutating func add(task: String, metric: String, _ items: [Double]) {
        add(
            Subject(task: task, metric: metric),
            .init(items.enumerated().map { ("\($0)", $1) }) { first, _ in first })
    }

    private mutating func add(_ subject: Subject, _ items: [String: Double]) {
        guard !items.isEmpty else { return }
        subjects.append(subject)
        values[subject] = items
    }

    func items(_ subject: Subject) -> [String: Double]? { values[subject] }
}

/// Holds a group of runs, such as the seeds of one setting, against another, document by document.
///
/// Two errors tell apart what could have come out otherwise: other documents, and other seeds.
public struct GroupComparison: Equatable, Sendable {
    /// The number of runs in the group.
    public let runs: Int
    /// The number of documents that all runs have.
    public let items: Int
    /// The group's mean over runs and documents.
    public let mean: Double
    /// The mean less that of the reference.
    public let difference: Double
    /// The standard error of the difference over documents: of each document's difference of means over the
    /// runs; nil for fewer than two documents.
    public let itemError: Double?
    /// The standard error of the difference over runs: in pairs where both groups have as many, else of
    /// the two means; nil where no group has two runs.
    public let seedError: Double?

    /// Compares one task and metric; fails if a group is empty or has no such values.
    ///
    /// - Parameters:
    ///   - subject: What is compared.
    ///   - reference: The runs to compare with.
    ///   - group: The runs.
    /// - Throws: ``EvaluationError/results(file:problem:)`` if the runs have no document in common.
    public init?(
        _ subject: RunScores.Subject, _ reference: [RunScores], _ group: [RunScores]
    ) throws {
        let (left, right) = (
            reference.compactMap { $0.items(subject) }, group.compactMap { $0.items(subject) }
        )
        guard let first = right.first, !left.isEmpty, left.count == reference.count,
            right.count == group.count
        else { return nil }
        let keys = first.keys.filter { key in (left + right).allSatisfy { $0[key] != nil } }
            .sorted()
        guard !keys.isEmpty else {
            throw EvaluationError.results(
                file: subject.task, problem: "has no document that all runs have")
        }
        func rows(_ runs: [[String: Double]]) -> [[Double]] {
            runs.map { run in keys.compactMap { run[$0] } }
        }
        self.init(reference: rows(left), rows(right))
    }

    /// Compares values of the same documents, in the same order.
    ///
    /// - Parameters:
    ///   - reference: The values of each run to compare with, at least one.
    ///   - group: The values of each run.
    public init(reference: [[Double]], _ group: [[Double]]) {
        func means(_ runs: [[Double]]) -> [Double] { runs.map(Aggregation.mean) }
        func itemMeans(_ runs: [[Double]]) -> [Double] {
            runs[0].indices.map { item in Aggregation.mean(runs.map { $0[item] }) }
        }
        let (left, right) = (means(reference), means(group))
        runs = group.count
        items = group[0].count
        mean = Aggregation.mean(right)
        let differences = zip(itemMeans(reference), itemMeans(group)).map { $1 - $0 }
        difference = Aggregation.mean(differences)
        itemError = items > 1 ? StandardError.ofMean(differences) : nil
        if left.count == right.count {
            seedError = runs > 1 ? StandardError.ofMean(zip(left, right).map { $1 - $0 }) : nil
        } else {
            let squares = [left, right].filter { $0.count > 1 }.map { runs in
                StandardError.ofMean(runs) * StandardError.ofMean(runs)
            }
            seedError = squares.isEmpty ? nil : squares.reduce(0, +).squareRoot()
        }
    }
}
