extension JSONParser {
    /// Reads a number; a minus sign or a digit is next.
    mutating func number() throws(Failure) -> JSONValue {
        let start = position
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        if isNegative, options.allowsNonFinite, skip("Infinity") { return .number(-.infinity) }
        let digits = position
        guard skipDigits() > 0 else { throw unexpected("a digit") }
        if bytes[digits] == UInt8(ascii: "0"), position > digits + 1 {
            position = digits + 1
            throw unexpected("no digit after a leading 0")
        }
        var isInteger = true
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard skipDigits() > 0 else { throw unexpected("a digit") }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if position < bytes.count,
                bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
            {
                position += 1
            }
            guard skipDigits() > 0 else { throw unexpected("a digit") }
        }
        if isInteger, let value = integer(digits..<position, isNegative: isNegative) {
            return .integer(value)
        }
        let text = UnsafeBufferPointer(rebasing: bytes[start..<position])
        guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else {
            throw Failure(fault: .numberRange, offset: start)
        }
        return .number(value)
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
        return position - start
    }

    /// The value of some digits, nil if it does not fit.
    private func integer(_ range: Range<Int>, isNegative: Bool) -> Int? {
        var value = 0
        for byte in bytes[range] {
            let digit = Int(byte - UInt8(ascii: "0"))
            let (shifted, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isOver) =
                isNegative
                ? shifted.subtractingReportingOverflow(digit)
                : shifted.addingReportingOverflow(digit)
            if isTooLarge || isOver { return nil }
            value = sum
        }
        return value
    }
}
