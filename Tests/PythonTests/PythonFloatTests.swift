import Glibc
import Python
import TestSupport
import Testing

/// The expected values and digests come from Python 3.11: `repr(x)`, and for a digest the FNV-1a
/// hash, 64 bits, of `repr(x) + "\n"` over all numbers of the list.
@Suite("Python's float form")
struct PythonFloatTests {
    @Test(
        "single values",
        arguments: [
            (0.0, "0.0"), (-0.0, "-0.0"), (1.0, "1.0"), (-1.5, "-1.5"), (0.1, "0.1"),
            (100.0, "100.0"), (2.0 / 3.0, "0.6666666666666666"),
            (-184.76422119140625, "-184.76422119140625"),
            (9_007_199_254_740_992.0, "9007199254740992.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"), (1e15, "1000000000000000.0"),
            (1e16, "1e+16"), (1.2e16, "1.2e+16"),
            (1.2345678901234568e+17, "1.2345678901234568e+17"),
            (0.0001, "0.0001"), (0.00012345, "0.00012345"), (1e-5, "1e-05"), (1.5e-5, "1.5e-05"),
            (4.617921089946659e+24, "4.617921089946659e+24"), (1e22, "1e+22"), (1e100, "1e+100"),
            (.leastNonzeroMagnitude, "5e-324"), (.leastNormalMagnitude, "2.2250738585072014e-308"),
            (.greatestFiniteMagnitude, "1.7976931348623157e+308"),
            (.nan, "nan"), (.infinity, "inf"), (-.infinity, "-inf"),
        ] as [(Double, String)])
    func singleValues(value: Double, expected: String) {
        #expect(PythonFloat.repr(value) == expected)
    }

    @Test("100,000 random bit patterns")
    func randomPatterns() {
        var generator = SeededGenerator(seed: 1)
        let values = (0..<100_000).map { _ in Double(bitPattern: generator.next()) }
        #expect(digest(values) == 0x905F_FEC3_3FEE_6D60)
    }

    @Test("all powers of two")
    func powersOfTwo() {
        let values = (-1074..<1024).map { Double(sign: .plus, exponent: $0, significand: 1) }
        #expect(digest(values) == 0x8A2C_E174_D347_9C89)
    }

    @Test("all powers of ten")
    func powersOfTen() throws {
        let values = try (-323..<309).map { try #require(Double("1e\($0)")) }
        #expect(digest(values) == 0xFA0A_C974_EBE1_1314)
    }

    @Test("thousandths up to 100")
    func thousandths() {
        #expect(digest((0..<100_000).map { Double($0) / 1000 }) == 0x9A03_5909_C94B_63E5)
    }

    private func digest(_ values: [Double]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for value in values {
            for byte in (PythonFloat.repr(value) + "\n").utf8 {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
            }
        }
        return hash
    }

    @Test("fixed decimals are printf's")
    func fixedDecimalsArePrintfs() {
        let values: [Double] = [
            0, -0.0, 0.00005, 0.00015, 0.12345, 2.5, 3.5, 1e-300, .leastNonzeroMagnitude, 1e22,
            123_456_789.987_654,
            0.1, 0.99995, 9.99999, 1e15 / 7, -1.00005, 1.0 / 3, 8.5, .greatestFiniteMagnitude,
        ]
        for value in values {
            for decimals in [0, 1, 4, 7] {
                var buffer = [CChar](repeating: 0, count: 400)
                let count = withVaList([value]) {
                    vsnprintf(&buffer, buffer.count, "%.\(decimals)f", $0)
                }
                let expected = String(
                    decoding: buffer.prefix(Int(count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
                #expect(PythonFloat.fixed(value, places: decimals) == expected)
            }
        }
        #expect(PythonFloat.fixed(.nan, places: 4) == "nan")
        #expect(PythonFloat.fixed(-.infinity, places: 4) == "-inf")
    }
}
