import Glibc

/// A small random generator whose sequence is fixed by its seed, on every machine.
///
/// Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators", figure 16.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    /// The whole state: a generator can be stored and taken up again.
    public private(set) var state: UInt64

    /// Creates a generator.
    public init(seed: UInt64) { state = seed }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension RandomNumberGenerator {
    /// A number drawn evenly from [0, 1), with 53 bits.
    public mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A number drawn evenly between two bounds.
    public mutating func nextUniform(_ least: Double, _ greatest: Double) -> Double {
        least + (greatest - least) * nextUnit()
    }

    /// A number drawn from the normal distribution of mean 0 and variance 1, by Box and Muller.
    public mutating func nextNormal() -> Double {
        let radius = (-2 * log(1 - nextUnit())).squareRoot()
        return radius * cos(2 * .pi * nextUnit())
    }
}

extension Tensor {
    /// A tensor in the host's memory whose elements come from `draw`, one after the other.
    public static func filled(_ shape: [Int], _ draw: () -> Double) -> Tensor {
        let tensor = Tensor(uninitialized: shape)
        tensor.withUnsafeMutableElements { elements in
            for index in elements.indices { elements[index] = Float(draw()) }
        }
        return tensor
    }
}
