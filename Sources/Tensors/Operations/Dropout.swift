/// Which elements of a matrix are dropped, and what the others are multiplied by.
///
///     y[row, column] = 0 with the given probability, else x[row, column] / (1 - probability)
///
/// The choice is a hash of the seed, the name and the place: the same whenever it is asked for, in
/// any order and by any number of threads, so that a pass that is computed again drops the same
/// elements, and the gradient is the same function of the gradient by `y`.
///
/// Source: Srivastava et al. 2014, "Dropout", in the inverted form that leaves evaluation as it is.
public struct Dropout: Equatable, Sendable {
    /// The probability that an element is dropped, in [0, 1).
    public let probability: Float
    /// What the hash of a place begins with.
    package let key: UInt64

    /// Chooses the elements.
    ///
    /// - Parameters:
    ///   - probability: In [0, 1).
    ///   - seed: Decides, with `name`, which elements are dropped.
    ///   - name: Tells the places apart that share a seed.
    public init(probability: Float, seed: UInt64, name: String) {
        precondition(
            probability >= 0 && probability < 1, "probability is \(probability), expected [0, 1)")
        self.probability = probability
        // FNV-1a, spelt out: what Storage has of it is not known this far down.
        let hash = name.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
        self.key = Dropout.mix(seed) ^ hash
    }

    /// The output function of SplitMix64.
    package static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
