import Jinja

/// A record as a template writes it, prompt and answer.
public struct WrittenRecord: Equatable, Sendable {
    /// What the model is given before it answers.
    public var prompt: String
    /// Prompt and answer as one text, the answer as the template writes answers.
    public var text: String
    /// The UTF-8 bytes of ``text`` that are learnt, where the template marks them with `{% generation %}`.
    public var marked: Range<Int>?
    /// Whether the template itself ends an answer; if not, the end token is to follow.
    public var endsAnswer = false
    /// Whether the text begins otherwise than with what the template writes as a prompt.
    public var changesPrompt = false
}

extension PromptTemplate {
    /// Writes a record with its answer.
    ///
    /// A template that takes conversations writes the prompt and, once more, the whole; what the whole has
    /// more is learnt: with the spaces, the trimming and the end of a turn that the template gives to
    /// answers. Any other template is followed by the answer as it stands.
    ///
    /// Source: transformers' `apply_chat_template` of all messages, less that of the prompt with
    /// `add_generation_prompt`. Of marked parts, as `return_assistant_tokens_mask` tells them, those of
    /// the learnt answer count.
    ///
    /// - Parameter record: A record that holds text.
    /// - Returns: The texts; of a record without prompt an empty prompt.
    /// - Throws: ``PromptError``, with file and line.
    public func write(_ record: InstructionRecord) throws -> WrittenRecord {
        guard let answer = record.answer else {
            guard case .text(let text) = record.content else {
                preconditionFailure("a record of the format '\(record.content.form)' is no text")
            }
            return WrittenRecord(prompt: "", text: text)
        }
        switch form {
        case .chat(let chat):
            return try locating(record) { try write(record, answer, by: chat) }
        case .file(let file) where file.namesMessages && record.isConversation:
            return try locating(record) { try write(record, by: file) }
        case .blocks, .plain, .file:
            let prompt = try prompt(of: record)
            return WrittenRecord(prompt: prompt, text: prompt + answer)
        }
    }

    /// Writes a conversation by a file, which may leave the last message out and so write prompts only.
    func write(_ record: InstructionRecord, by file: FilePrompt) throws -> WrittenRecord {
        let answer = record.answer ?? ""
        let written = try write(record, answer, by: file)
        let learnt = written.text.dropFirst(written.prompt.count)
        if learnt.contains(answer.trimmed) { return written }
        return WrittenRecord(prompt: written.text, text: written.text + answer)
    }

    private func write(
        _ record: InstructionRecord, _ answer: String, by template: some ConversationTemplate
    ) throws -> WrittenRecord {
        let asked = record.askedMessages
        let prompt = try template.render(asked, addsPrompt: true, of: record).text
        let (text, generated) = try template.render(
            asked + [record.answerMessage(answer)], addsPrompt: false, of: record)
        var written = WrittenRecord(prompt: prompt, text: text)
        if !text.utf8.starts(with: prompt.utf8) {
            written.prompt = prompt.commonPrefix(with: text)
            written.changesPrompt = true
        }
        let border = written.prompt.utf8.count
        written.marked = try marked(generated, after: border, in: record)
        if written.marked == nil, written.changesPrompt {
            let history = try template.render(asked, addsPrompt: false, of: record).text
            guard text.utf8.starts(with: history.utf8), border >= history.utf8.count else {
                throw PromptError.rewritesPrompt(
                    place: record.origin.description, template: name)
            }
        }
        written.endsAnswer = written.marked != nil || template.answerEnd != nil
        return written
    }

    /// The marked part that ends after a place.
    private func marked(
        _ generated: [Range<Int>], after border: Int, in record: InstructionRecord
    ) throws -> Range<Int>? {
        guard !generated.isEmpty else { return nil }
        let parts = generated.filter { $0.upperBound > max(border, $0.lowerBound) }
        guard let first = parts.first, parts.count == 1 else {
            throw PromptError.template(
                place: record.origin.description,
                reason:
                    "marks \(parts.count) parts of the answer with {% generation %}, expected one")
        }
        return first
    }
}

/// A template that is given a conversation as a whole.
protocol ConversationTemplate {
    /// What follows every answer; nil for nothing but white space.
    var answerEnd: String? { get }

    /// Writes a conversation.
    ///
    /// - Parameters:
    ///   - messages: The messages.
    ///   - addsPrompt: Whether what begins an answer is to follow.
    ///   - record: What else the template may name.
    /// - Returns: The text, and the bytes of it that `{% generation %}` blocks wrote.
    /// - Throws: `TemplateError`.
    func render(
        _ messages: [Value], addsPrompt: Bool, of record: InstructionRecord
    ) throws -> (text: String, generated: [Range<Int>])
}

extension ConversationTemplate {
    /// Finds out what follows every answer: what two conversations that differ in their answers
    /// have in common at their ends; nil for nothing but white space, and for one character, such as a
    /// full stop: answers hold those themselves.
    func findAnswerEnd() -> String? {
        let record = InstructionRecord(prompt: "1?")
        let texts = ["One.", "Won!"].compactMap { answer in
            try? render(
                [.message(role: "user", "1?"), .message(role: "assistant", answer)],
                addsPrompt: false, of: record
            ).text
        }
        guard texts.count == 2, texts[0] != texts[1] else { return nil }
        let count = zip(texts[0].unicodeScalars.reversed(), texts[1].unicodeScalars.reversed())
            .prefix { $0 == $1 }.count
        let end = String(texts[0].unicodeScalars.suffix(count)).trimmed
        return end.unicodeScalars.count < 2 ? nil : end
    }
}

extension InstructionRecord {
    /// The messages before the answer; of a record that is no conversation its prompt as the user's.
    var askedMessages: [Value] {
        switch content {
        case .chat(let turns, _): turns.map { Value(.object($0.fields)) }
        default: [.message(role: "user", plainPrompt ?? "")]
        }
    }

    /// The answer as a message, with all that the record says of it.
    fileprivate func answerMessage(_ answer: String) -> Value {
        if isConversation, let last = fields["messages"]?.arrayValue?.last { return Value(last) }
        return .message(role: "assistant", answer)
    }
}

extension String {
    /// Without the white space around it.
    var trimmed: String {
        let start = drop { $0.isWhitespace }
        let end = start.lastIndex { !$0.isWhitespace }
        return end.map { String(start[...$0]) } ?? ""
    }

    fileprivate func commonPrefix(with other: String) -> String {
        let count = zip(unicodeScalars, other.unicodeScalars).prefix { $0 == $1 }.count
        return String(unicodeScalars.prefix(count))
    }
}
