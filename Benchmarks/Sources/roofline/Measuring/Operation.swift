import Tensors

/// Something to be measured: what it is called, what it needs, and how it is run.
struct Operation {
    /// The operation and its sizes except for the tokens.
    let name: String
    /// The group of rows in which it is shown.
    let group: String
    /// What it needs at least; nil where neither arithmetic nor memory bounds it.
    let work: Work?
    /// The formula of ``work``, for the reader.
    let formula: String
    /// Makes operands, which live as long as what it returns.
    let prepare: () -> () -> Void
}

/// A measured operation.
struct MeasuredOperation: Codable {
    let name: String
    let group: String
    let tokens: Int
    let formula: String
    let work: Work?
    let timing: Timing
    /// The shortest possible time by the measured limits; nil where there is none.
    var limit: Double?
    /// Whether the limit is that of memory.
    var isBoundByMemory: Bool?

    /// Holds the operation against the limits of the machine.
    mutating func compare(with limits: MachineLimits) {
        limit = work.map { limits.seconds(for: $0) }
        isBoundByMemory = work.map { limits.isBoundByMemory($0) }
    }
}

/// The sizes of the model whose operations are measured: those of the 130M checkpoint.
struct ModelShape {
    var model = 768
    var inner = 1536
    var state = 16
    var stepRank = 48
    var convolutionWidth = 4
    var vocabulary = 50280
    var layers = 24
    var rank = 8

    var projections: Int { stepRank + 2 * state }
    /// Rows of logits that are held at once.
    let logitRows = 256
}

extension Buffer {
    /// Random values in [-1, 1), `[rows, columns]`, laid out as a model's intermediate results are.
    static func random(rows: Int, columns: Int, _ seed: UInt64, on engine: any Engine) -> Tensor {
        let result = Buffer(of: engine, columns: columns).matrix(rows: rows)
        result.values = Tensor.random([rows, columns], seed).values
        return result
    }
}

extension Tensor {
    /// A tensor of random values in [-1, 1), times a factor.
    static func random(_ shape: [Int], _ seed: UInt64, scale: Double = 1) -> Tensor {
        var generator = SplitMix64(seed: seed)
        return .filled(shape) { generator.nextUniform(-scale, scale) }
    }
}
