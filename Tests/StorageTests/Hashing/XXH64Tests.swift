import Testing

@testable import Storage

@Suite("XXH64")
struct XXH64Tests {
    // Of the xxhash package for Python.
    @Test(
        "the hash is that of the authors' code",
        arguments: [
            (0, 0, 0xef46_db37_51d8_e999),
            (1, 0, 0x1f25_c8d0_bc1f_4bb6),
            (4, 9, 0x27e0_45c9_79c4_9c51),
            (7, 1, 0xd8b4_a941_715f_ee31),
            (8, 0, 0xdab9_9d95_c6f9_0092),
            (31, 0, 0xa2aa_5f33_cc4a_6119),
            (32, 0, 0x23c3_c17e_f790_fd97),
            (33, 2654435761, 0x72cd_d326_2f46_7933),
            (63, 0, 0x5e3e_54b4_31c7_493c),
            (75, 9223372036854775808, 0x2cde_966c_7684_e424),
            (1000, 5, 0x208b_e8ca_f3f7_89af),
        ] as [(Int, UInt64, UInt64)])
    func hash(count: Int, seed: UInt64, expected: UInt64) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) }
        #expect(bytes.withUnsafeBytes { XXH64.hash($0, seed: seed) } == expected)
    }

    @Test("the hash of a text is that of its UTF-8")
    func text() {
        #expect(XXH64.hash("") == 0xef46_db37_51d8_e999)
        #expect(XXH64.hash("abc") == 0x44bc_2cf5_ad77_0999)
    }

    @Test("every bit counts, and where it is")
    func bits() {
        let bytes = [UInt8](repeating: 0, count: 75)
        var seen: Set = [bytes.withUnsafeBytes { XXH64.hash($0) }]
        for bit in 0..<75 * 8 {
            var changed = bytes
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(seen.insert(changed.withUnsafeBytes { XXH64.hash($0) }).inserted, "bit \(bit)")
        }
    }
}
