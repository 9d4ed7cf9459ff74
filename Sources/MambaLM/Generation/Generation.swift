import Tensors

/// Texts that go on from one prompt, drawn token by token.
///
///     let prompt = model.readPrompt(tokens)
///     let generation = Generation(of: model, after: prompt, settings)
///     while case let draws = generation.next(), !draws.isEmpty { … }
///
/// After the prompt each token costs the same, whatever came before. Several texts are computed together,
/// and each draws from a stream of its own: none depends on how many there are. Where the flow has no
/// single state, everything is computed again for each token.
///
/// Tokens and log-probabilities are those of computing the whole text again for each token.
public final class Generation {
    /// How texts are drawn and when they end.
    public struct Settings: Equatable, Sendable {
        /// How each token is drawn.
        public var sampling = TokenSampler.Settings()
        /// The same seed draws the same texts.
        public var seed: UInt64 = 0
        /// The most tokens of a text, at least 1.
        public var limit = 256
        /// Tokens that end a text and are no part of it.
        public var endTokens: Set<Int32> = []
        /// Whether the log-probability of each token is wanted.
        public var keepsLogProbabilities = false

        /// Creates the defaults.
        public init() {}
    }

    /// A text so far.
    public struct Text {
        /// The tokens drawn, without an end token.
        public internal(set) var tokens: [Int32] = []
        /// One log-probability a token, of the model's own distribution: before penalty, temperature and
        /// filters; empty unless asked for.
        public internal(set) var logProbabilities: [Double] = []
        /// Why it ended; `nil` while it has not.
        public internal(set) var stopReason: StopReason?
        /// What prompt and tokens leave behind, except for the last ``unreadCount`` tokens; `nil` where the
        /// flow has no single state.
        ///
        /// In memory that the next draw changes.
        public internal(set) var state: SequenceState?
        /// Whether the state is the text's own, not that of the prompt.
        fileprivate var ownsState = false
        /// How many of the last tokens the state has not read: 0 or 1.
        public internal(set) var unreadCount = 0
    }

    /// A token that was drawn.
    public struct Draw: Equatable, Sendable {
        /// The place of the text that it belongs to.
        public let text: Int
        /// The token.
        public let token: Int32
    }

    /// The texts.
    public private(set) var texts: [Text]
    private let model: MambaModel
    private let prompt: PromptReading
    private let settings: Settings
    private var samplers: [TokenSampler]
    /// The tokens of prompt and text, one array a text.
    private var histories: [[Int32]]
    /// Working memory: the logits of one token.
    private var logits: [Float] = []

    /// Begins texts.
    ///
    /// - Parameters:
    ///   - model: The model that read the prompt, unchanged since.
    ///   - prompt: What it read.
    ///   - settings: How texts are drawn and when they end.
    ///   - count: The number of texts, at least 1.
    public init(
        of model: MambaModel, after prompt: PromptReading, _ settings: Settings, count: Int = 1
    ) {
        precondition(count >= 1, "\(count) texts, expected at least 1")
        precondition(settings.limit >= 1, "limit is \(settings.limit), expected at least 1")
        self.model = model
        self.prompt = prompt
        self.settings = settings
        var text = Text()
        text.state = prompt.state
        texts = [Text](repeating: text, count: count)
        histories = [[Int32]](repeating: prompt.tokens, count: count)
        samplers = (0..<count).map {
            TokenSampler(settings.sampling, seed: settings.seed, stream: $0)
        }
    }

    /// Draws the next token of every text that has not ended.
    ///
    /// - Returns: The tokens, in the order of the texts; a text that an end token ends has none. Empty once
    ///   all have ended.
    public func next() -> [Draw] {
        let live = texts.indices.filter { texts[$0].stopReason == nil }
        guard !live.isEmpty else { return [] }
        return zip(live, nextLogits(of: live)).compactMap { text, row in
            row.read(into: &logits)
            let token = samplers[text].next(&logits, after: histories[text])
            guard !settings.endTokens.contains(token) else {
                texts[text].stopReason = .end
                return nil
            }
            if settings.keepsLogProbabilities {
                let targets = CrossEntropy.Inputs(targets: [token])
                texts[text].logProbabilities +=
                    model.engine.crossEntropy(row, targets).value.logProbabilities
            }
            histories[text].append(token)
            texts[text].tokens.append(token)
            texts[text].unreadCount = 1
            if texts[text].tokens.count == settings.limit { texts[text].stopReason = .length }
            return Draw(text: text, token: token)
        }
    }

    /// Ends a text.
    ///
    /// - Parameters:
    ///   - text: Its place.
    ///   - reason: Why; takes the place of an earlier reason.
    public func end(_ text: Int, _ reason: StopReason) { texts[text].stopReason = reason }

    /// Reads the last tokens of texts.
    ///
    /// - Returns: The logits of the next token of each, `[1, vocabulary]`, in memory that the next call uses
    ///   again.
    private func nextLogits(of live: [Int]) -> [Tensor] {
        guard live.allSatisfy({ texts[$0].unreadCount == 1 }) else {
            let row = prompt.logits.reshaped([1, prompt.logits.count])
            return [Tensor](repeating: row, count: live.count)
        }
        let batch = TokenBatch(
            live.map { text in
                guard let state = texts[text].state, let last = texts[text].tokens.last else {
                    return TokenBatch.Sequence(
                        tokens: histories[text], promptLength: prompt.tokens.count)
                }
                var sequence = TokenBatch.Sequence(tokens: [last], state: state)
                sequence.overwritesState = texts[text].ownsState
                return sequence
            })
        let reading = model.read(batch, keepingStates: model.flow.hasSingleState)
        for (text, state) in zip(live, reading.states) {
            (texts[text].state, texts[text].unreadCount) = (state, 0)
            texts[text].ownsState = true
        }
        return live.indices.map { reading.logits.rows($0..<$0 + 1) }
    }
}

/// Why a text that a model goes on with ended.
public enum StopReason: String, Sendable {
    /// An end token was drawn.
    case end
    /// A text that ends answers came up.
    case stop
    /// The limit of tokens was reached.
    case length
    /// The caller asked for it.
    case stopped
}
