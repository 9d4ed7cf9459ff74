import Glibc
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

/// Draws tensors by the rule for their names.
///
/// Source: the reference implementation's `Mamba.__init__` and `_init_weights`: linear layers and the
/// convolution uniform within `1 / √fan-in`, `A` from 1 to the number of states, the step bias such that
/// its softplus is log-uniform.
private final class FreshTensors<Generator: RandomNumberGenerator>: ModelTensors {
    let configuration: MambaConfiguration
    let engine: any Engine
    var generator: Generator

    init(configuration: MambaConfiguration, engine: any Engine, generator: Generator) {
        (self.configuration, self.engine, self.generator) = (configuration, engine, generator)
    }

    func weight(_ name: String, _ shape: [Int]) -> Parameter { parameter(name, shape) }

    func parameter(_ name: String, _ shape: [Int]) -> Parameter {
        Parameter(name: name, value: engine.reachable(value(name, shape)))
    }

    private func value(_ name: String, _ shape: [Int]) -> Tensor {
        let start = configuration.initialization
        if name == ParameterName.embeddings || name == ParameterName.lmHead {
            return .filled(shape) { Double(start.range) * generator.nextNormal() }
        }
        if name.hasSuffix(".A_log") {
            var next = 0
            return .filled(shape) {
                defer { next += 1 }
                return log(Double(next % shape[1] + 1))
            }
        }
        if name.hasSuffix(".D") || name.contains("norm") {
            return Tensor(shape: shape, repeating: 1)
        }
        if name.hasSuffix("dt_proj.weight") {
            let bound = Double(start.stepScale) / Double(shape[1]).squareRoot()
            if start.hasConstantSteps { return Tensor(shape: shape, repeating: Float(bound)) }
            return uniform(shape, bound)
        }
        if name.hasSuffix("dt_proj.bias") { return .filled(shape) { self.stepBias(start) } }
        if name.hasSuffix("conv1d.bias") {
            return uniform(shape, 1 / Double(configuration.convolutionWidth).squareRoot())
        }
        if name.hasSuffix("bias") { return Tensor(shape: shape) }
        let fanIn = shape.dropFirst().reduce(1, *)
        var bound = 1 / Double(fanIn).squareRoot()
        if name.hasSuffix("out_proj.weight") && start.rescalesResidual {
            bound /= Double(configuration.layers).squareRoot()
        }
        return uniform(shape, bound)
    }

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
