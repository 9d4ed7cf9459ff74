/// JSON as it is written, byte for byte as Python's `json.dumps` does.
///
/// Knows how values look, not what they are: whoever has them calls `begin`, `separate`, `end` and the
/// scalars in turn.
package struct PythonJSON {
    /// The arguments of `json.dumps`.
    package struct Style: Equatable, Sendable {
        /// What each level is indented by; nil for one line.
        package var indentation: String?
        /// What stands between items; with an indentation, before the end of the line.
        package var itemSeparator = ", "
        /// What stands between a key and its value.
        package var keySeparator = ": "
        /// Whether everything beyond ASCII is written as `\uXXXX`.
        package var escapesNonASCII = true
        /// Whether `< > & '` are, too, as in Jinja.
        package var escapesHTML = false

        /// Python's defaults.
        package init() {}
    }

    /// What has been written, in UTF-8.
    package private(set) var bytes: [UInt8] = []
    /// Whether something was left out because it would have passed the limit.
    package private(set) var isFull = false
    private var depth = 0
    private let style: Style
    private let limit: Int

    /// Begins a text of at most `limit` bytes.
    package init(_ style: Style, limit: Int = .max) {
        self.style = style
        self.limit = limit
    }

    /// Begins an array or an object with its bracket.
    package mutating func begin(_ open: Unicode.Scalar) {
        add(CollectionOfOne(UInt8(ascii: open)))
        depth += 1
    }

    /// Goes to the next item.
    package mutating func separate(isFirst: Bool) {
        if !isFirst { add(style.itemSeparator.utf8) }
        breakLine()
    }

    /// Ends an array or an object with its bracket.
    package mutating func end(_ close: Unicode.Scalar, isEmpty: Bool) {
        depth -= 1
        if !isEmpty { breakLine() }
        add(CollectionOfOne(UInt8(ascii: close)))
    }

    /// Writes the key of an object's member.
    package mutating func key(_ key: String) {
        string(key)
        add(style.keySeparator.utf8)
    }

    /// Writes `null`.
    package mutating func null() { add("null".utf8) }

    /// Writes `true` or `false`.
    package mutating func bool(_ value: Bool) { add((value ? "true" : "false").utf8) }

    /// Writes an integer.
    package mutating func integer(_ value: Int) { add(String(value).utf8) }

    /// Writes a number.
    package mutating func number(_ value: Double) { add(PythonJSON.text(of: value).utf8) }

    /// A number in Python's JSON: its `repr`, or `NaN`, `Infinity` and `-Infinity`.
    package static func text(of value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        return PythonFloat.repr(value)
    }

    /// Writes a string in quotes.
    package mutating func string(_ text: String) {
        guard text.utf8.count <= limit - bytes.count else {
            isFull = true
            return
        }
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { utf8 in
            var rest = utf8[...]
            while let place = rest.firstIndex(where: isEscaped) {
                bytes.append(contentsOf: rest[..<place])
                rest = rest[place...]
                // Characters beyond ASCII are taken together: an escape is of UTF-16 units.
                let run = rest.prefix { $0 >= 0x80 }
                let count = max(run.count, 1)
                escape(String(decoding: rest.prefix(count), as: UTF8.self))
                rest = rest.dropFirst(count)
            }
            bytes.append(contentsOf: rest)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private func isEscaped(_ byte: UInt8) -> Bool {
        switch byte {
        case 0..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"): true
        case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"), UInt8(ascii: "'"):
            style.escapesHTML
        case 0x7F...: style.escapesNonASCII
        default: false
        }
    }

    private mutating func escape(_ characters: String) {
        for unit in characters.utf16 {
            switch unit {
            case 0x22: bytes.append(contentsOf: "\\\"".utf8)
            case 0x5C: bytes.append(contentsOf: "\\\\".utf8)
            case 0x0A: bytes.append(contentsOf: "\\n".utf8)
            case 0x0D: bytes.append(contentsOf: "\\r".utf8)
            case 0x09: bytes.append(contentsOf: "\\t".utf8)
            case 0x08: bytes.append(contentsOf: "\\b".utf8)
            case 0x0C: bytes.append(contentsOf: "\\f".utf8)
            default:
                let digits = String(unit, radix: 16).utf8
                bytes.append(contentsOf: "\\u".utf8)
                bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: 4 - digits.count))
                bytes.append(contentsOf: digits)
            }
        }
    }

    private mutating func breakLine() {
        guard let indentation = style.indentation else { return }
        guard indentation.utf8.count * depth < limit - bytes.count else {
            isFull = true
            return
        }
        bytes.append(UInt8(ascii: "\n"))
        for _ in 0..<depth { bytes.append(contentsOf: indentation.utf8) }
    }

    private mutating func add(_ text: some Collection<UInt8>) {
        if text.count <= limit - bytes.count {
            bytes.append(contentsOf: text)
        } else {
            isFull = true
        }
    }
}
