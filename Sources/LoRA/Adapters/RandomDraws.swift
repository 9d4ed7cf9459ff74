import Glibc

extension RandomNumberGenerator {
    /// A number drawn evenly from [0, 1), with 53 random bits.
    mutating func nextUniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A number drawn from the standard normal distribution, by two draws of the generator.
    ///
    /// Source: Box and Muller 1958; of the pair that the method gives, the second is not used, so
    /// that nothing has to be kept.
    mutating func nextNormal() -> Double {
        let radius = (-2 * log(1 - nextUniform())).squareRoot()
        return radius * cos(2 * Double.pi * nextUniform())
    }
}
