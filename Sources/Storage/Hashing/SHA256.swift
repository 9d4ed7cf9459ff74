/// The hash function SHA-256, over bytes that come piece by piece.
///
///     var hash = SHA256()
///     hash.update(bytes)
///     let text = hash.hexadecimal()
///
/// Source: FIPS 180-4.
public struct SHA256 {
    private var state = SHA256.initial
    /// The bytes of a block that is not yet full.
    private var pending: [UInt8] = []
    private var byteCount: UInt64 = 0

    /// Begins a hash.
    public init() { pending.reserveCapacity(64) }

    /// Adds bytes.
    public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// Adds integers, each as four bytes, the lowest first.
    public mutating func update(_ integers: [Int32]) { integers.withUnsafeBytes { update($0) } }

    /// Adds bytes.
    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        byteCount &+= UInt64(bytes.count)
        var rest = bytes[...]
        if !pending.isEmpty {
            let part = rest.prefix(64 - pending.count)
            pending += part
            rest = rest.dropFirst(part.count)
            guard pending.count == 64 else { return }
            pending.withUnsafeBytes { SHA256.compress($0, into: &state) }
            pending.removeAll(keepingCapacity: true)
        }
        let whole = rest.prefix(rest.count & ~63)
        SHA256.compress(UnsafeRawBufferPointer(rebasing: whole), into: &state)
        pending += rest.dropFirst(whole.count)
    }

    /// The hash of all bytes added so far, 32 bytes in hexadecimal.
    public func hexadecimal() -> String {
        var copy = self
        let bits = byteCount &* 8
        var padding: [UInt8] = [0x80]
        padding += repeatElement(0, count: (119 - pending.count) % 64)
        copy.update(padding)
        copy.update(
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: bits >> $0) })
        let digits = Array("0123456789abcdef".utf8)
        let text = (0..<8).flatMap { word in
            (0..<8).map { digits[Int(copy.state[word] >> (28 - 4 * UInt32($0))) & 15] }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The hash of a text's UTF-8 in hexadecimal, 64 characters.
    public static func hexadecimal(of text: String) -> String {
        var hash = SHA256()
        hash.update(Array(text.utf8))
        return hash.hexadecimal()
    }

    /// The hash of a file's bytes in hexadecimal; compressed files are not decompressed.
    ///
    /// - Parameter path: A regular file.
    /// - Returns: 64 characters.
    /// - Throws: ``FileError``.
    public static func hexadecimal(ofFile path: String) throws -> String {
        let file = try MappedFile(path: path)
        var hash = SHA256()
        withExtendedLifetime(file) { hash.update(file.bytes) }
        return hash.hexadecimal()
    }

    /// Works through whole blocks of 64 bytes.
    private static func compress(
        _ bytes: UnsafeRawBufferPointer, into state: inout InlineArray<8, UInt32>
    ) {
        constants.withUnsafeBufferPointer { constants in
            var schedule = InlineArray<16, UInt32>(repeating: 0)
            for start in stride(from: 0, to: bytes.count, by: 64) {
                for index in 0..<16 {
                    let word = bytes.loadUnaligned(
                        fromByteOffset: start + 4 * index, as: UInt32.self)
                    schedule[index] = UInt32(bigEndian: word)
                }
                round(&schedule, constants, &state)
            }
        }
    }

    /// Works through one block; the schedule is extended in place, 16 words at a time.
    @inline(__always)
    private static func round(
        _ schedule: inout InlineArray<16, UInt32>, _ constants: UnsafeBufferPointer<UInt32>,
        _ state: inout InlineArray<8, UInt32>
    ) {
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        for index in 0..<64 {
            let place = index & 15
            if index >= 16 {
                let (early, late) = (schedule[(index + 1) & 15], schedule[(index + 14) & 15])
                let first = rotate(early, 7) ^ rotate(early, 18) ^ early >> 3
                let second = rotate(late, 17) ^ rotate(late, 19) ^ late >> 10
                schedule[place] =
                    schedule[place] &+ first &+ schedule[(index + 9) & 15] &+ second
            }
            let choice = e & f ^ ~e & g
            let first =
                h &+ (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) &+ choice &+ constants[index]
                &+ schedule[place]
            let majority = a & b ^ a & c ^ b & c
            let second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) &+ majority
            (h, g, f, e) = (g, f, e, d &+ first)
            (d, c, b, a) = (c, b, a, first &+ second)
        }
        for (place, value) in [a, b, c, d, e, f, g, h].enumerated() { state[place] &+= value }
    }

    @inline(__always)
    private static func rotate(_ word: UInt32, _ bits: UInt32) -> UInt32 {
        word &>> bits | word &<< (32 &- bits)
    }

    private static let initial: InlineArray<8, UInt32> = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab,
        0x5be0_cd19,
    ]

    private static let constants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4,
        0xab1c_5ed5, 0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe,
        0x9bdc_06a7, 0xc19b_f174, 0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f,
        0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da, 0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7,
        0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967, 0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc,
        0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85, 0xa2bf_e8a1, 0xa81a_664b,
        0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070, 0x19a4_c116,
        0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7,
        0xc671_78f2,
    ]
}
