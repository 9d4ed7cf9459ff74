import Evaluation

/// The list of tasks, for a person.
enum TaskListText {
    static func render(_ index: TaskIndex) -> String {
        let sections: [(String, TaskIndex.Kind)] = [
            ("Groups", .group), ("Tags", .tag), ("Tasks", .task),
        ]
        return sections.map { title, kind in
            let entries = index.sorted(kind)
            let width = entries.map(\.name.count).max() ?? 0
            let lines = entries.map { entry in
                let detail =
                    kind == .task ? entry.outputType : entry.members.joined(separator: ", ")
                return "  " + entry.name
                    + String(repeating: " ", count: width + 2 - entry.name.count) + detail
            }
            return ([title] + lines).joined(separator: "\n")
        }.joined(separator: "\n\n")
    }
}
