/// Reads the rows of a table of texts, with commas or tabs between them, as objects.
///
/// The first row names the columns. A value in double quotes may hold separators, line ends and, doubled, quotes.
///
/// Source: RFC 4180.
struct TableReader {
    private let file: String
    private let bytes: [UInt8]
    private let separator: UInt8
    private var position = 0
    private var line = 1
    private var columns: [String] = []

    /// Reads a file of at most `limit` bytes and the names of its columns.
    ///
    /// - Throws: ``FileError`` or ``TableError``.
    init(path: String, limit: Int, separator: UInt8) throws {
        (file, self.separator) = (path, separator)
        bytes = try JSONText.contents(of: path, limit: limit)
        if let offset = bytes.withUnsafeBufferPointer(UTF8Check.firstInvalid(in:)) {
            let before = bytes[..<offset]
            let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            throw FileError.notUTF8(
                file: path, line: before.count { $0 == UInt8(ascii: "\n") } + 1,
                byte: offset - start + 1)
        }
        columns = try row()?.values ?? []
        var names: Set<String> = []
        for name in columns where name.isEmpty || !names.insert(name).inserted {
            throw TableError.column(file: path, name: name)
        }
    }

    /// The next row and the line on which it begins; nil after the last.
    ///
    /// Blank lines are skipped.
    mutating func next() throws -> (object: JSONObject, line: Int)? {
        guard let (values, line) = try row() else { return nil }
        guard values.count == columns.count else {
            throw TableError.values(
                file: file, line: line, found: values.count, expected: columns.count)
        }
        return (JSONObject(zip(columns, values).map { ($0, .string($1)) }), line)
    }

    private mutating func row() throws -> (values: [String], line: Int)? {
        while position < bytes.count, isLineEnd(bytes[position]) { skipLineEnd() }
        guard position < bytes.count else { return nil }
        let first = line
        var values: [String] = []
        while true {
            values.append(try value())
            guard position < bytes.count else { return (values, first) }
            guard bytes[position] == separator else {
                skipLineEnd()
                return (values, first)
            }
            position += 1
        }
    }

    /// A value, up to a separator, a line end or the end.
    private mutating func value() throws -> String {
        let quote = UInt8(ascii: "\"")
        guard position < bytes.count, bytes[position] == quote else {
            let rest = bytes[position...]
            let end = rest.firstIndex { $0 == separator || isLineEnd($0) } ?? bytes.count
            defer { position = end }
            return String(decoding: bytes[position..<end], as: UTF8.self)
        }
        let first = line
        var text: [UInt8] = []
        var isClosed = false
        position += 1
        while position < bytes.count, !isClosed {
            let byte = bytes[position]
            position += 1
            if byte == quote {
                isClosed = position == bytes.count || bytes[position] != quote
                if isClosed { continue }
                position += 1
            }
            if byte == UInt8(ascii: "\n") { line += 1 }
            text.append(byte)
        }
        guard isClosed,
            position == bytes.count || bytes[position] == separator || isLineEnd(bytes[position])
        else { throw TableError.quote(file: file, line: first) }
        return String(decoding: text, as: UTF8.self)
    }

    private func isLineEnd(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }

    /// Passes a line feed, a carriage return, or both.
    private mutating func skipLineEnd() {
        if bytes[position] == UInt8(ascii: "\r") { position += 1 }
        if position < bytes.count, bytes[position] == UInt8(ascii: "\n") { position += 1 }
        line += 1
    }
}

/// What can be wrong with a table of texts.
public enum TableError: Error, Equatable {
    /// A column has no name, or that of another.
    case column(file: String, name: String)
    /// A row has more or fewer values than there are columns.
    case values(file: String, line: Int, found: Int, expected: Int)
    /// A value in quotes does not end, or goes on behind its quotes; the line on which it begins.
    case quote(file: String, line: Int)
}

extension TableError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .column(let file, let name):
            "\(quotedPath(file)):1: column is named \(quoted(name)), expected a name of its own for each"
        case .values(let file, let line, let found, let expected):
            "\(quotedPath(file)):\(line): row has \(found) values, expected \(expected), one for each column"
        case .quote(let file, let line):
            "\(quotedPath(file)):\(line): value in quotes does not end before a separator or a line's end, "
                + "expected quotes within it doubled"
        }
    }
}
