import Storage

/// Why the examples of prompts are not what one may think they are.
public enum ExampleNotice: Equatable, Sendable {
    /// The split that examples come from has no file; they come from another split, or where that is
    /// nil, from the documents that are scored.
    case missingSplit(task: String, split: String, lookedFor: [String], instead: String?)
    /// The task names no split for examples, so they come from the documents that are scored.
    case scoredDocuments(task: String)
}

extension ExampleNotice: CustomStringConvertible {
    /// One line that names the task.
    public var description: String {
        switch self {
        case .missingSplit(let task, let split, let paths, let instead):
            "task \(quoted(task)): found no file for split \(quoted(split)), from which examples come, "
                + "looked for \(paths.joined(separator: ", ")); they are drawn from "
                + (instead.map { "split \(quoted($0))" } ?? "the documents that are scored")
                + " instead, and figures are not those of the task"
        case .scoredDocuments(let task):
            "task \(quoted(task)): names no split for examples, expected 'fewshot_split' or "
                + "'training_split'; they are drawn from the documents that are scored, as in the "
                + "harness"
        }
    }
}
