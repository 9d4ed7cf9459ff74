/// Makes the elements of a JSON array one at a time from the file's bytes.
final class JSONArrayReader {
    /// An element and the line on which it begins, from 1.
    struct Element {
        let line: Int
        let value: JSONValue
    }

    private let file: String
    private let bytes: [UInt8]
    private let options: JSONOptions
    private var position = 0
    /// The number of line feeds before `counted`.
    private var lineFeeds = 0
    private var counted = 0
    private var isFirst = true
    private var isAtEnd = false

    /// Reads a file of at most `limit` bytes and checks that an array begins in it.
    init(path: String, limit: Int, options: JSONOptions) throws {
        file = path
        self.options = options
        bytes = try JSONText.contents(of: path, limit: limit)
        let found = try parse { (parser) throws(JSONParser.Failure) -> String? in
            if parser.skipSpace() == UInt8(ascii: "[") {
                parser.position += 1
                return nil
            }
            return parser.skipSpace() == UInt8(ascii: "{") ? "an object" : try parser.value().kind
        }
        if let found { throw JSONError.notRecords(file: path, found: found) }
    }

    /// The next element, nil after the last.
    func next() throws -> Element? {
        if isAtEnd { return nil }
        var start = position
        let value = try parse { (parser) throws(JSONParser.Failure) -> JSONValue? in
            if parser.skipSpace() == UInt8(ascii: "]") {
                parser.position += 1
                if parser.skipSpace() != nil { throw parser.unexpected("the end of the text") }
                return nil
            }
            if !isFirst {
                guard parser.skipSpace() == UInt8(ascii: ",") else {
                    throw parser.unexpected("',' or ']'")
                }
                parser.position += 1
            }
            _ = parser.skipSpace()
            start = parser.position
            return try parser.value()
        }
        isFirst = false
        isAtEnd = value == nil
        return value.map { Element(line: line(at: start), value: $0) }
    }

    private func parse<Result>(
        _ body: (inout JSONParser) throws(JSONParser.Failure) -> Result
    ) throws -> Result {
        try JSONText.locating(bytes, file: file) { (buffer) throws(JSONParser.Failure) in
            var parser = JSONParser(buffer, options: options, position: position)
            let result = try body(&parser)
            position = parser.position
            return result
        }
    }

    private func line(at offset: Int) -> Int {
        lineFeeds += bytes.withUnsafeBufferPointer { JSONText.lineFeeds(in: $0[counted..<offset]) }
        counted = offset
        return lineFeeds + 1
    }
}
