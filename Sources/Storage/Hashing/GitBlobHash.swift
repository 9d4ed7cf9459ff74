/// The name that git, and so the hub, gives a file by its content.
///
/// It is the SHA-1 of `blob SIZE`, a zero byte and the content. Source: FIPS 180-4, section 6.1, and
/// git's format of objects. It tells damage, not forgery.
public enum GitBlobHash {
    /// The name of a file's content in hexadecimal, 40 characters.
    ///
    /// - Throws: ``FileError``.
    public static func hexadecimal(ofFile path: String) throws -> String {
        let file = try MappedFile(path: path)
        return withExtendedLifetime(file) { hexadecimal(of: file.bytes) }
    }

    static func hexadecimal(of content: UnsafeRawBufferPointer) -> String {
        let head = Array("blob \(content.count)\0".utf8)
        var state: [UInt32] = [
            0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0,
        ]
        var schedule = [UInt32](repeating: 0, count: 80)
        // The head ends inside the first block; the rest of it and the last ones are put together here.
        let first = min(64 - head.count, content.count)
        var block = head + content[..<first]
        var place = first
        while block.count == 64 || content.count - place >= 64 {
            if block.count == 64 {
                block.withUnsafeBytes { compress($0, &schedule, &state) }
                block.removeAll(keepingCapacity: true)
            } else {
                compress(
                    UnsafeRawBufferPointer(rebasing: content[place..<place + 64]), &schedule,
                    &state)
                place += 64
            }
        }
        block += content[place...]
        block.append(0x80)
        block += repeatElement(0, count: (120 - block.count) % 64)
        let bits = UInt64(head.count + content.count) &* 8
        block += stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: bits >> $0) }
        block.withUnsafeBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: 64) {
                compress(
                    UnsafeRawBufferPointer(rebasing: bytes[start..<start + 64]), &schedule, &state)
            }
        }
        return state.map { word in
            let text = String(word, radix: 16)
            return String(repeating: "0", count: 8 - text.count) + text
        }.joined()
    }

    private static func compress(
        _ block: UnsafeRawBufferPointer, _ schedule: inout [UInt32], _ state: inout [UInt32]
    ) {
        for index in 0..<16 {
            schedule[index] = UInt32(
                bigEndian: block.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
        }
        for index in 16..<80 {
            schedule[index] = rotate(
                schedule[index - 3] ^ schedule[index - 8] ^ schedule[index - 14]
                    ^ schedule[index - 16], 1)
        }
        var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
        for index in 0..<80 {
            let (mixed, constant): (UInt32, UInt32) =
                switch index / 20 {
                case 0: (b & c | ~b & d, 0x5a82_7999)
                case 1: (b ^ c ^ d, 0x6ed9_eba1)
                case 2: (b & c | b & d | c & d, 0x8f1b_bcdc)
                default: (b ^ c ^ d, 0xca62_c1d6)
                }
            let next = rotate(a, 5) &+ mixed &+ e &+ constant &+ schedule[index]
            (e, d, c, b, a) = (d, c, rotate(b, 30), a, next)
        }
        for (place, value) in [a, b, c, d, e].enumerated() { state[place] &+= value }
    }

    private static func rotate(_ word: UInt32, _ bits: UInt32) -> UInt32 {
        word &<< bits | word &>> (32 &- bits)
    }
}
