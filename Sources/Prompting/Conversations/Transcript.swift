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
            (self.question, self.answer) = (question, answer)
        }
    }

    /// What the model is told before the conversation; `nil` for nothing.
    public var system: String?
    /// The exchanges, the oldest first; only the last may lack its answer.
    public var exchanges: [Exchange]

    /// Begins or groups a conversation.
    public init(system: String? = nil, exchanges: [Exchange] = []) {
        (self.system, self.exchanges) = (system, exchanges)
    }
}
