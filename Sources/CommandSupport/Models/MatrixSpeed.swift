import Tensors

/// A quick measurement of the matrix kernels.
public enum MatrixSpeed {
    /// The best of a few runs of one of the 130M model's products.
    ///
    /// - Parameters:
    ///   - engine: What multiplies.
    ///   - format: The type of the weight.
    /// - Returns: Floating-point operations a second.
    public static func measure(
        _ engine: any Engine, format: WeightMatrix.Format = .float32
    ) -> Double {
        let (tokens, inFeatures, outFeatures) = (512, 768, 3072)
        var generator = SplitMix64(seed: 1)
        let x = engine.reachable(
            .filled([tokens, inFeatures]) { generator.nextUniform(-1, 1) })
        let values = Tensor.filled([outFeatures, inFeatures]) { generator.nextUniform(-1, 1) }
        let weight = engine.rounded(engine.reachable(values), to: format)
        let y = engine.tensor([tokens, outFeatures])
        let clock = ContinuousClock()
        let best =
            (0..<8).map { _ in
                clock.measure {
                    engine.linear(x, weight: weight, bias: nil, adding: nil, into: y)
                    engine.finish()
                }
            }.min() ?? .seconds(1)
        let seconds = Double(best.components.attoseconds) * 1e-18 + Double(best.components.seconds)
        return Double(2 * tokens * inFeatures * outFeatures) / max(seconds, 1e-9)
    }
}
