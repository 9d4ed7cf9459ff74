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
