import Jinja
import Tokenization

/// A conversation: what the model is told first, then questions and answers in turn.
public struct Transcript: Equatable, Sendable {
    /// A question and its answer.
    public struct Exchange: Equatable, Sendable {
        /// What the user wrote.
        public var question: String
        /// What the model answered; `nil` while it has not.
        public var answer: String?

        /// Groups a question and its answer.
        public init(question: String, answer: String? = nil) {
            self.question = question
            self.answer = answer
        }
    }

    /// What the model is told before the conversation; `nil` for nothing.
    public var system: String?
    /// The exchanges, the oldest first; only the last may lack its answer.
    public var exchanges: [Exchange]

    /// Begins or groups a conversation.
    public init(system: String? = nil, exchanges: [Exchange] = []) {
        self.system = system
        self.exchanges = exchanges
    }
}

extension PromptTemplate {
    /// Whether it is given a conversation as a whole: `chat`, and Jinja files that name `messages`.
    ///
    /// Others write it turn by turn.
    public var takesConversations: Bool {
        switch form {
        case .chat: true
        case .file(let file): file.namesMessages
        case .blocks, .plain: false
        }
    }

    /// What ends an answer beside the end token, where the template writes such; `<|im_end|>`.
    public var answerEnd: String? {
        switch form {
        case .chat(let chat): chat.answerEnd
        case .file(let file): file.answerEnd
        case .blocks, .plain: nil
        }
    }

    /// The token that ends an answer: ``answerEnd``, or of several words the first if that is a special
    /// token, which the others follow.
    ///
    /// - Parameter tokenizer: The tokenizer.
    /// - Returns: The id; nil if there is no end, or it is text.
    public func answerEndToken(in tokenizer: any Tokenizer) -> Int32? {
        guard let end = answerEnd else { return nil }
        if let id = tokenizer.id(of: end) { return id }
        let first = end.prefix { !$0.isWhitespace }
        return tokenizer.id(of: String(first)).flatMap { tokenizer.isSpecial($0) ? $0 : nil }
    }

    /// The prompt of a conversation, up to the answer to its last question.
    ///
    /// Turn by turn, each earlier question stands as in a record of training data, followed by its answer
    /// and the end token, then the last question:
    ///
    ///     {system}⏎⏎### Instruction:⏎{question}⏎⏎### Response:{answer}<|endoftext|>### Instruction:…
    ///
    /// What the model is told first stands before the first turn, with an empty line between. A template
    /// that takes conversations gets it as a message of the role `system`.
    ///
    /// - Parameters:
    ///   - transcript: The conversation; its last question has no answer.
    ///   - endToken: The text of the end token.
    /// - Returns: The text.
    /// - Throws: ``PromptError/template(place:reason:)``.
    public func prompt(of transcript: Transcript, endToken: String) throws -> String {
        guard !takesConversations else { return try conversation(transcript) }
        var text = transcript.system.map { $0 + "\n\n" } ?? ""
        for (place, exchange) in transcript.exchanges.enumerated() {
            if place > 0 { text += endToken }
            text += try turn(exchange.question, place: place) + (exchange.answer ?? "")
        }
        return text
    }

    /// What the last question adds to a conversation that was read up to the answer before it.
    ///
    /// All texts so added, with the answers between them, are ``prompt(of:endToken:)``; but white space
    /// around an answer, which chat templates may cut off, counts as read.
    ///
    /// - Parameters:
    ///   - transcript: The conversation; its last question has no answer.
    ///   - endToken: The text of the end token.
    /// - Returns: The text.
    /// - Throws: ``PromptError/notIncremental(template:)`` if the template writes the earlier part otherwise
    ///   than before, or ``PromptError/template(place:reason:)``.
    public func continuation(of transcript: Transcript, endToken: String) throws -> String {
        guard transcript.exchanges.count > 1, let last = transcript.exchanges.last else {
            return try prompt(of: transcript, endToken: endToken)
        }
        guard takesConversations else {
            return endToken
                + (try turn(last.question, place: transcript.exchanges.count - 1))
        }
        var earlier = transcript
        earlier.exchanges.removeLast()
        let answer = earlier.exchanges[earlier.exchanges.count - 1].answer ?? ""
        earlier.exchanges[earlier.exchanges.count - 1].answer = nil
        let (whole, before) = (try conversation(transcript), try conversation(earlier))
        for answer in [answer, answer.trimmed] {
            let read = (before + answer).utf8
            if whole.utf8.starts(with: read) {
                return String(decoding: whole.utf8.dropFirst(read.count), as: UTF8.self)
            }
        }
        throw PromptError.notIncremental(template: name)
    }

    /// One question as training data write it.
    private func turn(_ question: String, place: Int) throws -> String {
        try naming(place) { try prompt(of: InstructionRecord(prompt: question)) }
    }

    /// A conversation as a template writes it that takes it as a whole.
    private func conversation(_ transcript: Transcript) throws -> String {
        var messages = transcript.system.map { [Value.message(role: "system", $0)] } ?? []
        for exchange in transcript.exchanges {
            messages.append(.message(role: "user", exchange.question))
            if let answer = exchange.answer {
                messages.append(.message(role: "assistant", answer))
            }
        }
        return try naming(transcript.exchanges.count - 1) {
            let record = InstructionRecord(prompt: transcript.exchanges.last?.question ?? "")
            return switch form {
            case .chat(let chat): try chat.render(messages, addsPrompt: true, of: record).text
            case .file(let file): try file.render(messages, addsPrompt: true, of: record).text
            case .blocks, .plain: preconditionFailure("template '\(name)' takes no conversations")
            }
        }
    }

    /// Says in a template's error which turn it is about.
    private func naming(_ place: Int, _ body: () throws -> String) throws -> String {
        do {
            return try body()
        } catch let error as TemplateError {
            throw PromptError.template(place: "turn \(place + 1)", reason: error.description)
        } catch PromptError.template(_, let reason) {
            throw PromptError.template(place: "turn \(place + 1)", reason: reason)
        }
    }
}
