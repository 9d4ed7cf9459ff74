import Python

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
        var style = PythonJSON.Style()
        style.indentation = indent.map { String(repeating: " ", count: $0) }
        style.itemSeparator = isCompact || indent != nil ? "," : ", "
        style.keySeparator = isCompact ? ":" : ": "
        style.escapesNonASCII = escapesNonASCII
        var output = PythonJSON(style)
        write(value, to: &output)
        return output.bytes
    }

    private func write(_ value: JSONValue, to output: inout PythonJSON) {
        switch value {
        case .null: output.null()
        case .bool(let value): output.bool(value)
        case .integer(let value): output.integer(value)
        case .number(let value): output.number(value)
        case .string(let value): output.string(value)
        case .array(let elements):
            output.begin("[")
            for (index, element) in elements.enumerated() {
                output.separate(isFirst: index == 0)
                write(element, to: &output)
            }
            output.end("]", isEmpty: elements.isEmpty)
        case .object(let object):
            let members =
                sortsKeys
                ? object.members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                : object.members
            output.begin("{")
            for (index, member) in members.enumerated() {
                output.separate(isFirst: index == 0)
                output.key(member.key)
                write(member.value, to: &output)
            }
            output.end("}", isEmpty: members.isEmpty)
        }
    }
}
