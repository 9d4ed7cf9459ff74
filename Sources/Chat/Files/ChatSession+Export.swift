import Prompting
import Storage

extension ChatSession {
    /// The current branch as Markdown.
    public func markdown() -> String {
        var parts = transcript.system.map { ["## System", $0] } ?? []
        for exchange in transcript.exchanges {
            parts += ["## User", exchange.question]
            if let answer = exchange.answer { parts += ["## Assistant", answer] }
        }
        return parts.joined(separator: "\n\n") + (parts.isEmpty ? "" : "\n")
    }

    /// The current branch as training data, one JSON object a line, which `mtl-finetune` reads.
    ///
    /// Where the template takes whole conversations, one record of the format `chat`; else an Alpaca record
    /// for each question, which does not hold what the model is told first. The format `chat` has no room for
    /// an empty last answer: turns are left out from the end until one has an answer.
    public func records() -> String {
        let writer = JSONWriter(escapesNonASCII: false)
        let lines =
            template.takesConversations
            ? [conversationRecord].compactMap { $0 } : alpacaRecords
        return lines.map { writer.string(.object($0)) + "\n" }.joined()
    }

    /// Writes the current branch as Markdown (`.md`) or training data (`.jsonl`), all or nothing.
    ///
    /// - Parameters:
    ///   - path: The file. One that exists is replaced if this conversation was exported to it before, or
    ///     if the user says so.
    ///   - isOverwriting: Whether the user says so.
    /// - Throws: ``ChatError``, also where there is nothing to write yet; `OutputError` or `FileError`.
    public func export(to path: String, isOverwriting: Bool = false) throws {
        let isMarkdown = path.hasSuffix(".md")
        guard isMarkdown || path.hasSuffix(".jsonl") else {
            throw ChatError.unknownExport(file: path)
        }
        let text = isMarkdown ? markdown() : records()
        guard !text.isEmpty, !transcript.exchanges.isEmpty else {
            throw ChatError.nothingToExport(file: path)
        }
        try checkOutput(
            path, isOverwriting: isOverwriting || files.ownsExport(path), command: "/export")
        try AtomicFile.write(text, to: path)
        files.noteExported(path)
    }

    private var alpacaRecords: [JSONObject] {
        transcript.exchanges.compactMap { exchange in
            exchange.answer.map {
                [
                    "instruction": .string(exchange.question), "input": "", "output": .string($0),
                ]
            }
        }
    }

    private var conversationRecord: JSONObject? {
        func message(_ role: String, _ content: String) -> JSONValue {
            ["role": .string(role), "content": .string(content)]
        }
        var exchanges = transcript.exchanges[...]
        while let last = exchanges.last, last.answer?.isEmpty ?? true { exchanges.removeLast() }
        guard !exchanges.isEmpty else { return nil }
        let system = transcript.system.map { [message("system", $0)] } ?? []
        let turns = exchanges.flatMap {
            [message("user", $0.question), message("assistant", $0.answer ?? "")]
        }
        return ["messages": .array(system + turns)]
    }
}
