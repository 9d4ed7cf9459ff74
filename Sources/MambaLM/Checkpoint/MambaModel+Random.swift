import Glibc
import Layers
import Tensors

extension MambaModel {
    /// A model with fresh weights, in the official initialisation.
    ///
    /// - Parameters:
    ///   - configuration: The sizes, and the bounds of the draws.
    ///   - engine: The processor.
    ///   - generator: The source of the draws, used tensor by tensor in the order of a checkpoint.
    /// - Returns: The model; its parameters are frozen.
    public static func random(
        _ configuration: MambaConfiguration, engine: any Engine,
        using generator: inout some RandomNumberGenerator
    ) -> MambaModel {
        let source = FreshTensors(
            configuration: configuration, engine: engine, generator: generator)
        defer { generator = source.generator }
        do {
            return try MambaModel(configuration: configuration, tensors: source, engine: engine)
        } catch {
            preconditionFailure("fresh tensors cannot be missing: \(error)")
        }
    }
}

/// Draws each tensor by its rule.
///
/// Source: the reference implementation's `Mamba.__init__` and `_init_weights`: linear layers and the
/// convolution uniform within `1 / √fan-in`, `A` from 1 to the number of states, the step bias such that
/// its softplus is log-uniform.
private final class FreshTensors<Generator: RandomNumberGenerator>: ModelTensors {
    let configuration: MambaConfiguration
    let engine: any Engine
    var generator: Generator

    init(configuration: MambaConfiguration, engine: any Engine, generator: Generator) {
        self.configuration = configuration
        self.engine = engine
        self.generator = generator
    }

    func parameter(_ tensor: MambaTensor, layer: Int?) -> Parameter {
        Parameter(
            name: tensor.name(layer: layer), role: tensor.role,
            value: engine.reachable(value(of: tensor)))
    }

    private func value(of tensor: MambaTensor) -> Tensor {
        let (start, shape) = (configuration.initialization, tensor.shape(configuration))
        switch tensor {
        case .embeddings, .lmHead:
            return .filled(shape) { Double(start.range) * generator.nextNormal() }
        case .norm, .normF, .D: return Tensor(shape: shape, repeating: 1)
        case .inProj, .xProj, .convolution: return uniform(shape, 1 / fanIn(shape).squareRoot())
        case .outProj:
            var bound = 1 / fanIn(shape).squareRoot()
            if start.rescalesResidual { bound /= Double(configuration.layers).squareRoot() }
            return uniform(shape, bound)
        case .inProjBias, .outProjBias: return Tensor(shape: shape)
        case .convolutionBias:
            return uniform(shape, 1 / Double(configuration.convolutionWidth).squareRoot())
        case .dtProj:
            let bound = Double(start.stepScale) / fanIn(shape).squareRoot()
            if start.hasConstantSteps { return Tensor(shape: shape, repeating: Float(bound)) }
            return uniform(shape, bound)
        case .dtProjBias: return .filled(shape) { self.stepBias(start) }
        case .ALog:
            var next = 0
            return .filled(shape) {
                defer { next += 1 }
                return log(Double(next % shape[1] + 1))
            }
        }
    }

    private func fanIn(_ shape: [Int]) -> Double { Double(shape.dropFirst().reduce(1, *)) }

    private func uniform(_ shape: [Int], _ bound: Double) -> Tensor {
        .filled(shape) { generator.nextUniform(-bound, bound) }
    }

    /// The inverse of softplus of a log-uniform step.
    private func stepBias(_ start: MambaConfiguration.Initialization) -> Double {
        let (least, greatest) = (log(Double(start.stepLeast)), log(Double(start.stepGreatest)))
        let step = max(exp(generator.nextUniform(least, greatest)), Double(start.stepFloor))
        return step + log(-expm1(-step))
    }
}
