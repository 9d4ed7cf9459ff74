/// The element types that the safetensors format knows, by its names.
public enum ElementType: String, CaseIterable, Sendable {
    /// Truth values, a byte each.
    case bool = "BOOL"
    /// Four-bit float, two a byte.
    case float4 = "F4"
    /// Six-bit float with three exponent bits.
    case float6E3M2 = "F6_E3M2"
    /// Six-bit float with two exponent bits.
    case float6E2M3 = "F6_E2M3"
    /// Unsigned 8-bit integer.
    case uint8 = "U8"
    /// Signed 8-bit integer.
    case int8 = "I8"
    /// Eight-bit float with five exponent bits.
    case float8E5M2 = "F8_E5M2"
    /// Eight-bit float with four exponent bits.
    case float8E4M3 = "F8_E4M3"
    /// Eight-bit exponent.
    case float8E8M0 = "F8_E8M0"
    /// Signed 16-bit integer.
    case int16 = "I16"
    /// Unsigned 16-bit integer.
    case uint16 = "U16"
    /// IEEE 754 half precision.
    case float16 = "F16"
    /// The upper half of single precision.
    case bfloat16 = "BF16"
    /// Signed 32-bit integer.
    case int32 = "I32"
    /// Unsigned 32-bit integer.
    case uint32 = "U32"
    /// IEEE 754 single precision.
    case float32 = "F32"
    /// Two single-precision numbers.
    case complex64 = "C64"
    /// IEEE 754 double precision.
    case float64 = "F64"
    /// Signed 64-bit integer.
    case int64 = "I64"
    /// Unsigned 64-bit integer.
    case uint64 = "U64"

    /// The size of one element, in bits.
    public var bits: Int {
        switch self {
        case .float4: 4
        case .float6E3M2, .float6E2M3: 6
        case .bool, .uint8, .int8, .float8E5M2, .float8E4M3, .float8E8M0: 8
        case .int16, .uint16, .float16, .bfloat16: 16
        case .int32, .uint32, .float32: 32
        case .complex64, .float64, .int64, .uint64: 64
        }
    }
}

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

/// Conversion between single and IEEE 754 half precision, in integer operations that every processor has.
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

    /// The nearest pattern, of two equally near the even one.
    ///
    /// Values beyond the largest finite one become infinite; a NaN stays one, quiet, with its sign.
    @inlinable
    public static func bits(_ value: Float) -> UInt16 {
        let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
        let magnitude = value.bitPattern & 0x7FFF_FFFF
        if magnitude > 0x7F80_0000 {
            return sign | 0x7E00 | UInt16(truncatingIfNeeded: magnitude >> 13) & 0x3FF
        }
        // From 2^16 on; what is a little smaller is carried to infinity by rounding.
        if magnitude >= 0x4780_0000 { return sign | 0x7C00 }
        if magnitude < 0x3880_0000 {
            // The last place of 1/2 is that of subnormal patterns, so the sum rounds as they do.
            let sum = Float(bitPattern: magnitude) + 0.5
            return sign | UInt16(truncatingIfNeeded: sum.bitPattern &- 0x3F00_0000)
        }
        let rounded = magnitude &+ 0xFFF &+ (magnitude >> 13 & 1) &- 0x3800_0000
        return sign | UInt16(truncatingIfNeeded: rounded >> 13)
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
