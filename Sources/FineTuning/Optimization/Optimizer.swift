import Layers
import Storage
import Tensors

/// AdamW over a set of parameters, with gradients clipped by their common norm.
public final class Optimizer {
    /// The parameters, in a fixed order, no name twice.
    public let parameters: [Parameter]
    /// The number of updates made.
    public private(set) var steps = 0

    private let configuration: TrainingConfiguration
    private let engine: any Engine
    /// Values, gradients and moments of all parameters, each in one piece: those that decay first.
    private let values, gradients: Tensor
    private let moments: AdamW.Moments
    /// Where each parameter lies in them.
    private let places: [Range<Int>]
    /// How many elements belong to parameters that decay.
    private let decaying: Int

    /// Makes parameters trainable and starts with zero moments.
    ///
    /// - Parameters:
    ///   - parameters: What is trained, no name twice.
    ///   - configuration: Decay rates, epsilon, weight decay and the norm to clip at.
    ///   - engine: The processor.
    public init(
        _ parameters: [Parameter], configuration: TrainingConfiguration, engine: any Engine
    ) {
        precondition(
            Set(parameters.map(\.name)).count == parameters.count, "two parameters have one name")
        self.parameters = parameters
        self.configuration = configuration
        self.engine = engine
        var places = [Range<Int>](repeating: 0..<0, count: parameters.count)
        var (end, decaying) = (0, 0)
        for decays in [true, false] {
            for (index, parameter) in parameters.enumerated()
            where parameter.role.decays == decays {
                places[index] = end..<end + parameter.matrix.count
                // Each begins on a cache line.
                end = (places[index].upperBound + 15) / 16 * 16
            }
            if decays { decaying = end }
        }
        func zeros() -> Tensor { engine.tensor([end], repeating: 0) }
        values = zeros()
        gradients = zeros()
        moments = AdamW.Moments(first: zeros(), second: zeros())
        self.places = places
        self.decaying = decaying
        for (parameter, place) in zip(parameters, places) {
            parameter.train(
                in: values.rows(place).reshaped(parameter.shape),
                gradient: gradients.rows(place).reshaped(parameter.shape), on: engine)
        }
    }

    /// Sets all gradients to zero.
    public func clearGradients() { engine.fill(gradients, with: 0) }

    /// The Euclidean norm of all gradients taken as one vector.
    ///
    /// Squares are added in double precision in the order of ``parameters``.
    public func gradientNorm() -> Deferred<Double> {
        let sum = engine.sumOfSquares(places.map { gradients.rows($0) })
        return Deferred { sum.value.squareRoot() }
    }

    /// What is trained and has a gradient of exactly 0: names of layers without their numbers, once each.
    ///
    /// The two matrices of an adapter count as one: of a fresh one only the second has a gradient.
    func targetsWithoutGradient() -> [String] {
        var sums: [String: Double] = [:]
        var targets: [String] = []
        for (parameter, place) in zip(parameters, places) {
            let target = Optimizer.target(of: parameter.name)
            if sums[target] == nil { targets.append(target) }
            sums[target, default: 0] += engine.sumOfSquares([gradients.rows(place)]).value
        }
        return targets.filter { sums[$0] == 0 }
    }

    /// `in_proj` of `base_model.model.backbone.layers.3.mixer.in_proj.lora_A.weight`, and
    /// `mixer.in_proj.weight` of a weight of the model.
    private static func target(of name: String) -> String {
        let parts = name.split(separator: ".")
        if let adapter = parts.firstIndex(where: { $0.hasPrefix("lora_") }), adapter > 0 {
            return String(parts[adapter - 1])
        }
        let number = parts.lastIndex { Int($0) != nil }
        return parts[(number.map { $0 + 1 } ?? 0)...].joined(separator: ".")
    }

    /// Moves every parameter against its gradient.
    ///
    /// If the norm exceeds the limit `m` of the configuration, gradients are multiplied by
    /// `m / (norm + 1e-6)`, as in PyTorch's `clip_grad_norm_`; a limit of 0 clips nothing.
    ///
    /// - Parameters:
    ///   - learningRate: The rate of this step.
    ///   - norm: What ``gradientNorm()`` gave.
    public func update(learningRate: Double, norm: Double) {
        steps += 1
        let limit = configuration.maxGradientNorm
        let scale = limit > 0 ? min(1, limit / (norm + 1e-6)) : 1
        let groups = [
            (0..<decaying, configuration.weightDecay), (decaying..<values.count, 0),
        ]
        for (group, decay) in groups where !group.isEmpty {
            let step = AdamW(
                learningRate: learningRate, beta1: configuration.adamBeta1,
                beta2: configuration.adamBeta2, epsilon: configuration.adamEpsilon,
                weightDecay: decay, gradientScale: Float(scale), step: steps)
            engine.adamW(
                step, parameter: values.rows(group), gradient: gradients.rows(group),
                moments: AdamW.Moments(
                    first: moments.first.rows(group), second: moments.second.rows(group)))
        }
    }
}

extension Optimizer {
    /// The name of a parameter, or of one's moment, with a value that is not finite; `nil` if all are.
    ///
    /// The squares of finite values add up to a finite sum in double precision.
    var brokenTensor: String? {
        func isBroken(_ tensor: Tensor) -> Bool { !engine.sumOfSquares([tensor]).value.isFinite }
        return parameters.first { isBroken($0.value) }?.name
            ?? namedMoments.first { isBroken($0.tensor) }?.name
    }

    /// Writes the moments as safetensors, under PyTorch's names `exp_avg` and `exp_avg_sq`.
    ///
    /// - Parameter path: The file.
    /// - Throws: ``FileError``.
    public func write(to path: String) throws {
        let tensors = namedMoments
        let places = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.tensor) })
        let specs = tensors.map {
            SafetensorsWriter.Spec(name: $0.name, type: .float32, shape: $0.tensor.shape)
        }
        try SafetensorsWriter.write(specs, metadata: ["step": String(steps)], to: path) {
            try $1.write(floats: places[$0.name]?.values ?? [])
        }
    }

    /// Takes over the moments that ``write(to:)`` wrote.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - steps: The number of updates they come from.
    /// - Throws: ``FileError``, ``SafetensorsError``, or ``CheckpointError`` for a tensor of another
    ///   shape or one that belongs to no parameter.
    public func read(from path: String, steps: Int) throws {
        let file = try SafetensorsFile(path: path)
        let tensors = namedMoments
        let known = Set(tensors.map(\.name))
        if let foreign = file.tensors.first(where: { !known.contains($0.name) }) {
            throw CheckpointError.unknownTensor(file: path, name: foreign.name)
        }
        for (name, tensor) in tensors {
            let stored = try file.tensor(name)
            guard stored.shape == tensor.shape else {
                throw CheckpointError.shape(
                    file: path, name: name, found: stored.shape, expected: tensor.shape)
            }
            tensor.values = try file.floats(of: stored)
        }
        self.steps = steps
    }

    private var namedMoments: [(name: String, tensor: Tensor)] {
        zip(parameters, places).flatMap { parameter, place in
            [(".exp_avg", moments.first), (".exp_avg_sq", moments.second)].map { ending, tensor in
                (parameter.name + ending, tensor.rows(place).reshaped(parameter.shape))
            }
        }
    }
}
