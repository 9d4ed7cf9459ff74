/// The hash function XXH64: 64 bits at the speed of memory, to tell contents apart.
///
/// A changed bit changes the hash. It is no protection against contents that were made to have the same one:
/// ``SHA256`` is.
///
/// Source: Collet, "xxHash fast digest algorithm", version 0.1.1.
public enum XXH64 {
    private static let prime1: UInt64 = 0x9e37_79b1_85eb_ca87
    private static let prime2: UInt64 = 0xc2b2_ae3d_27d4_eb4f
    private static let prime3: UInt64 = 0x1656_67b1_9e37_79f9
    private static let prime4: UInt64 = 0x85eb_ca77_c2b2_ae63
    private static let prime5: UInt64 = 0x27d4_eb2f_1656_67c5

    /// The hash of a text's UTF-8.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - seed: Another seed gives another hash; that of what came before, one of both.
    /// - Returns: The hash.
    public static func hash(_ text: String, seed: UInt64 = 0) -> UInt64 {
        Array(text.utf8).withUnsafeBytes { hash($0, seed: seed) }
    }

    /// The hash of bytes.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - seed: As of ``hash(_:seed:)-(String,_)``.
    /// - Returns: The hash.
    public static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
        guard let start = bytes.baseAddress else { return finish(seed &+ prime5) }
        var place = start
        let end = start + bytes.count
        var hash = seed &+ prime5
        if bytes.count >= 32 {
            // Four sums that do not wait for one another.
            var (a, b) = (seed &+ prime1 &+ prime2, seed &+ prime2)
            var (c, d) = (seed, seed &- prime1)
            while end - place >= 32 {
                a = round(a, word(place))
                b = round(b, word(place + 8))
                c = round(c, word(place + 16))
                d = round(d, word(place + 24))
                place += 32
            }
            hash = rotated(a, 1) &+ rotated(b, 7) &+ rotated(c, 12) &+ rotated(d, 18)
            for sum in [a, b, c, d] { hash = (hash ^ round(0, sum)) &* prime1 &+ prime4 }
        }
        hash &+= UInt64(bytes.count)
        while end - place >= 8 {
            hash = rotated(hash ^ round(0, word(place)), 27) &* prime1 &+ prime4
            place += 8
        }
        if end - place >= 4 {
            let half = UInt64(UInt32(littleEndian: place.loadUnaligned(as: UInt32.self)))
            hash = rotated(hash ^ half &* prime1, 23) &* prime2 &+ prime3
            place += 4
        }
        while place < end {
            hash = rotated(hash ^ UInt64(place.load(as: UInt8.self)) &* prime5, 11) &* prime1
            place += 1
        }
        return finish(hash)
    }

    /// A hash as sixteen digits.
    public static func text(of hash: UInt64) -> String {
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    private static func word(_ place: UnsafeRawPointer) -> UInt64 {
        UInt64(littleEndian: place.loadUnaligned(as: UInt64.self))
    }

    private static func rotated(_ value: UInt64, _ bits: UInt64) -> UInt64 {
        value &<< bits | value &>> (64 &- bits)
    }

    private static func round(_ sum: UInt64, _ word: UInt64) -> UInt64 {
        rotated(sum &+ word &* prime2, 31) &* prime1
    }

    private static func finish(_ hash: UInt64) -> UInt64 {
        var hash = hash
        hash = (hash ^ hash &>> 33) &* prime2
        hash = (hash ^ hash &>> 29) &* prime3
        return hash ^ hash &>> 32
    }
}

/// The hash function FNV-1a, for keys of a few units that are hashed as they are read.
///
/// Source: Fowler, Noll and Vo, in the form of 64 bits.
@frozen
public struct FNV1a: Sendable {
    /// The hash of all units so far.
    public var value: UInt64 = 0xCBF2_9CE4_8422_2325

    /// Begins a hash.
    @inlinable
    public init() {}

    /// Adds a unit: a byte, or a word.
    @inlinable
    @inline(__always)
    public mutating func combine(_ unit: UInt64) {
        value = (value ^ unit) &* 0x100_0000_01B3
    }
}
