import Prompting
import Storage

/// Turns JSON records of one format into instruction records, or says what is wrong with them.
struct RecordChecker {
    private let format: DataFormat
    private let vocabulary: Int
    private let schema: JSONSchema?

    /// Prepares to check.
    ///
    /// - Parameters:
    ///   - format: The format of all records; not `auto`.
    ///   - vocabulary: The model's number of token ids.
    /// - Throws: ``JSONSchema/Fault`` if the built-in schema cannot be used.
    init(format: DataFormat, vocabulary: Int) throws {
        precondition(format != .auto, "format is auto, expected one of records")
        self.format = format
        self.vocabulary = vocabulary
        schema = format == .alpaca ? try AlpacaSchema.load() : nil
    }

    /// Checks one record.
    ///
    /// - Throws: ``JSONError`` or ``DataError``, with file and line.
    func check(_ record: JSONRecord) throws -> InstructionRecord {
        InstructionRecord(
            origin: RecordOrigin(file: record.file, line: record.line),
            content: try content(of: record), fields: record.object)
    }

    private func content(of record: JSONRecord) throws -> InstructionRecord.Content {
        let fields = record.fields
        switch format {
        case .auto, .alpaca:
            // Tables have a value in every row.
            let hasNull = record.object["input"]?.isNull == true
            try schema?.validate(hasNull ? record.holding(withoutInput(record.object)) : record)
            return .alpaca(
                instruction: try fields.string("instruction"),
                input: try fields.string(ifPresent: "input") ?? "",
                output: try fields.string("output"))
        case .completions:
            return .completion(
                prompt: try fields.string("prompt"),
                completion: try filled("completion", fields))
        case .chat:
            return try conversation(fields)
        case .text:
            return .text(try filled("text", fields))
        case .ids:
            let prompt = try ids("prompt_ids", fields)
            let response = try ids("response_ids", fields)
            guard !response.isEmpty, prompt.count + response.count > 1 else {
                throw DataError.nothingToScore(place: record.place)
            }
            return .ids(prompt: prompt, response: response)
        }
    }

    private func withoutInput(_ object: JSONObject) -> JSONObject {
        var object = object
        object["input"] = nil
        return object
    }

    /// A text of at least one character.
    private func filled(_ field: String, _ fields: JSONFields) throws -> String {
        let text = try fields.string(field)
        guard !text.isEmpty else {
            throw DataError.emptyField(place: fields.place, field: field, least: 1)
        }
        return text
    }

    private func ids(_ field: String, _ fields: JSONFields) throws -> [Int32] {
        try fields.array(field).enumerated().map { index, value in
            guard let id = value.integerValue else {
                throw JSONError.fieldKind(
                    place: fields.place, field: "\(field)[\(index)]", found: value.kind,
                    expected: "an integer")
            }
            guard (0..<vocabulary).contains(id) else {
                throw DataError.outsideVocabulary(
                    place: fields.place, field: field, id: id, vocabulary: vocabulary)
            }
            return Int32(id)
        }
    }

    private func conversation(_ fields: JSONFields) throws -> InstructionRecord.Content {
        var messages =
            fields.isPresent("messages") || !fields.isPresent("conversations")
            ? try fields.array("messages").enumerated().map { index, value in
                try message(value, index: index, place: fields.place)
            } : try sharedConversation(fields)
        guard let last = messages.popLast() else {
            throw DataError.noAnswer(place: fields.place, lastRole: nil)
        }
        guard last.role == "assistant" else {
            throw DataError.noAnswer(place: fields.place, lastRole: last.role)
        }
        guard !last.content.isEmpty else {
            throw DataError.emptyField(
                place: fields.place, field: "messages[\(messages.count)].content", least: 1)
        }
        return .chat(messages: messages, answer: last.content)
    }

    private func message(
        _ value: JSONValue, index: Int, place: String
    ) throws -> InstructionRecord.Message {
        guard let object = value.objectValue else {
            throw JSONError.fieldKind(
                place: place, field: "messages[\(index)]", found: value.kind,
                expected: "an object")
        }
        func text(_ field: String) throws -> String {
            guard let value = object[field] else {
                throw JSONError.missingField(place: place, field: "messages[\(index)].\(field)")
            }
            guard let text = value.stringValue else {
                throw JSONError.fieldKind(
                    place: place, field: "messages[\(index)].\(field)", found: value.kind,
                    expected: "a string")
            }
            return text
        }
        let role = try text("role")
        guard ["system", "user", "assistant", "tool"].contains(role) else {
            throw DataError.unknownRole(place: place, index: index, found: role)
        }
        // Who calls a tool need not say anything.
        let isCall = role == "assistant" && object["tool_calls"]?.arrayValue?.isEmpty == false
        let content = isCall && object["content"]?.isNull ?? true ? "" : try text("content")
        // Tables have a value for every field of every message; a template asks whether it is there.
        let fields = object.members.filter { !$0.value.isNull || $0.key == "content" }
        return InstructionRecord.Message(
            role: role, content: content, fields: JSONObject(fields.map { ($0.key, $0.value) }))
    }

    /// The messages of a ShareGPT record, under the names that templates know.
    private func sharedConversation(_ fields: JSONFields) throws -> [InstructionRecord.Message] {
        var messages = try fields.objects("conversations").enumerated().map { index, turn in
            let from = try turn.string(turn.isPresent("role") ? "role" : "from")
            guard let role = Self.sharedRoles[from] else {
                throw DataError.unknownSpeaker(place: fields.place, index: index, found: from)
            }
            let content = try turn.string(turn.isPresent("content") ? "content" : "value")
            return Self.message(role, content)
        }
        if let system = try fields.string(ifPresent: "system"), !system.isEmpty,
            messages.first?.role != "system"
        {
            messages.insert(Self.message("system", system), at: 0)
        }
        return messages
    }

    /// Who speaks in ShareGPT's records, by the names that are used for them.
    static let sharedRoles = [
        "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant",
        "model": "assistant", "chatgpt": "assistant", "bing": "assistant", "bard": "assistant",
        "system": "system", "tool": "tool", "observation": "tool", "function_response": "tool",
    ]

    private static func message(_ role: String, _ content: String) -> InstructionRecord.Message {
        InstructionRecord.Message(
            role: role, content: content,
            fields: ["role": .string(role), "content": .string(content)])
    }
}
