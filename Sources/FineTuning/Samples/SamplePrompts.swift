import Layers
import Prompting
import Storage
import Tokenization

/// Prompts that a model answers while it is trained, so that people see what it learns.
public struct SamplePrompts: Sendable {
    /// One prompt.
    public struct Prompt: Equatable, Sendable {
        /// What is asked, as people read it.
        public let text: String
        /// What the model reads.
        public let tokens: [Int32]

        /// Describes a prompt.
        public init(text: String, tokens: [Int32]) {
            self.text = text
            self.tokens = tokens
        }
    }

    /// The prompts.
    public let prompts: [Prompt]
    private let limit: Int
    private let tokenizer: any Tokenizer
    private let endTokens: Set<Int32>
    /// What the template writes behind answers, where it is no token.
    private let endText: String?

    /// Prepares prompts.
    ///
    /// - Parameters:
    ///   - records: What is asked; their answers count for nothing, but may not be empty.
    ///   - tokenizer: The model's.
    ///   - template: Makes the prompts.
    ///   - vocabulary: The model's number of token ids.
    ///   - endTokens: The tokens that the model ends texts with.
    ///   - generationEndTokens: Further ones that end what is generated.
    ///   - configuration: The most tokens of a prompt, and of an answer.
    /// - Throws: ``DataError``, `PromptError`, or ``SamplePromptError/tooLong(place:limit:)``.
    public init(
        _ records: [InstructionRecord], tokenizer: LoadedTokenizer, template: PromptTemplate,
        vocabulary: Int, endTokens: [Int32], generationEndTokens: [Int32],
        configuration: TrainingConfiguration
    ) throws {
        var settings = configuration
        settings.truncation = .keepStart
        let encoder = RecordEncoder(
            text: try .init(
                tokenizer: tokenizer, template: template,
                endToken: tokenizer.eosID ?? endTokens.first),
            configuration: settings, vocabulary: vocabulary)
        prompts = try records.map { record in
            // A prompt ends where it would end in training, before what an answer takes in.
            let encoded: EncodedRecords
            do {
                encoded = try encoder.encode([record], threads: 1)
            } catch DataError.allDropped {
                throw SamplePromptError.tooLong(
                    place: record.origin.description, limit: settings.maxSequenceLength)
            }
            let tokens = encoded.records[0].tokens
            return Prompt(
                text: record.question,
                tokens: Array(tokens.prefix(max(encoded.records[0].promptLength, 1))))
        }
        let end = template.answerEnd
        let endToken = template.answerEndToken(in: tokenizer.tokenizer)
        endText = endToken == nil ? end : nil
        self.endTokens = Set(
            endTokens + generationEndTokens + [tokenizer.eosID, endToken].compactMap(\.self))
        limit = configuration.sampleTokens
        self.tokenizer = tokenizer.tokenizer
    }

    /// The most likely answer of a model as it is; draws nothing, and changes nothing in the model.
    func answer(to prompt: Prompt, by model: any TrainableModel) -> String {
        let answer = model.likeliestAnswer(
            to: prompt.tokens, limit: limit, endTokens: endTokens)
        let text = tokenizer.decode(answer, skippingSpecialTokens: true)
        guard let endText, let end = text.firstRange(of: endText) else { return text }
        return String(text[..<end.lowerBound])
    }
}

extension SamplePrompts {
    /// Reads what is to be asked.
    ///
    /// - Parameter path: A text with one prompt per line, or a file in `.json` or `.jsonl` whose records have
    ///   `instruction` and perhaps `input`, or `prompt`, each with `.zst` or `.gz`, or such a `.parquet` file.
    /// - Returns: Records whose answer is a placeholder.
    /// - Throws: `FileError`, `JSONError` or ``SamplePromptError``.
    public static func records(in path: String) throws -> [InstructionRecord] {
        let name = FilePath.withoutCompression(path)
        let records =
            name.hasSuffix(".json") || name.hasSuffix(".jsonl") || path.hasSuffix(".parquet")
            ? try JSONRecords(path: path).all().map(record) : try lines(of: path)
        guard !records.isEmpty else { throw SamplePromptError.none(file: path) }
        return records
    }

    private static func lines(of path: String) throws -> [InstructionRecord] {
        let reader = try LineReader(path: path)
        var records: [InstructionRecord] = []
        while let line = try reader.next() {
            guard !line.text.allSatisfy(\.isWhitespace) else { continue }
            records.append(record(line.text, at: RecordOrigin(file: path, line: line.number)))
        }
        return records
    }

    private static func record(_ record: JSONRecord) throws -> InstructionRecord {
        let instruction = try record.fields.string(ifPresent: "instruction")
        guard let asked = try instruction ?? record.fields.string(ifPresent: "prompt"),
            !asked.isEmpty
        else {
            throw SamplePromptError.noPrompt(place: record.place, keys: record.object.keys)
        }
        return Self.record(
            asked, input: try record.fields.string(ifPresent: "input") ?? "",
            at: RecordOrigin(file: record.file, line: record.line))
    }

    private static func record(
        _ instruction: String, input: String = "", at origin: RecordOrigin
    ) -> InstructionRecord {
        InstructionRecord(
            origin: origin,
            content: .alpaca(instruction: instruction, input: input, output: "a"),
            fields: [
                "instruction": .string(instruction), "prompt": .string(instruction),
                "input": .string(input), "output": "a",
            ])
    }
}

extension InstructionRecord {
    /// What it asks, as one text.
    fileprivate var question: String {
        guard case .alpaca(let instruction, let input, _) = content else { return "" }
        return input.isEmpty ? instruction : instruction + "\n" + input
    }
}

/// What can be wrong with a file of sample prompts, beyond what is wrong with a file or its JSON.
public enum SamplePromptError: Error, Equatable {
    /// The file asks nothing.
    case none(file: String)
    /// A record has none of the keys that ask something.
    case noPrompt(place: String, keys: [String])
    /// A prompt leaves no room for an answer.
    case tooLong(place: String, limit: Int)
}

extension SamplePromptError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .none(let file):
            "\(quotedPath(file)): holds no prompt, expected one a line, or records with 'instruction'"
        case .noPrompt(let place, let keys):
            "\(place): record has the keys \(keys.map(quoted).joined(separator: ", ")), expected "
                + "'instruction', and 'input' if it works on something"
        case .tooLong(let place, let limit):
            "\(place): prompt has \(limit) tokens or more, expected fewer than --max-seq-length"
        }
    }
}
