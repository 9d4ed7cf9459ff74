/// The list of all tasks, groups and tags.
extension TaskIndex {
    /// Three tables in Markdown, each with a blank line behind it: groups, tags, tasks.
    public var listing: String {
        func table(_ headers: [String], _ rows: [[String]]) -> String {
            MarkdownTable(
                headers: headers, rows: rows.map { $0.map { .text($0) } }, keepsTexts: true
            ).text + "\n"
        }
        return table(["Group", "Config Location"], sorted(.group).map { [$0.name, $0.path] })
            + table(["Tag"], sorted(.tag).map { [$0.name] })
            + table(
                ["Task", "Config Location", "Output Type"],
                sorted(.task).map { [$0.name, $0.path, $0.outputType] })
    }
}

extension PreparedTask {
    /// The first document's requests and target, for a look at what the model will see.
    public var firstPrompt: String {
        guard let item = items.first else { return "task '\(task.name)' has no documents\n" }
        var text = "task '\(task.name)', document \(item.id), \(shots) examples\n"
        for (number, request) in item.requests.enumerated() {
            switch request {
            case .continuation(let context, let continuation):
                if number == 0 || item.requests[number - 1].arguments[0] != context {
                    text += "--- context\n\(context)\n"
                }
                text += "--- continuation \(number)\n\(continuation)\n"
            case .rolling(let whole): text += "--- text\n\(whole)\n"
            }
        }
        let target = (try? item.target.pythonText()) ?? ""
        return text + "--- target\n\(target)\n"
    }
}
