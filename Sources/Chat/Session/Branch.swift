import MambaLM
import Prompting

/// One course of a conversation, with what the model keeps of it.
struct Branch {
    /// A place in the conversation from which reading can go on.
    struct ReadPoint {
        /// How many exchanges have been read, their answers included.
        let exchanges: Int
        /// All tokens read.
        let tokens: [Int32]
        /// What they left behind.
        let state: SequenceState
    }

    /// The prompt of the last question, read.
    struct LastPrompt {
        /// How many exchanges came before it.
        let exchanges: Int
        /// The tokens that were read as one prompt.
        let prompt: [Int32]
        /// Where it went on from.
        let before: SequenceState?
        /// What it left behind.
        let reading: PromptReading
    }

    /// So many of the last places are kept, for taking turns back.
    private static let keptPoints = 8

    /// The conversation.
    var transcript: Transcript
    /// For each answer the tokens that stand for it; `nil` where only its text is known.
    var answers: [[Int32]?] = []
    /// The prompt of the last question; `nil` if it was not read, or read by other means.
    private(set) var lastPrompt: LastPrompt?
    /// Places after answers, the newest last.
    private(set) var points: [ReadPoint] = []

    init(_ transcript: Transcript) {
        self.transcript = transcript
        answers = [[Int32]?](repeating: nil, count: transcript.exchanges.count)
    }

    /// The number of exchanges.
    var count: Int { transcript.exchanges.count }

    /// Forgets what was read, but not what was said.
    mutating func forgetReadings() { (lastPrompt, points) = (nil, []) }

    /// Keeps a prompt that was read.
    mutating func keep(_ prompt: LastPrompt) { lastPrompt = prompt }

    /// Keeps a place after an answer.
    mutating func keep(_ point: ReadPoint) {
        points.removeAll { $0.exchanges >= point.exchanges }
        points.append(point)
        if points.count > Self.keptPoints { points.removeFirst() }
    }

    /// Takes exchanges back until a number of them is left.
    mutating func cut(to count: Int) {
        transcript.exchanges.removeSubrange(count...)
        answers.removeSubrange(count...)
        points.removeAll { $0.exchanges > count }
        if let lastPrompt, lastPrompt.exchanges >= count { self.lastPrompt = nil }
    }

    /// Takes the last answer back, but not its question.
    mutating func dropAnswer() {
        transcript.exchanges[count - 1].answer = nil
        answers[count - 1] = nil
        let count = count
        points.removeAll { $0.exchanges >= count }
    }

    /// The longest proper beginning of a text that was read, and what it left behind.
    func reading(ofBeginningOf text: [Int32]) -> (tokens: [Int32], state: SequenceState)? {
        var known = points.map { ($0.tokens, $0.state) }
        if let reading = lastPrompt?.reading, let state = reading.state {
            known.append((reading.tokens, state))
        }
        return known.filter { $0.0.count < text.count && text.starts(with: $0.0) }
            .max { $0.0.count < $1.0.count }
    }

    /// The state of the most that was read.
    var newestState: SequenceState? { points.last?.state ?? lastPrompt?.reading.state }

    /// The newest place after no more than a number of exchanges.
    func point(upTo exchanges: Int) -> ReadPoint? { points.last { $0.exchanges <= exchanges } }
}
