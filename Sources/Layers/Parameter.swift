import Storage
import Tensors

/// A named tensor of a model, frozen until it is made trainable.
public final class Parameter {
    /// What a parameter does in its layer, which decides how it is drawn, kept and decayed.
    public enum Role: Sendable {
        /// Rows that are looked up, and what shares them.
        case table
        /// A matrix that is multiplied by.
        case weight
        /// A filter along the tokens.
        case filter
        /// What is added.
        case bias
        /// What is multiplied by, element by element.
        case scale
        /// What a state decays by.
        case decayRate

        /// Whether weight decay applies: as in Hugging Face's trainer, biases and normalisations are spared, and as
        /// in the original Mamba `A_log` and `D`.
        public var decays: Bool {
            switch self {
            case .table, .weight, .filter: true
            case .bias, .scale, .decayRate: false
            }
        }
    }

    /// The name in files, such as `backbone.layers.0.mixer.in_proj.weight`.
    public let name: String
    /// What it does.
    public let role: Role
    /// The values in the format they are kept in; may be mapped read-only from a file while the
    /// parameter is frozen.
    ///
    /// Those of a frozen parameter are replaced, never written to: what follows from them may be kept.
    public private(set) var matrix: WeightMatrix {
        didSet { (derived, keptHash) = (nil, nil) }
    }
    /// The sum of gradients since it was last cleared; `nil` while the parameter is frozen.
    public private(set) var gradient: Tensor?
    /// What ``derived(_:)`` keeps.
    private var derived: Tensor?
    /// ``contentHash``, once it was computed of values that cannot change.
    private var keptHash: UInt64?

    /// Creates a frozen parameter.
    public init(name: String, role: Role = .weight, matrix: WeightMatrix) {
        self.name = name
        self.role = role
        self.matrix = matrix
    }

    /// Creates a frozen parameter in single precision.
    public convenience init(name: String, role: Role = .weight, value: Tensor) {
        self.init(name: name, role: role, matrix: WeightMatrix(value))
    }

    /// The size of each axis.
    public var shape: [Int] { matrix.shape }

    /// The values of a parameter that is kept in single precision.
    ///
    /// - Precondition: It is; one in another format can be multiplied by, but not be trained, merged or saved.
    public var value: Tensor {
        guard let tensor = matrix.tensor else {
            preconditionFailure("\(name) is kept in \(matrix.format.rawValue), expected float32")
        }
        return tensor
    }

    /// Whether the parameter has a gradient.
    public var isTrainable: Bool { gradient != nil }

    /// Gives the parameter memory of its own and a gradient of zero.
    public func makeTrainable(on engine: any Engine) {
        guard !isTrainable else { return }
        train(
            in: engine.tensor(shape), gradient: engine.tensor(shape, repeating: 0), on: engine)
    }

    /// Moves the values, and the gradient if there is one, into memory of the caller's.
    ///
    /// - Parameters:
    ///   - memory: For the values, of the parameter's shape.
    ///   - gradient: For the gradient, of the parameter's shape; zero where there has been none.
    ///   - engine: The processor.
    public func train(in memory: Tensor, gradient: Tensor, on engine: any Engine) {
        engine.copy(value, to: memory)
        if let earlier = self.gradient { engine.copy(earlier, to: gradient) }
        matrix = WeightMatrix(memory)
        self.gradient = gradient
    }

    /// Takes the gradient away.
    public func freeze() { gradient = nil }

    /// A tensor that follows from the values, kept as long as they cannot change.
    ///
    /// - Parameter compute: Called where nothing is kept, each time if the parameter is trainable; always
    ///   the same function of the values, whose result nobody writes to.
    /// - Returns: What it returned.
    package func derived(_ compute: () -> Tensor) -> Tensor {
        if let derived { return derived }
        let computed = compute()
        if !isTrainable { derived = computed }
        return computed
    }

    /// A hash of the name, the shape, the format and every bit of the values.
    ///
    /// - Complexity: Reads all values, at the speed of memory; of a frozen parameter once.
    public var contentHash: UInt64 {
        if let keptHash { return keptHash }
        var hash = XXH64.hash("\(name) \(shape) \(matrix.format.rawValue)")
        matrix.forEachBuffer { hash = XXH64.hash($0, seed: hash) }
        if !isTrainable { keptHash = hash }
        return hash
    }

    /// Sets the gradient to zero.
    public func clearGradient(on engine: any Engine) {
        if let gradient { engine.fill(gradient, with: 0) }
    }

    /// Replaces the values by others of the same shape.
    public func replaceValue(_ value: Tensor) {
        precondition(
            value.shape == shape, "\(name) is \(shape), given \(value.shape)")
        matrix = WeightMatrix(value)
    }
}

/// A tensor as a file holds it.
public struct StoredTensor: Equatable, Sendable {
    /// The key in the file.
    public let name: String
    /// The size of each axis.
    public let shape: [Int]
    /// The number of values.
    public var count: Int { shape.reduce(1, *) }

    /// Describes a tensor.
    public init(name: String, shape: [Int]) {
        self.name = name
        self.shape = shape
    }
}
