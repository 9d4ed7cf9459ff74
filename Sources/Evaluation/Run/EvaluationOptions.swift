/// How tasks are run.
public struct EvaluationOptions: Sendable {
    /// The number of examples in a prompt; nil for what each task says.
    ///
    /// A task that says 0 keeps 0.
    public var shots: Int?
    /// How many documents of each task are evaluated, the first ones; nil for all.
    ///
    /// Below 1 it is a fraction of them, rounded up.
    public var limit: Double?
    /// The documents of tasks, by task; nil for all.
    ///
    /// For a task named here, ``limit`` does not count.
    public var samples: [String: [Int]]?
    /// The most tokens that are read for one request.
    public var maximumLength = 2048
    /// About how many tokens are computed at once; changes no result.
    public var batchTokens = 1536
    /// The seed for drawing examples.
    public var fewShotSeed: UInt64 = 1234
    /// The number of bootstrap resamples for standard errors; 0 for no standard errors.
    public var bootstrapIterations = 100_000
    /// The number of threads for standard errors; changes no result.
    public var threads = 1
    /// Put before every prompt.
    public var systemInstruction: String?
    /// Whether the contexts of the windows of whole texts are prompts on which trees are built.
    ///
    /// Then perplexity mixes both kinds, as in the authors' run: of a long text only the last window
    /// has a context of any length. By default all windows are chains.
    public var rollingUsesTrees = false
    /// Whether a task whose examples are not drawn from where it says is an error.
    public var isStrict = false
    /// Whether no metrics are computed.
    public var predictsOnly = false

    /// Creates the default options.
    public init() {}
}

/// What happens during a run, for whoever watches.
public enum EvaluationEvent: Sendable, Equatable {
    /// Something that the user should know.
    case warning(String)
    /// A task begins.
    case started(task: String, documents: Int, requests: Int, resumed: Int)
    /// Requests of a task are done.
    case progress(task: String, done: Int, total: Int)
    /// Standard errors are being computed.
    case aggregating(task: String)
    /// A task is done.
    case finished(task: String)
}
