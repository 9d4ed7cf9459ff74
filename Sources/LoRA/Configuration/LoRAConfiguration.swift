/// Which layers get an adapter, and of what kind.
///
/// Defaults are those of the command line, which are the released set-up of MambaTreeL.
public struct LoRAConfiguration: Equatable, Sendable {
    /// An exception for some layers.
    public struct Override<Value: Equatable & Sendable>: Equatable, Sendable {
        /// A layer's full name, or the end of it after a dot.
        public var module: String
        /// The value for these layers.
        public var value: Value

        /// Describes an exception.
        public init(module: String, value: Value) {
            self.module = module
            self.value = value
        }
    }

    /// The width of the low-rank terms, in 1...65536.
    public var rank = 8
    /// The numerator of the scaling.
    public var alpha = 16.0
    /// The probability that an element of a term's input is dropped while training, in [0, 1).
    ///
    /// The embedding's term drops nothing, as in PEFT.
    public var dropout = 0.0
    /// The layers: full names, ends of names after a dot, or ``allLinear``.
    public var targetModules = ["in_proj", "x_proj", "out_proj", "embeddings"]
    /// Whether the scaling is `alpha / √rank` instead of `alpha / rank`.
    public var usesRSLoRA = false
    /// Ranks that differ; the first one that fits a layer counts.
    public var rankPattern: [Override<Int>] = []
    /// Values of ``alpha`` that differ; the first one that fits a layer counts.
    public var alphaPattern: [Override<Double>] = []
    /// The name or the folder of the model that the adapter belongs to.
    public var baseModel: String?

    /// Creates the defaults, to be changed field by field.
    public init() {}

    /// Stands for every linear layer but the output projection.
    public static let allLinear = "all-linear"
    /// What ``allLinear`` stands for.
    private static let allLinearNames = ["dt_proj", "in_proj", "out_proj", "x_proj"]
    /// The largest accepted rank.
    static let rankLimit = 65536

    /// The targets as files name them: sorted, each once, ``allLinear`` written out.
    var targetNames: [String] {
        let names = targetModules.flatMap {
            $0 == LoRAConfiguration.allLinear ? LoRAConfiguration.allLinearNames : [$0]
        }
        return Set(names).sorted()
    }

    /// The rank of a layer's term.
    func rank(of module: String) -> Int {
        rankPattern.first { ModuleName($0.module).fits(module) }?.value ?? rank
    }

    /// What a layer's term is multiplied by.
    func scaling(of module: String) -> Float {
        let alpha = alphaPattern.first { ModuleName($0.module).fits(module) }?.value ?? alpha
        let rank = Double(rank(of: module))
        return Float(alpha / (usesRSLoRA ? rank.squareRoot() : rank))
    }

    /// Checks the ranges of all numbers.
    ///
    /// - Parameter file: The file that holds the configuration, for messages; nil if none does.
    /// - Throws: ``LoRAError/outOfRange(file:field:found:expected:)``.
    public func check(file: String? = nil) throws {
        func require(
            _ isFine: Bool, _ field: String, _ found: some Any, _ expected: String
        ) throws {
            guard isFine else {
                throw LoRAError.outOfRange(
                    file: file, field: field, found: "\(found)", expected: expected)
            }
        }
        let ranks = 1...LoRAConfiguration.rankLimit
        let rankRange = "an integer in 1...\(LoRAConfiguration.rankLimit)"
        try require(ranks.contains(rank), "r", rank, rankRange)
        for rank in rankPattern {
            try require(
                ranks.contains(rank.value), "rank_pattern.\(rank.module)", rank.value, rankRange)
        }
        let alphaRange = "a number that single precision can hold"
        try require(Float(alpha).isFinite, "lora_alpha", alpha, alphaRange)
        for alpha in alphaPattern {
            try require(
                Float(alpha.value).isFinite, "alpha_pattern.\(alpha.module)", alpha.value,
                alphaRange)
        }
        // As single precision, in which it is applied: the largest doubles below 1 round to 1.
        try require(
            dropout >= 0 && Float(dropout) < 1, "lora_dropout", dropout, "a probability in [0, 1)")
    }
}

/// A name as configurations give it: a layer's full name, or the end of it after a dot.
struct ModuleName {
    let text: String

    init(_ text: String) { self.text = text }

    /// Whether it names the layer.
    func fits(_ layer: String) -> Bool { layer == text || layer.hasSuffix("." + text) }
}
