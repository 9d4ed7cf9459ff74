/// Decimal digits of a binary floating-point number, rounded exactly.
enum DecimalExpansion {
    /// The number with `places` digits after the point, halves to even on the exact value, as C's
    /// `%.*f` gives it.
    ///
    /// - Parameters:
    ///   - value: A finite number.
    ///   - places: Digits after the point, 0 to 400.
    /// - Returns: The digits, with a sign if the number is negative.
    static func fixed(_ value: Double, places: Int) -> String {
        // value = significand * 2^exponent
        let exponent = value == 0 ? 0 : Int(value.exponent) - 52
        let significand = value.magnitude.significandBitPattern
        let isNormal = value.isNormal
        var limbs = limbs(isNormal ? significand | 1 << 52 : significand)
        let power = isNormal || value == 0 ? exponent : -1074
        for _ in 0..<places { multiply(&limbs, by: 10) }
        if power >= 0 {
            for _ in 0..<power { multiply(&limbs, by: 2) }
        } else {
            shiftRight(&limbs, by: -power)
        }
        var digits = decimal(limbs)
        if digits.count <= places {
            digits = String(repeating: "0", count: places + 1 - digits.count) + digits
        }
        let sign = value.sign == .minus ? "-" : ""
        guard places > 0 else { return sign + digits }
        return sign + digits.dropLast(places) + "." + digits.suffix(places)
    }

    /// Little-endian base 2^32.
    private static func limbs(_ value: UInt64) -> [UInt32] {
        [UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32)]
    }

    private static func multiply(_ limbs: inout [UInt32], by factor: UInt64) {
        var carry: UInt64 = 0
        for index in limbs.indices {
            let product = UInt64(limbs[index]) * factor + carry
            limbs[index] = UInt32(truncatingIfNeeded: product)
            carry = product >> 32
        }
        if carry > 0 { limbs.append(UInt32(carry)) }
    }

    /// Divides by `2^bits`, rounding halves to even.
    private static func shiftRight(_ limbs: inout [UInt32], by bits: Int) {
        let total = limbs.count * 32
        func bit(_ index: Int) -> Bool {
            index < total && limbs[index / 32] >> UInt32(index % 32) & 1 == 1
        }
        let half = bit(bits - 1)
        let isAboveHalf = half && (0..<min(bits - 1, total)).contains { bit($0) }
        let isOdd = bit(bits)
        var result = [UInt32](repeating: 0, count: max(1, limbs.count))
        for index in 0..<max(0, total - bits) where bit(index + bits) {
            result[index / 32] |= 1 << UInt32(index % 32)
        }
        if half, isAboveHalf || isOdd {
            var index = 0
            while index < result.count {
                result[index] &+= 1
                if result[index] != 0 { break }
                index += 1
            }
            if index == result.count { result.append(1) }
        }
        limbs = result
    }

    private static func decimal(_ limbs: [UInt32]) -> String {
        var limbs = limbs
        var groups: [UInt64] = []
        while true {
            while let top = limbs.last, top == 0 { limbs.removeLast() }
            if limbs.isEmpty { break }
            var remainder: UInt64 = 0
            for index in limbs.indices.reversed() {
                let part = remainder << 32 | UInt64(limbs[index])
                limbs[index] = UInt32(part / 1_000_000_000)
                remainder = part % 1_000_000_000
            }
            groups.append(remainder)
        }
        guard let first = groups.last else { return "0" }
        return groups.dropLast().reversed().reduce(into: String(first)) { text, group in
            let digits = String(group)
            text += String(repeating: "0", count: 9 - digits.count) + digits
        }
    }
}
