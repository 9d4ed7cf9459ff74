import Jinja
import Storage
import Tokenization

/// The tokenizer's chat template, rendered up to the assistant's answer.
struct ChatPrompt: Sendable {
    private let template: Template
    private let tokens: [(String, Value)]

    init(_ tokenizer: TokenizerConfiguration) throws {
        guard let source = tokenizer.chatTemplate else { throw PromptError.noChatTemplate }
        template = try Template(source, name: "chat template", options: .chat)
        tokens = tokenizer.templateTokens
    }

    func prompt(of record: InstructionRecord) throws -> String {
        switch record.content {
        case .chat(let turns, _):
            try prompt(of: turns.map { Value(.object($0.fields)) })
        default:
            try prompt(of: [.message(role: "user", record.plainPrompt ?? "")])
        }
    }

    func prompt(of messages: [Value]) throws -> String {
        var context = ValueDictionary(tokens)
        context["messages"] = .list(messages)
        context["add_generation_prompt"] = true
        context["tools"] = Value.none
        context["documents"] = Value.none
        return try template.render(context)
    }
}

/// A user's own Jinja template over the fields of a record.
///
/// Blocks are trimmed as in chat templates, and one line feed at the end of the file is dropped. A
/// name that is no field is an error, except that an Alpaca record always has an `input`.
struct FilePrompt: Sendable {
    /// Whether the template names `messages`, the whole of a conversation.
    let namesMessages: Bool
    private let template: Template
    private let tokens: [(String, Value)]

    init(_ source: String, name: String, _ tokenizer: TokenizerConfiguration) throws {
        var options = TemplateOptions.chat
        options.undefined = .strict
        template = try Template(source, name: name, options: options)
        tokens = tokenizer.templateTokens
        namesMessages = source.contains("messages")
    }

    /// The prompt of a record, or of a conversation that ends with the record's question.
    func prompt(of record: InstructionRecord, messages: [Value]? = nil) throws -> String {
        var context = ValueDictionary(tokens)
        if let messages {
            context["messages"] = .list(messages)
            context["add_generation_prompt"] = true
        }
        for member in record.fields.members { context[member.key] = Value(member.value) }
        if case .alpaca(_, let input, _) = record.content { context["input"] = .string(input) }
        return try template.render(context)
    }
}

extension TokenizerConfiguration {
    /// The special tokens by the names that templates know them by.
    var templateTokens: [(String, Value)] {
        [
            ("bos_token", bosToken), ("eos_token", eosToken), ("pad_token", padToken),
            ("unk_token", unknownToken),
        ].compactMap { name, token in token.map { (name, Value.string($0)) } }
    }
}

extension Value {
    /// A message as chat templates know it.
    static func message(role: String, _ content: String) -> Value {
        .dictionary(["role": .string(role), "content": .string(content)])
    }

    /// A JSON value as a template sees it.
    init(_ value: JSONValue) {
        self =
            switch value {
            case .null: .none
            case .bool(let value): .bool(value)
            case .integer(let value): .int(value)
            case .number(let value): .float(value)
            case .string(let value): .string(value)
            case .array(let values): .list(values.map { Value($0) })
            case .object(let object):
                .dictionary(ValueDictionary(object.members.map { ($0.key, Value($0.value)) }))
            }
    }
}
