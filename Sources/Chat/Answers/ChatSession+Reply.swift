import MambaLM
import Prompting

extension ChatSession {
    /// Answers a question and adds both to the conversation.
    ///
    /// - Parameters:
    ///   - question: What the user says; not empty.
    ///   - onEvent: Is told what happens, and whether to go on: false ends the answer, whose part so far stays
    ///     in the conversation, with ``StopReason/stopped``; while the prompt is read, false throws
    ///     ``ChatError/readingStopped(tokens:total:)``.
    /// - Returns: The answer.
    /// - Throws: ``ChatError`` or `PromptError`; then nothing is added.
    @discardableResult
    public func reply(
        to question: String, onEvent: (ReplyEvent) -> Bool = { _ in true }
    ) throws -> Reply {
        var asked = try asking(question)
        let reply = try answer(&asked, onEvent: onEvent)
        branch = asked
        return reply
    }

    /// Answers the last question again, in place of its answer: with other random numbers, and without
    /// reading the prompt again.
    ///
    /// - Parameter onEvent: See ``reply(to:onEvent:)``.
    /// - Returns: The new answer.
    /// - Throws: ``ChatError``; then the old answer stays.
    @discardableResult
    public func regenerate(onEvent: (ReplyEvent) -> Bool = { _ in true }) throws -> Reply {
        var asked = try askingAgain()
        let reply = try answer(&asked, onEvent: onEvent)
        branch = asked
        return reply
    }

    /// Takes the last question and its answer back.
    ///
    /// - Returns: What was taken back.
    /// - Throws: ``ChatError/nothingSaid``.
    @discardableResult
    public func undo() throws -> Transcript.Exchange {
        guard let last = transcript.exchanges.last else { throw ChatError.nothingSaid }
        branch.cut(to: branch.count - 1)
        return last
    }

    /// Forgets the current branch's questions and answers; what the model is told first stays.
    public func clear() {
        branch.cut(to: 0)
        // What is saved is another conversation then.
        if named.allSatisfy({ $0.branch.count == 0 }) { files = SessionFiles() }
    }

    /// Draws several answers to a question, without adding to the conversation.
    ///
    /// The prompt is read once, and the answers are drawn together. Each has random numbers of its own:
    /// the first is what ``reply(to:onEvent:)`` would give, and no answer depends on how many there are.
    ///
    /// - Parameters:
    ///   - question: What the user says.
    ///   - count: The number of answers, at least 1.
    ///   - onEvent: See ``reply(to:onEvent:)``; false ends all answers.
    /// - Returns: The answers.
    /// - Throws: ``ChatError`` or `PromptError`.
    public func samples(
        for question: String, count: Int, onEvent: (ReplyEvent) -> Bool = { _ in true }
    ) throws -> [Reply] {
        var asked = try asking(question)
        return try draw(count, of: &asked, onEvent: onEvent).replies
    }

    /// The current branch with a question added.
    func asking(_ question: String) throws -> Branch {
        guard !question.isEmpty else { throw ChatError.emptyPrompt }
        checkTopology()
        var asked = branch
        asked.transcript.exchanges.append(Transcript.Exchange(question: question))
        asked.answers.append(nil)
        return asked
    }

    /// The current branch without its last answer.
    func askingAgain() throws -> Branch {
        checkTopology()
        var asked = branch
        guard asked.count > 0 else { throw ChatError.nothingSaid }
        asked.dropAnswer()
        return asked
    }

    /// Draws the answer to a branch's last question and adds it.
    private func answer(
        _ asked: inout Branch, onEvent: (ReplyEvent) -> Bool
    ) throws -> Reply {
        let (replies, texts) = try draw(1, of: &asked, onEvent: onEvent)
        let (reply, text) = (replies[0], texts[0])
        drawnReplies += 1
        asked.transcript.exchanges[asked.count - 1].answer = reply.text
        keepAnswer(reply, text, in: &asked)
        return reply
    }

    /// Keeps the tokens of an answer and, where a later turn can use it, the place after them.
    private func keepAnswer(_ reply: Reply, _ text: Generation.Text, in asked: inout Branch) {
        // What follows a stop string's first character is no part of the answer: its text is read anew.
        guard reply.stopReason != .stop else { return }
        asked.answers[asked.count - 1] = reply.tokens
        let isUseful = settings.history == .carry || !model.flow.dependsOnPrompt
        guard isUseful, let last = asked.lastPrompt,
            let state = model.readOn(Array(text.tokens.suffix(text.unreadCount)), after: text.state)
        else { return }
        asked.keep(
            Branch.ReadPoint(
                exchanges: asked.count, tokens: last.reading.tokens + text.tokens, state: state))
    }
}
