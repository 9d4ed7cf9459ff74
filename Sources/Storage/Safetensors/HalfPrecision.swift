/// Conversion from IEEE 754 half precision, in integer operations that every processor has.
public enum HalfPrecision {
    /// The value of a pattern; exact, and a NaN keeps its sign and payload.
    @inlinable
    public static func float(_ bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let magnitude = UInt32(bits & 0x7FFF) << 13
        // Read as single precision, exponent and fraction are in place but 112 exponents too low;
        // the product puts that right, for subnormal patterns too, without rounding.
        let scaled = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
        let isFinite = bits & 0x7C00 != 0x7C00
        return Float(bitPattern: sign | (isFinite ? scaled : magnitude | 0x7F80_0000))
    }

    /// Converts many values.
    ///
    /// - Parameters:
    ///   - bytes: Little-endian patterns, at any alignment.
    ///   - target: Gets one value per two bytes; must be of that size.
    public static func convert(
        _ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableBufferPointer<Float>
    ) {
        target.fill(fromPatterns: bytes, float)
    }
}
