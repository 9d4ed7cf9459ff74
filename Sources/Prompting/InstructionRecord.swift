import Storage

/// Where a record stands.
public struct RecordOrigin: Equatable, Sendable, CustomStringConvertible {
    /// The file as given.
    public let file: String
    /// The line on which the record begins, from 1.
    public let line: Int

    /// Names a place.
    public init(file: String, line: Int) {
        self.file = file
        self.line = line
    }

    /// The place as messages begin: `train.jsonl:412`.
    public var description: String { "\(file):\(line)" }
}

/// One checked record of instruction data.
public struct InstructionRecord: Equatable, Sendable {
    /// One turn of a conversation.
    public struct Message: Equatable, Sendable {
        /// `system`, `user` or `assistant`.
        public let role: String
        /// What was said.
        public let content: String
        /// All that the record says of the message, for templates.
        public let fields: JSONObject

        /// Describes a message.
        public init(role: String, content: String, fields: JSONObject) {
            self.role = role
            self.content = content
            self.fields = fields
        }
    }

    /// What a record asks and answers.
    public enum Content: Equatable, Sendable {
        /// An instruction, what it works on (empty if nothing), and the answer.
        case alpaca(instruction: String, input: String, output: String)
        /// A prompt and how it goes on.
        case completion(prompt: String, completion: String)
        /// A conversation up to the answer that is learnt, and that answer.
        ///
        /// Earlier turns of the assistant are part of the prompt and carry no loss.
        case chat(messages: [Message], answer: String)
        /// A text without a prompt.
        case text(String)
        /// Token ids of prompt and response.
        case ids(prompt: [Int32], response: [Int32])
    }

    /// Where the record stands.
    public let origin: RecordOrigin
    /// What it asks and answers.
    public let content: Content
    /// All its fields, for templates.
    public let fields: JSONObject

    /// Describes a record.
    public init(origin: RecordOrigin, content: Content, fields: JSONObject) {
        self.origin = origin
        self.content = content
        self.fields = fields
    }
}

extension InstructionRecord {
    /// A record that asks and has no answer yet, as a conversation begins.
    ///
    /// - Parameter prompt: What is asked; the whole instruction of Alpaca templates.
    public init(prompt: String) {
        self.init(
            origin: RecordOrigin(file: "prompt", line: 1),
            content: .alpaca(instruction: prompt, input: "", output: ""),
            fields: [
                "instruction": .string(prompt), "prompt": .string(prompt), "input": "",
            ])
    }
}
