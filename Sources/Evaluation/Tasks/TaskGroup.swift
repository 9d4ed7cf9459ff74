import Storage

/// A group of tasks, perhaps with figures of its own.
public struct TaskGroup: Sendable {
    /// A figure of a group: a mean over its tasks.
    public struct Metric: Sendable {
        /// The metric of the tasks, by the harness's name.
        public var name: String
        /// The filters of the tasks, nil for all there are.
        public var filters: [String]?
        /// Whether large tasks weigh more.
        public var isWeighted: Bool
    }

    /// The name.
    public let name: String
    /// The name in tables.
    public let alias: String
    /// Its figures; none if the group is only a list.
    public let metrics: [Metric]
    /// The version as text, "N/A" if there is none.
    public let version: String
    /// The names of direct members, in order.
    public internal(set) var members: [String]
    /// The names of all tasks below, in order.
    public internal(set) var tasks: [String]

    init(_ keys: TaskKeys, name: String) throws(TaskError) {
        self.name = name
        alias = try keys.string(ifPresent: "group_alias") ?? name
        let version = try keys.object(ifPresent: "metadata")?["version"]
        self.version = ((try? version?.pythonText()) ?? nil) ?? "N/A"
        var metrics: [Metric] = []
        for item in try keys.objects(ifPresent: "aggregate_metric_list") ?? [] {
            let aggregation = try item.string(ifPresent: "aggregation") ?? "mean"
            guard aggregation == "mean" else {
                throw .choice(
                    file: keys.file, key: "aggregate_metric_list.aggregation", found: aggregation,
                    expected: ["mean"])
            }
            metrics.append(
                Metric(
                    name: try item.string("metric"),
                    filters: item["filter_list"] == nil ? nil : try item.strings("filter_list"),
                    isWeighted: try item.bool(ifPresent: "weight_by_size") ?? true))
        }
        self.metrics = metrics
        (members, tasks) = ([], [])
    }
}
