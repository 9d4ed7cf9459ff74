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
    /// - Throws: ``ChatError/unknownExport(file:)`` or `FileError`.
    public func export(to path: String) throws {
        if path.hasSuffix(".md") {
            try AtomicFile.write(markdown(), to: path)
        } else if path.hasSuffix(".jsonl") {
            try AtomicFile.write(records(), to: path)
        } else {
            throw ChatError.unknownExport(file: path)
        }
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
