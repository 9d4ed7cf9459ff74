extension JSONValue {
    /// Reads a JSON text.
    ///
    /// - Parameters:
    ///   - bytes: The text in UTF-8: one value, with white space around it at most.
    ///   - file: The name that messages begin with.
    ///   - firstLine: The number of the first line, for messages.
    ///   - options: What is accepted.
    /// - Throws: ``JSONError/syntax(file:line:column:fault:)``.
    public init(
        parsing bytes: [UInt8], file: String, firstLine: Int = 1,
        options: JSONOptions = JSONOptions()
    ) throws(JSONError) {
        self = try JSONText.locating(bytes, file: file, firstLine: firstLine) {
            (bytes) throws(JSONParser.Failure) in
            var parser = JSONParser(bytes, options: options)
            return try parser.document()
        }
    }

    /// Reads a JSON text.
    ///
    /// - Parameters:
    ///   - text: One value, with white space around it at most.
    ///   - file: The name that messages begin with.
    ///   - options: What is accepted.
    /// - Throws: ``JSONError/syntax(file:line:column:fault:)``.
    public init(
        parsing text: String, file: String, options: JSONOptions = JSONOptions()
    ) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), file: file, options: options)
    }

    /// Reads a JSON file, plain or zstd-compressed; a byte order mark is skipped.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - limit: The largest accepted size of the text, in bytes.
    ///   - options: What is accepted.
    /// - Returns: The value.
    /// - Throws: ``FileError`` or ``JSONError``.
    public static func read(
        _ path: String, limit: Int = 64 << 20, options: JSONOptions = JSONOptions()
    ) throws -> JSONValue {
        try JSONValue(
            parsing: JSONText.contents(of: path, limit: limit), file: path, options: options)
    }
}

/// What readers of whole JSON texts share.
enum JSONText {
    /// The bytes of a file, decompressed, without a byte order mark.
    static func contents(of path: String, limit: Int) throws -> [UInt8] {
        var bytes = try ByteStream.contents(of: path, limit: limit)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        return bytes
    }

    /// Runs a parser; says of a failure in which line and column it is.
    static func locating<Result>(
        _ bytes: [UInt8], file: String, firstLine: Int = 1,
        _ body: (UnsafeBufferPointer<UInt8>) throws(JSONParser.Failure) -> Result
    ) throws(JSONError) -> Result {
        try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) in
            try locating(buffer, file: file, firstLine: firstLine, body)
        }
    }

    /// Runs a parser; says of a failure in which line and column it is.
    static func locating<Result>(
        _ bytes: UnsafeBufferPointer<UInt8>, file: String, firstLine: Int,
        _ body: (UnsafeBufferPointer<UInt8>) throws(JSONParser.Failure) -> Result
    ) throws(JSONError) -> Result {
        do {
            return try body(bytes)
        } catch {
            let before = bytes[..<min(error.offset, bytes.count)]
            let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            // A character begins at every byte but those that continue one.
            let column = before[lineStart...].count { $0 & 0xC0 != 0x80 } + 1
            throw .syntax(
                file: file, line: firstLine + lineFeeds(in: before), column: column,
                fault: error.fault)
        }
    }

    /// The number of line feeds.
    static func lineFeeds(in bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
        bytes.count { $0 == UInt8(ascii: "\n") }
    }
}
