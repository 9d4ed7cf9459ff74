import Storage

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
        (self.group, self.higherIsBetter, self.shots) = (group, higherIsBetter, shots)
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
