import FoundationEssentials
import Glibc
import Storage

/// Compares two runs document by document.
///
/// The same documents answered twice say far more than two accuracies: the standard error of the
/// difference takes only the documents on which the runs differ, and McNemar's test asks whether a fair
/// coin would split those as unevenly.
public struct PairedComparison: Equatable, Sendable {
    /// The task.
    public let task: String
    /// The metric.
    public let metric: String
    /// The number of documents that both runs have.
    public let documents: Int
    /// The first run's mean.
    public let first: Double
    /// The second run's mean.
    public let second: Double
    /// The standard error of the first mean; nil for fewer than two documents.
    public let firstError: Double?
    /// The standard error of the second mean.
    public let secondError: Double?
    /// The standard error of `second - first`; nil for fewer than two documents.
    public let error: Double?
    /// For metrics of hits and misses: how many documents only the first run has right.
    public let onlyFirst: Int?
    /// For metrics of hits and misses: how many documents only the second run has right.
    public let onlySecond: Int?
    /// The two-sided p-value of McNemar's exact test, for metrics of hits and misses.
    public let pValue: Double?

    /// The second run's mean less the first's.
    public var difference: Double { second - first }

    /// Compares values of the same documents, in the same order.
    ///
    /// - Parameters:
    ///   - task: The task.
    ///   - metric: The metric.
    ///   - first: The first run's values.
    ///   - second: The second run's, as many; at least one.
    public init(task: String, metric: String, _ first: [Double], _ second: [Double]) {
        precondition(
            first.count == second.count && !first.isEmpty,
            "\(first.count) and \(second.count) values")
        self.task = task
        self.metric = metric
        documents = first.count
        self.first = Aggregation.mean(first)
        self.second = Aggregation.mean(second)
        firstError = first.count > 1 ? StandardError.ofMean(first) : nil
        secondError = second.count > 1 ? StandardError.ofMean(second) : nil
        error =
            first.count > 1 ? StandardError.ofMean(zip(first, second).map { $1 - $0 }) : nil
        guard (first + second).allSatisfy({ $0 == 0 || $0 == 1 }) else {
            onlyFirst = nil
            onlySecond = nil
            pValue = nil
            return
        }
        let losses = zip(first, second).count { $0 > $1 }
        let gains = zip(first, second).count { $0 < $1 }
        onlyFirst = losses
        onlySecond = gains
        pValue = PairedComparison.mcNemar(losses, gains)
    }

    /// The two-sided p-value of McNemar's exact test: twice the probability that of `a + b` tosses of a
    /// fair coin at most `min(a, b)` show heads, and at most 1.
    ///
    /// - Parameters:
    ///   - a: How often only the first one is right.
    ///   - b: How often only the second one is right.
    /// - Returns: A probability in (0, 1].
    public static func mcNemar(_ a: Int, _ b: Int) -> Double {
        let (count, fewer) = (a + b, min(a, b))
        guard count > 0 else { return 1 }
        // Terms by their logarithms, so that many documents do not underflow.
        var logTerm = -Double(count) * log(2)
        var terms = [logTerm]
        for heads in stride(from: 1, through: fewer, by: 1) {
            logTerm += log(Double(count - heads + 1)) - log(Double(heads))
            terms.append(logTerm)
        }
        let largest = terms.max() ?? 0
        let sum = terms.reduce(0) { $0 + exp($1 - largest) }
        return min(1, 2 * exp(largest) * sum)
    }
}

extension PairedComparison {
    /// Compares all tasks of which two folders have samples.
    ///
    /// - Parameters:
    ///   - first: A folder with `samples_TASK_DATE.jsonl`, or the one above it, of which the newest of a
    ///     task counts.
    ///   - second: Another.
    /// - Returns: One comparison a task and metric of single numbers, sorted by task.
    /// - Throws: ``EvaluationError/results(file:problem:)``, `JSONError` or `FileError`.
    public static func compare(_ first: String, _ second: String) throws -> [PairedComparison] {
        let (left, right) = (try sampleFiles(in: first), try sampleFiles(in: second))
        var comparisons: [PairedComparison] = []
        for task in left.keys.sorted() {
            guard let leftFile = left[task], let rightFile = right[task] else { continue }
            comparisons += try compare(
                task, try Samples(leftFile), try Samples(rightFile))
        }
        guard !comparisons.isEmpty else {
            throw EvaluationError.results(
                file: second,
                problem: "has samples of no task that \(first) has samples of "
                    + "(\(left.keys.sorted().joined(separator: ", ")))")
        }
        return comparisons
    }

    private static func compare(
        _ task: String, _ first: Samples, _ second: Samples
    ) throws -> [PairedComparison] {
        let documents = first.order.filter { second.documents[$0] != nil }
        guard !documents.isEmpty else {
            throw EvaluationError.results(
                file: second.file, problem: "has no document of \(first.file)")
        }
        for id in documents where first.documents[id]?.hash != second.documents[id]?.hash {
            throw EvaluationError.results(
                file: second.file,
                problem: "document \(id) is another one than in \(first.file); "
                    + "compare runs on the same data")
        }
        return first.metrics.filter(second.metrics.contains).compactMap { metric in
            let values = documents.compactMap { id -> (Double, Double)? in
                guard let left = first.documents[id]?.values[metric],
                    let right = second.documents[id]?.values[metric]
                else { return nil }
                return (left, right)
            }
            guard !values.isEmpty else { return nil }
            return PairedComparison(
                task: task, metric: metric, values.map(\.0), values.map(\.1))
        }
    }

    /// The newest file of samples of each task, in a folder or in the only one below it that has any:
    /// results lie in a folder named after the model.
    static func sampleFiles(in folder: String) throws -> [String: String] {
        let names = try names(in: folder)
        let own = sampleFiles(among: names, in: folder)
        guard own.isEmpty else { return own }
        let below = try names.map { FilePath.join(folder, $0) }.filter(FilePath.isFolder)
            .map { (path: $0, names: try self.names(in: $0)) }
        let found = below.map { (path: $0.path, files: sampleFiles(among: $0.names, in: $0.path)) }
            .filter { !$0.files.isEmpty }
        guard found.count <= 1 else {
            throw EvaluationError.results(
                file: folder,
                problem: "has samples of several models, expected those of one; give one of "
                    + found.map(\.path).joined(separator: ", "))
        }
        if let only = found.first { return only.files }
        let hasResults = ([names] + below.map(\.names)).joined().contains {
            $0.hasPrefix("results_") && $0.hasSuffix(".json")
        }
        throw EvaluationError.results(
            file: folder,
            problem: hasResults
                ? "has results without samples, expected samples_*.jsonl; run with --log-samples"
                : "has no results, expected a folder that was given to --output-path")
    }

    private static func names(in folder: String) throws -> [String] {
        guard FilePath.exists(folder) else {
            throw FileError.system(file: folder, action: "list", code: ENOENT)
        }
        guard FilePath.isFolder(folder) else {
            throw FileError.system(file: folder, action: "list", code: ENOTDIR)
        }
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        } catch {
            throw FileError.system(file: folder, action: "list", code: errno == 0 ? EIO : errno)
        }
    }

    private static func sampleFiles(
        among names: [String], in folder: String
    ) -> [String: String] {
        var files: [String: String] = [:]
        for name in names where name.hasPrefix("samples_") && name.hasSuffix(".jsonl") {
            guard let dash = name.lastIndex(of: "_"), name[..<dash].utf8.count > 8 else { continue }
            // Sorted by date, so later ones replace earlier ones.
            files[String(name[..<dash].dropFirst(8))] = FilePath.join(folder, name)
        }
        return files
    }

    /// The samples of one task.
    struct Samples {
        struct Document {
            var hash: String
            var values: [String: Double]
        }

        let file: String
        var order: [Int] = []
        var documents: [Int: Document] = [:]
        var metrics: [String] = []

        init(_ file: String) throws {
            self.file = file
            let records = try JSONRecords(
                path: file, options: JSONOptions(allowsNonFinite: true))
            var seen: Set<String> = []
            while let record = try records.next() {
                let fields = record.fields
                let id = try fields.integer("doc_id")
                // Every filter of a task has samples of its own.
                let filter = record.object["filter"]?.stringValue ?? "none"
                guard seen.insert("\(id) \(filter)").inserted else {
                    throw EvaluationError.results(
                        file: record.place, problem: "document \(id) appears twice")
                }
                let isFirst = documents[id] == nil
                var document =
                    try documents[id] ?? Document(hash: fields.string("doc_hash"), values: [:])
                for name in try fields.strings("metrics") {
                    let metric = filter == "none" ? name : "\(name),\(filter)"
                    if !metrics.contains(metric) { metrics.append(metric) }
                    document.values[metric] = record.object[name]?.numberValue
                }
                if isFirst { order.append(id) }
                documents[id] = document
            }
        }
    }
}
