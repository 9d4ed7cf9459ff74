import Testing

@testable import Storage

/// The expected values follow the definition: sign, `2^(exponent - bias)`, `1.fraction`.
private func value(
    ofPattern bits: UInt16, exponentBits: Int, fractionBits: Int
) -> Double {
    let sign: Double = bits >> 15 == 0 ? 1 : -1
    let exponent = Int(bits >> fractionBits) & ((1 << exponentBits) - 1)
    let fraction = Double(Int(bits) & ((1 << fractionBits) - 1))
    let bias = (1 << (exponentBits - 1)) - 1
    let step = Double(sign: .plus, exponent: -fractionBits, significand: 1)
    switch exponent {
    case (1 << exponentBits) - 1: return fraction == 0 ? sign * .infinity : .nan
    case 0: return sign * fraction * step * Double(sign: .plus, exponent: 1 - bias, significand: 1)
    default:
        return sign * (1 + fraction * step)
            * Double(sign: .plus, exponent: exponent - bias, significand: 1)
    }
}

@Suite("Narrow floats")
struct ConversionTests {
    private static let patterns = Array(UInt16.min...UInt16.max)

    private func check(
        _ values: [Float], exponentBits: Int, fractionBits: Int
    ) {
        for (bits, found) in zip(Self.patterns, values) {
            let expected = value(
                ofPattern: bits, exponentBits: exponentBits, fractionBits: fractionBits)
            if expected.isNaN {
                #expect(found.isNaN, "pattern \(bits)")
            } else if Double(found) != expected || found.sign != expected.sign {
                Issue.record("pattern \(bits) is \(found), expected \(expected)")
            }
            if (found.bitPattern >> 31 == 0) != (bits >> 15 == 0) {
                Issue.record("pattern \(bits) lost its sign")
            }
        }
    }

    @Test("every half-precision pattern has the value of its definition, at any alignment")
    func halfPrecision() {
        check(Self.patterns.map(HalfPrecision.float), exponentBits: 5, fractionBits: 10)
        check(convertAtOddAddress(HalfPrecision.convert), exponentBits: 5, fractionBits: 10)
    }

    @Test("every bfloat16 pattern has the value of its definition, at any alignment")
    func bfloat16() {
        check(Self.patterns.map(BFloat16.float), exponentBits: 8, fractionBits: 7)
        check(convertAtOddAddress(BFloat16.convert), exponentBits: 8, fractionBits: 7)
    }

    private func convertAtOddAddress(
        _ convert: (UnsafeRawBufferPointer, UnsafeMutableBufferPointer<Float>) -> Void
    ) -> [Float] {
        let bytes: [UInt8] = [0] + Self.patterns.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        return [Float](unsafeUninitializedCapacity: Self.patterns.count) { buffer, filled in
            bytes.withUnsafeBytes {
                convert(
                    UnsafeRawBufferPointer(rebasing: $0[1...]),
                    UnsafeMutableBufferPointer(rebasing: buffer[..<Self.patterns.count]))
            }
            filled = Self.patterns.count
        }
    }

    @Test("every bfloat16 value rounds to its own pattern; a NaN stays one")
    func roundTrip() {
        for bits in Self.patterns {
            let value = BFloat16.float(bits)
            let back = BFloat16.bits(value)
            if back != (value.isNaN ? bits | 0x40 : bits) {
                Issue.record("pattern \(bits) comes back as \(back)")
            }
        }
    }

    @Test("between two neighbours the nearer wins, of two equally near the even one")
    func rounding() {
        // All finite positive patterns, and the value just below, at, and above each middle.
        for bits in UInt16(0)..<0x7F7F {
            let base = UInt32(bits) << 16
            let even = bits & 1 == 0 ? bits : bits + 1
            for (offset, expected) in [
                (1, bits), (0x7FFF, bits), (0x8000, even), (0x8001, bits + 1), (0xFFFF, bits + 1),
            ] as [(UInt32, UInt16)] {
                let value = Float(bitPattern: base + offset)
                if BFloat16.bits(value) != expected || BFloat16.bits(-value) != expected | 0x8000 {
                    Issue.record("\(value) rounds to \(BFloat16.bits(value)), expected \(expected)")
                }
            }
        }
        #expect(BFloat16.bits(.greatestFiniteMagnitude) == 0x7F80, "overflow is infinite")
        #expect(BFloat16.bits(.infinity) == 0x7F80)
    }

    @Test("a NaN whose payload is in the lower half stays a NaN with its sign")
    func nan() {
        for pattern in [0x7F80_0001, 0x7FFF_FFFF, 0xFF80_0001, 0xFFFF_FFFF] as [UInt32] {
            let bits = BFloat16.bits(Float(bitPattern: pattern))
            #expect(BFloat16.float(bits).isNaN)
            #expect(UInt32(bits >> 15) == pattern >> 31)
        }
    }
}
