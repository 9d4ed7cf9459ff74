import Jinja
import Storage
import Tokenization

/// The tokenizer's chat template.
struct ChatPrompt: ConversationTemplate, Sendable {
    /// What follows every answer; nil for nothing but white space.
    private(set) var answerEnd: String?
    private let template: Template
    private let tokens: [(String, Value)]

    init(_ tokenizer: TokenizerConfiguration, _ time: TemplateTime) throws {
        guard let source = tokenizer.chatTemplate else { throw PromptError.noChatTemplate }
        var options = TemplateOptions.chat
        options.localTime = time.time
        template = try Template(source, name: "chat template", options: options)
        tokens = tokenizer.templateTokens
        answerEnd = findAnswerEnd()
    }

    func render(
        _ messages: [Value], addsPrompt: Bool, of record: InstructionRecord
    ) throws -> (text: String, generated: [Range<Int>]) {
        var context = ValueDictionary(tokens)
        context["messages"] = .list(messages)
        context["add_generation_prompt"] = .bool(addsPrompt)
        context["tools"] = record.fields["tools"].map { Value($0) } ?? Value.none
        context["documents"] = record.fields["documents"].map { Value($0) } ?? Value.none
        return addsPrompt
            ? (try template.render(context), []) : try template.renderMarking(context)
    }
}

/// A user's own Jinja template over the fields of a record.
///
/// Blocks are trimmed as in chat templates, and one line feed at the end of the file is dropped. A
/// name that is no field is an error, except that an Alpaca record always has an `input`.
struct FilePrompt: ConversationTemplate, Sendable {
    /// Whether the template names `messages`, the whole of a conversation.
    let namesMessages: Bool
    /// What follows every answer; nil for nothing but white space.
    private(set) var answerEnd: String?
    private let template: Template
    private let tokens: [(String, Value)]

    init(
        _ source: String, name: String, _ tokenizer: TokenizerConfiguration, _ time: TemplateTime
    ) throws {
        var options = TemplateOptions.chat
        options.undefined = .strict
        options.localTime = time.time
        template = try Template(source, name: name, options: options)
        tokens = tokenizer.templateTokens
        namesMessages = source.contains("messages")
        answerEnd = namesMessages ? findAnswerEnd() : nil
    }

    /// The prompt of a record.
    func prompt(of record: InstructionRecord) throws -> String {
        try template.render(context(of: record))
    }

    func render(
        _ messages: [Value], addsPrompt: Bool, of record: InstructionRecord
    ) throws -> (text: String, generated: [Range<Int>]) {
        var context = context(of: record)
        context["messages"] = .list(messages)
        context["add_generation_prompt"] = .bool(addsPrompt)
        return addsPrompt
            ? (try template.render(context), []) : try template.renderMarking(context)
    }

    private func context(of record: InstructionRecord) -> ValueDictionary {
        var context = ValueDictionary(tokens)
        for member in record.fields.members { context[member.key] = Value(member.value) }
        if case .alpaca(_, let input, _) = record.content { context["input"] = .string(input) }
        return context
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
