import MambaLM
import Prompting

extension ChatSession {
    /// Answers a question and adds both to the conversation.
    ///
    /// - Parameters:
    ///   - question: What the user says; not empty.
    ///   - isCancelled: Asked before each token; true ends the answer, whose part so far stays in the
    ///     conversation, with ``StopReason/stopped``.
    ///   - onText: Called with each piece of the answer as it is certain: whole characters only, never a part
    ///     of a stop string.
    /// - Returns: The answer.
    /// - Throws: ``ChatError`` or `PromptError`; then nothing is added.
    @discardableResult
    public func reply(
        to question: String, isCancelled: () -> Bool = { false },
        onText: (String) -> Void = { _ in }
    ) throws -> Reply {
        Reply()
    }

    /// Answers the last question again, in place of its answer: with other random numbers, and without
    /// reading the prompt again.
    ///
    /// - Parameters:
    ///   - isCancelled: See ``reply(to:isCancelled:onText:)``.
    ///   - onText: The same.
    /// - Returns: The new answer.
    /// - Throws: ``ChatError/nothingSaid``.
    @discardableResult
    public func regenerate(
        isCancelled: () -> Bool = { false }, onText: (String) -> Void = { _ in }
    ) throws -> Reply {
        Reply()
    }

    /// Takes the last question and its answer back.
    ///
    /// - Returns: What was taken back.
    /// - Throws: ``ChatError/nothingSaid``.
    @discardableResult
    public func undo() throws -> Transcript.Exchange {
        throw ChatError.nothingSaid
    }

    /// Forgets the current branch's questions and answers; what the model is told first stays.
    public func clear() {}

    /// Draws several answers to a question, without adding to the conversation.
    ///
    /// The prompt is read once, and the answers are drawn together. Each has random numbers of its own:
    /// the first is what ``reply(to:isCancelled:onText:)`` would give, and no answer depends on how many
    /// there are.
    ///
    /// - Parameters:
    ///   - question: What the user says.
    ///   - count: The number of answers, at least 1.
    ///   - isCancelled: Asked before each step; true ends all answers.
    ///   - onText: Called with the place of an answer and its next piece.
    /// - Returns: The answers.
    /// - Throws: ``ChatError`` or `PromptError`.
    public func samples(
        for question: String, count: Int, isCancelled: () -> Bool = { false },
        onText: (Int, String) -> Void = { _, _ in }
    ) throws -> [Reply] {
        []
    }
}
