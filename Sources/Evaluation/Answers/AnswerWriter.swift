import MambaLM
import Python
import Storage
import Tokenization

/// Writes the answers of a task, one prompt after the other.
///
/// Answers end where the transformers library ends them for the harness: at an end token, when a text that
/// ends answers is in the last tokens, or at the limit; and what the harness cuts off is cut off.
///
/// Source: lm-evaluation-harness 0.4.13, `HFLM.generate_until`, `MultiTokenEOSCriteria` and
/// `postprocess_generated_text`.
struct AnswerWriter<Model: ContinuationModel> {
    let model: Model
    let tokenizer: any Tokenizer
    /// The tokens that end a text.
    let endTokens: Set<Int32>
    /// The text of the tokenizer's end token, if it has one.
    let endText: String?
    let seed: UInt64

    /// What is read before an answer.
    struct Prompt {
        var tokens: [Int32]
        var arguments: GenerationArguments
        /// Whether the beginning was left out.
        var isTruncated: Bool
    }

    /// Cuts a prompt so that the answer fits behind it.
    static func prompt(
        _ tokens: [Int32], _ arguments: GenerationArguments, maximumLength: Int, prefix: Int32,
        place: String, task: String
    ) throws(EvaluationError) -> Prompt {
        let room = maximumLength - arguments.limit
        guard room > 0 else {
            throw .answerLength(
                place: place, task: task, limit: arguments.limit, length: maximumLength)
        }
        let kept = Array(tokens.suffix(room))
        return Prompt(
            tokens: kept.isEmpty ? [prefix] : kept, arguments: arguments,
            isTruncated: tokens.count > room)
    }

    /// The texts that end an answer, with the end token's.
    private func stops(_ arguments: GenerationArguments) -> [String] {
        guard let endText, !arguments.stops.contains(endText) else { return arguments.stops }
        return arguments.stops + [endText]
    }

    /// Writes the answers to one prompt.
    ///
    /// - Parameters:
    ///   - prompt: What is read.
    ///   - shared: The beginning of the prompt that was read already.
    ///   - count: How many answers.
    ///   - stream: Tells prompts apart where answers are drawn.
    ///   - onToken: Called for each token; what it throws ends the run.
    /// - Returns: The answers.
    /// - Throws: What `onToken` throws.
    func answers(
        to prompt: Prompt, after shared: (tokens: [Int32], state: Model.State)?, count: Int,
        stream: Int, onToken: () throws -> Void
    ) throws -> [String] {
        let stops = stops(prompt.arguments)
        let encoder = tokenizer.makeEncoder()
        let ends = stops.map { (text: $0, tokens: encoder.encode(Array($0.utf8)).count + 2) }
        var settings = Generation.Settings()
        settings.sampling = prompt.arguments.sampling
        settings.seed = TokenSampler.seed(seed, stream: stream)
        settings.limit = prompt.arguments.limit
        if let whole = prompt.arguments.wholeLength {
            settings.limit = max(1, min(settings.limit, whole - prompt.tokens.count))
        }
        settings.endTokens = endTokens
        // Equal answers are written once.
        let isGreedy = settings.sampling.temperature == 0
        let texts = try model.write(
            after: prompt.tokens, shared: shared, settings, count: isGreedy ? 1 : count
        ) { tokens in
            try onToken()
            return ends.contains { end in
                let last = tokenizer.decode(
                    Array(tokens.suffix(end.tokens)), skippingSpecialTokens: false)
                return end.text.isEmpty || last.contains(scalars: end.text)
            }
        }.map { tokens in
            stops.filter { !$0.isEmpty }.reduce(
                tokenizer.decode(tokens, skippingSpecialTokens: true)
            ) { $0.cut(before: $1) }
        }
        return isGreedy ? Array(repeating: texts[0], count: count) : texts
    }

    /// How many tokens all prompts begin with, at least one of each left over; 0 if reading them apart
    /// would change something or save little.
    func sharedLength(_ prompts: [[Int32]]) -> Int {
        guard prompts.count > 1, model.canContinue, !model.hasTrees else { return 0 }
        let shortest = prompts.map(\.count).min() ?? 0
        let first = prompts[0]
        var length = 0
        while length < shortest - 1, prompts.allSatisfy({ $0[length] == first[length] }) {
            length += 1
        }
        return length >= 8 ? length : 0
    }
}

extension String {
    /// Python's `text in self`.
    fileprivate func contains(scalars text: String) -> Bool {
        cut(before: text).utf8.count != utf8.count
    }

    /// Python's `self.split(text)[0]`, for a text that is not empty.
    fileprivate func cut(before text: String) -> String {
        let (bytes, wanted) = (Array(utf8), Array(text.utf8))
        guard bytes.count >= wanted.count, let first = wanted.first else { return self }
        for start in 0...(bytes.count - wanted.count)
        where bytes[start] == first && bytes[start...].starts(with: wanted) {
            return String(decoding: bytes[..<start], as: UTF8.self)
        }
        return self
    }
}

extension AnswerWriter<MambaModel> {
    /// Prepares to write with what a model's and a tokenizer's files say of ends.
    init(model: MambaModel, _ loaded: LoadedTokenizer, seed: UInt64) {
        self.model = model
        tokenizer = loaded.tokenizer
        let own = model.configuration.generationEndTokens
        endTokens = Set(own.isEmpty ? model.configuration.endTokens : own)
            .union(loaded.eosID.map { [$0] } ?? [])
        endText = loaded.eosID.map {
            loaded.tokenizer.decode([$0], skippingSpecialTokens: false)
        }
        self.seed = seed
    }
}
