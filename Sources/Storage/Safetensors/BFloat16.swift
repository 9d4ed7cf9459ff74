/// Conversion between single precision and bfloat16, its upper half.
public enum BFloat16 {
    /// The value of a pattern; exact.
    @inlinable
    public static func float(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

    /// The nearest pattern, of two equally near the even one.
    ///
    /// Values beyond the largest finite one become infinite; a NaN stays one, quiet, with its sign.
    @inlinable
    public static func bits(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        let rounded = (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16
        // Rounding could carry a NaN's payload into its exponent or lose it: keep the upper half.
        return UInt16(truncatingIfNeeded: value.isNaN ? bits >> 16 | 0x40 : rounded)
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

    /// Converts many values, rounding each.
    ///
    /// - Parameters:
    ///   - values: The values.
    ///   - target: Gets one pattern per value; must be of that size.
    public static func convert(
        _ values: UnsafeBufferPointer<Float>, to target: UnsafeMutableBufferPointer<UInt16>
    ) {
        precondition(
            values.count == target.count, "\(values.count) values for \(target.count) patterns")
        for index in 0..<values.count { target[index] = bits(values[index]) }
    }
}

extension UnsafeMutableBufferPointer<Float> {
    /// Sets every element to the value of a little-endian 16-bit pattern, at any alignment.
    @inline(__always)
    func fill(fromPatterns bytes: UnsafeRawBufferPointer, _ value: (UInt16) -> Float) {
        precondition(bytes.count == count * 2, "\(bytes.count) bytes for \(count) values")
        for index in 0..<count {
            let bits = bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)
            self[index] = value(UInt16(littleEndian: bits))
        }
    }
}
