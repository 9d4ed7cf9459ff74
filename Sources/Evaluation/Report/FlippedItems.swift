import Storage

/// The documents of a task that one run has right and the other wrong.
public struct FlippedItems: Equatable, Sendable {
    /// One document.
    public struct Item: Equatable, Sendable {
        /// The number of the document.
        public var id: Int
        /// What was asked: the context of its first request.
        public var context: String
        /// What was scored after it.
        public var choices: [Choice]
    }

    /// A continuation with its log-likelihood by both runs.
    public struct Choice: Equatable, Sendable {
        /// Its text.
        public var text: String
        /// The first run's log-likelihood.
        public var first: Double?
        /// The second run's.
        public var second: Double?
        /// Whether the task says that it is right; nil where it does not say which is.
        public var isRight: Bool?
    }

    /// The task.
    public let task: String
    /// The metric of hits and misses by which they are told apart.
    public let metric: String
    /// Whether the second run is the one that has them right.
    public let isGain: Bool
    /// How many there are.
    public let count: Int
    /// The first of them.
    public let items: [Item]
}

extension FlippedItems {
    /// Finds them in the samples of two folders, as ``PairedComparison/compare(_:_:)`` takes them.
    ///
    /// - Parameters:
    ///   - first: The first run's folder.
    ///   - second: The second run's.
    ///   - limit: How many items of a task and direction are read at most.
    /// - Returns: One value for each task and direction that has any, gains first.
    /// - Throws: ``EvaluationError``, `JSONError` or `FileError`.
    public static func find(_ first: String, _ second: String, limit: Int) throws -> [FlippedItems]
    {
        let left = try PairedComparison.sampleFiles(in: first)
        let right = try PairedComparison.sampleFiles(in: second)
        return try left.keys.sorted().flatMap { task -> [FlippedItems] in
            guard let leftFile = left[task], let rightFile = right[task] else { return [] }
            return try find(task, leftFile, rightFile, limit: limit)
        }
    }

    private static func find(
        _ task: String, _ first: String, _ second: String, limit: Int
    ) throws -> [FlippedItems] {
        let (left, right) = (
            try PairedComparison.Samples(first), try PairedComparison.Samples(second)
        )
        func pair(_ id: Int, _ metric: String) -> (Double, Double)? {
            guard let a = left.documents[id]?.values[metric],
                let b = right.documents[id]?.values[metric]
            else { return nil }
            return (a, b)
        }
        // Of several such metrics, the first tells items apart.
        let metric = left.metrics.first { metric in
            let pairs = left.order.compactMap { pair($0, metric) }
            return !pairs.isEmpty
                && pairs.allSatisfy { [0, 1].contains($0.0) && [0, 1].contains($0.1) }
        }
        guard let metric else { return [] }
        return try [true, false].compactMap { isGain -> FlippedItems? in
            let ids = left.order.filter { id in
                pair(id, metric).map { isGain ? $0 < $1 : $0 > $1 } ?? false
            }
            guard !ids.isEmpty else { return nil }
            let shown = Array(ids.prefix(limit))
            let (a, b) = (try objects(shown, of: first), try objects(shown, of: second))
            return FlippedItems(
                task: task, metric: metric, isGain: isGain, count: ids.count,
                items: shown.compactMap { id in a[id].map { item(id, $0, b[id]) } })
        }
    }

    /// The samples of some documents, which may be long: no others are kept.
    private static func objects(_ ids: [Int], of file: String) throws -> [Int: JSONObject] {
        let wanted = Set(ids)
        var found: [Int: JSONObject] = [:]
        let records = try JSONRecords(path: file, options: JSONOptions(allowsNonFinite: true))
        while found.count < wanted.count, let record = try records.next() {
            guard let id = record.object["doc_id"]?.integerValue, wanted.contains(id) else {
                continue
            }
            found[id] = record.object
        }
        return found
    }

    private static func item(_ id: Int, _ first: JSONObject, _ second: JSONObject?) -> Item {
        let requests = first["arguments"]?.objectValue?.members.map(\.value) ?? []
        let right = first["target"]?.stringValue.flatMap { Int($0) }
        func score(_ object: JSONObject?, _ place: Int) -> Double? {
            let answers = object?["filtered_resps"]?.arrayValue ?? []
            guard answers.indices.contains(place) else { return nil }
            let text = answers[place].arrayValue?.first?.stringValue ?? answers[place].stringValue
            return text.flatMap(Double.init)
        }
        let choices = requests.enumerated().map { place, request in
            Choice(
                text: request["arg_1"]?.stringValue ?? "", first: score(first, place),
                second: score(second, place),
                isRight: requests.count > 1 ? right.map { $0 == place } : nil)
        }
        return Item(id: id, context: requests.first?["arg_0"]?.stringValue ?? "", choices: choices)
    }
}
