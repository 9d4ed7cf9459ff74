/// Writes JSON byte for byte as Python's `json.dumps` does.
///
///     JSONWriter().string(value)                                // json.dumps(value)
///     JSONWriter(indent: 2, escapesNonASCII: false).string(value)  // indent=2, ensure_ascii=False
///
/// Numbers are in Python's shortest form, including `NaN`, `Infinity` and `-Infinity`.
public struct JSONWriter: Equatable, Sendable {
    /// The number of blanks a level; nil for one line.
    public var indent: Int?
    /// Whether all but ASCII is written as `\uXXXX`.
    public var escapesNonASCII: Bool
    /// Whether members are written in the order of their keys' characters.
    public var sortsKeys: Bool
    /// Whether blanks after `,` and `:` are left out; with `indent` only those before line ends.
    public var isCompact: Bool

    /// Creates a writer; the defaults are Python's.
    ///
    /// - Parameters:
    ///   - indent: Python's `indent`, at least 0; nil for one line.
    ///   - escapesNonASCII: Python's `ensure_ascii`.
    ///   - sortsKeys: Python's `sort_keys`.
    ///   - isCompact: Python's `separators=(",", ":")`.
    public init(
        indent: Int? = nil, escapesNonASCII: Bool = true, sortsKeys: Bool = false,
        isCompact: Bool = false
    ) {
        precondition((indent ?? 0) >= 0, "indent is \(indent ?? 0), expected at least 0")
        self.indent = indent
        self.escapesNonASCII = escapesNonASCII
        self.sortsKeys = sortsKeys
        self.isCompact = isCompact
    }

    /// The text of a value.
    public func string(_ value: JSONValue) -> String {
        String(decoding: bytes(value), as: UTF8.self)
    }

    /// The text of a value in UTF-8.
    public func bytes(_ value: JSONValue) -> [UInt8] {
        var output: [UInt8] = []
        write(value, level: 0, to: &output)
        return output
    }

    private func write(_ value: JSONValue, level: Int, to output: inout [UInt8]) {
        switch value {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): output.append(contentsOf: String(value).utf8)
        case .number(let value): output.append(contentsOf: JSONWriter.text(of: value).utf8)
        case .string(let value): write(value, to: &output)
        case .array(let elements):
            list(elements, "[", "]", level, &output) { element, output in
                write(element, level: level + 1, to: &output)
            }
        case .object(let object):
            let members =
                sortsKeys
                ? object.members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                : object.members
            list(members, "{", "}", level, &output) { member, output in
                write(member.key, to: &output)
                output.append(contentsOf: (isCompact ? ":" : ": ").utf8)
                write(member.value, level: level + 1, to: &output)
            }
        }
    }

    private func list<Element>(
        _ elements: [Element], _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ level: Int,
        _ output: inout [UInt8], _ each: (Element, inout [UInt8]) -> Void
    ) {
        output.append(UInt8(ascii: open))
        for (index, element) in elements.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            if indent != nil {
                newLine(level + 1, &output)
            } else if index > 0, !isCompact {
                output.append(UInt8(ascii: " "))
            }
            each(element, &output)
        }
        if indent != nil, !elements.isEmpty { newLine(level, &output) }
        output.append(UInt8(ascii: close))
    }

    private func newLine(_ level: Int, _ output: inout [UInt8]) {
        output.append(UInt8(ascii: "\n"))
        output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: level * (indent ?? 0)))
    }

    private static func text(of value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        return PythonFloat.repr(value)
    }
}

extension JSONWriter {
    private func write(_ text: String, to output: inout [UInt8]) {
        var text = text
        output.append(UInt8(ascii: "\""))
        text.withUTF8 { bytes in
            var rest = bytes[...]
            while let place = rest.firstIndex(where: isEscaped) {
                output.append(contentsOf: rest[..<place])
                rest = rest[place...]
                // Characters beyond ASCII are taken together: an escape is of UTF-16 units.
                let run = rest.prefix { $0 >= 0x80 }
                let count = max(run.count, 1)
                JSONWriter.escape(rest.prefix(count), to: &output)
                rest = rest.dropFirst(count)
            }
            output.append(contentsOf: rest)
        }
        output.append(UInt8(ascii: "\""))
    }

    private func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
            || (escapesNonASCII && byte >= 0x7F)
    }

    private static func escape(
        _ characters: Slice<UnsafeBufferPointer<UInt8>>, to output: inout [UInt8]
    ) {
        for unit in String(decoding: characters, as: UTF8.self).utf16 {
            switch unit {
            case 0x22: output.append(contentsOf: "\\\"".utf8)
            case 0x5C: output.append(contentsOf: "\\\\".utf8)
            case 0x0A: output.append(contentsOf: "\\n".utf8)
            case 0x0D: output.append(contentsOf: "\\r".utf8)
            case 0x09: output.append(contentsOf: "\\t".utf8)
            case 0x08: output.append(contentsOf: "\\b".utf8)
            case 0x0C: output.append(contentsOf: "\\f".utf8)
            default:
                let digits = String(unit, radix: 16).utf8
                output.append(contentsOf: "\\u".utf8)
                output.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: 4 - digits.count))
                output.append(contentsOf: digits)
            }
        }
    }
}
