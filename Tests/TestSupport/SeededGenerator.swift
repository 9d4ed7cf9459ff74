import Tensors

/// The generator of tests: a seed fixes its sequence.
public typealias SeededGenerator = SplitMix64

extension Tensor {
    /// A tensor of values drawn evenly from `range`.
    public static func random(
        _ shape: [Int], in range: ClosedRange<Float>, using generator: inout SeededGenerator
    ) -> Tensor {
        Tensor(
            (0..<shape.reduce(1, *)).map { _ in Float.random(in: range, using: &generator) },
            shape: shape)
    }
}
