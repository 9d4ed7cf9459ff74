import CYaml
import Storage

/// Reads YAML files from outside: the one way in which this project does.
///
/// A file holds one document. Keys are texts, each once; `<<` merges mappings; anchors and aliases are
/// followed. What a file stands for is bounded by ``YAMLLimits``, however few its bytes are.
public struct YAMLReader {
    private let file: String
    private let limits: YAMLLimits
    private let parser: YAMLParser
    private var anchors: [String: YAMLNode] = [:]
    private var values = 0
    /// Is told of keys that appear twice, with their lines; nil where they are errors.
    private let onDuplicateKey: ((String, Int) -> Void)?

    private init(
        _ text: UnsafeBufferPointer<UInt8>, file: String, limits: YAMLLimits,
        onDuplicateKey: ((String, Int) -> Void)?
    ) throws(YAMLError) {
        self.file = file
        self.onDuplicateKey = onDuplicateKey
        self.limits = limits
        parser = try YAMLParser(text, file: file)
    }

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - path: The file, a regular one.
    ///   - limits: What it may be at most.
    ///   - onDuplicateKey: Is told of keys that appear twice, with the line of the later one, which
    ///     counts, as in PyYAML; without it they are errors.
    /// - Returns: The value, nil if there is none.
    /// - Throws: ``YAMLError`` or `FileError`.
    public static func read(
        _ path: String, limits: YAMLLimits = YAMLLimits(),
        onDuplicateKey: ((String, Int) -> Void)? = nil
    ) throws -> YAMLNode? {
        if FilePath.exists(path), !FilePath.isFile(path) { throw FileError.notRegular(file: path) }
        return try parse(
            try ByteStream.contents(of: path, limit: limits.bytes), file: path, limits: limits,
            onDuplicateKey: onDuplicateKey)
    }

    /// Reads a text.
    ///
    /// - Parameters:
    ///   - bytes: The text, UTF-8.
    ///   - file: What messages call it.
    ///   - limits: What it may be at most.
    ///   - onDuplicateKey: As for ``read(_:limits:onDuplicateKey:)``.
    /// - Returns: The value, nil if there is none.
    /// - Throws: ``YAMLError``.
    public static func parse(
        _ bytes: [UInt8], file: String, limits: YAMLLimits = YAMLLimits(),
        onDuplicateKey: ((String, Int) -> Void)? = nil
    ) throws(YAMLError) -> YAMLNode? {
        if let offset = bytes.withUnsafeBufferPointer(UTF8Check.firstInvalid(in:)) {
            let line = bytes[..<offset].reduce(1) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
            throw .invalid(file: file, line: line, problem: "text is not valid UTF-8")
        }
        let result = bytes.withUnsafeBufferPointer { text in
            Result { () throws(YAMLError) -> YAMLNode? in
                var reader = try YAMLReader(
                    text, file: file, limits: limits, onDuplicateKey: onDuplicateKey)
                return try reader.document()
            }
        }
        return try result.get()
    }

    private mutating func document() throws(YAMLError) -> YAMLNode? {
        var root: YAMLNode?
        while true {
            let (event, line) = try parser.next()
            switch event {
            case .start, .documentEnd: continue
            case .streamEnd: return root
            default:
                guard root == nil else {
                    throw invalid(line, "a second document begins, expected one")
                }
                root = try node(event, line, depth: 0)
            }
        }
    }

    private mutating func node(
        _ event: YAMLParser.Event, _ line: Int, depth: Int
    ) throws(YAMLError) -> YAMLNode {
        switch event {
        case .alias(let name):
            guard let node = anchors[name] else {
                throw invalid(line, "alias '*\(oneLine(name))' stands for nothing")
            }
            try count(node.size, line)
            try check(depth: depth + node.height, line)
            return YAMLNode(
                line: line, content: node.content, size: node.size, height: node.height)
        case .scalar(let text, let isPlain, let tag, let anchor):
            return named(anchor, try leaf(text, isPlain, tag, line))
        case .sequenceStart(let tag, let anchor):
            try begin(depth, tag, line)
            return named(anchor, try sequence(line, depth: depth + 1))
        case .mappingStart(let tag, let anchor):
            try begin(depth, tag, line)
            return named(anchor, try mapping(line, depth: depth + 1))
        case .sequenceEnd, .mappingEnd, .documentEnd, .streamEnd, .start:
            throw invalid(line, "text is not YAML")
        }
    }

    private mutating func named(_ anchor: String?, _ node: YAMLNode) -> YAMLNode {
        if let anchor { anchors[anchor] = node }
        return node
    }

    private mutating func begin(_ depth: Int, _ tag: String?, _ line: Int) throws(YAMLError) {
        try count(1, line)
        try check(depth: depth + 1, line)
        guard let tag, !tag.hasPrefix(YAMLReader.standard), tag != "!" else { return }
        throw invalid(line, "found the tag '\(oneLine(tag))', expected none or !function")
    }

    private mutating func sequence(_ line: Int, depth: Int) throws(YAMLError) -> YAMLNode {
        var elements: [YAMLNode] = []
        while true {
            let (event, place) = try parser.next()
            if case .sequenceEnd = event { break }
            elements.append(try node(event, place, depth: depth))
        }
        return collection(.sequence(elements), line, of: elements)
    }

    private mutating func mapping(_ line: Int, depth: Int) throws(YAMLError) -> YAMLNode {
        var members: [YAMLNode.Member] = []
        var merged: [YAMLNode.Member] = []
        var keys: Set<[UInt8]> = []
        while true {
            let (event, place) = try parser.next()
            if case .mappingEnd = event { break }
            guard case .scalar(let text, let isPlain, let tag, let anchor) = event else {
                throw invalid(place, "key is a list, mapping or alias, expected text")
            }
            _ = named(anchor, try leaf(text, isPlain, tag, place))
            let (next, nextPlace) = try parser.next()
            let value = try node(next, nextPlace, depth: depth)
            if isPlain, text == "<<" {
                merged += try mergedMembers(of: value)
                continue
            }
            guard keys.insert(Array(text.utf8)).inserted else {
                guard let onDuplicateKey,
                    let first = members.firstIndex(where: { $0.key == text })
                else { throw invalid(place, "key appears twice: \(quoted(text))") }
                onDuplicateKey(text, place)
                members[first] = YAMLNode.Member(key: text, line: place, value: value)
                continue
            }
            members.append(YAMLNode.Member(key: text, line: place, value: value))
        }
        // Merged members come first, as in PyYAML; of several with one key the first counts.
        var first: [YAMLNode.Member] = []
        var mergedKeys: Set<[UInt8]> = []
        for member in merged {
            let key = Array(member.key.utf8)
            if !keys.contains(key), mergedKeys.insert(key).inserted { first.append(member) }
        }
        let all = first + members
        return collection(.mapping(all), line, of: all.map(\.value))
    }

    private func mergedMembers(of node: YAMLNode) throws(YAMLError) -> [YAMLNode.Member] {
        var result: [YAMLNode.Member] = []
        for part in node.elements ?? [node] {
            guard let members = part.members else {
                throw invalid(node.line, "'<<' merges what is no mapping")
            }
            result += members
        }
        return result
    }

    private func collection(
        _ content: YAMLNode.Content, _ line: Int, of parts: [YAMLNode]
    ) -> YAMLNode {
        YAMLNode(
            line: line, content: content, size: parts.reduce(1) { $0 + $1.size },
            height: 1 + (parts.map(\.height).max() ?? 0))
    }

    /// A scalar; a long text counts as several values, as aliases could repeat it often.
    private mutating func leaf(
        _ text: String, _ isPlain: Bool, _ tag: String?, _ line: Int
    ) throws(YAMLError) -> YAMLNode {
        let size = 1 + text.utf8.count / 256
        try count(size, line)
        return YAMLNode(
            line: line, content: try scalar(text, isPlain, tag, line), size: size, height: 0)
    }

    private static let standard = "tag:yaml.org,2002:"

    private func scalar(
        _ text: String, _ isPlain: Bool, _ tag: String?, _ line: Int
    ) throws(YAMLError) -> YAMLNode.Content {
        switch tag {
        case nil: return .scalar(text, isPlain: isPlain)
        case YAMLNode.functionKey?: return .function(text)
        case "!"?, (YAMLReader.standard + "str")?: return .scalar(text, isPlain: false)
        case let tag? where tag.hasPrefix(YAMLReader.standard):
            return .scalar(text, isPlain: isPlain)
        case let tag?:
            throw invalid(line, "found the tag '\(oneLine(tag))', expected none or !function")
        }
    }

    private mutating func count(_ number: Int, _ line: Int) throws(YAMLError) {
        values += number
        guard values <= limits.values else {
            throw .limit(
                file: file, line: line, what: "file stands for values,", limit: limits.values)
        }
    }

    private func check(depth: Int, _ line: Int) throws(YAMLError) {
        guard depth <= limits.depth else {
            throw .limit(
                file: file, line: line, what: "values are nested,", limit: limits.depth)
        }
    }

    private func invalid(_ line: Int, _ problem: String) -> YAMLError {
        .invalid(file: file, line: line, problem: problem)
    }
}

/// The events of libyaml, one after the other.
///
/// Readers that hash the keys of a mapping as soon as they have read them take for ever for a key of aliases
/// to aliases; so the events are read here, and counted before anything is done with them.
final class YAMLParser {
    /// One step through the text.
    enum Event {
        case alias(String)
        case scalar(String, isPlain: Bool, tag: String?, anchor: String?)
        case sequenceStart(tag: String?, anchor: String?)
        case sequenceEnd
        case mappingStart(tag: String?, anchor: String?)
        case mappingEnd
        case documentEnd
        case streamEnd
        /// The beginning of the stream or of a document.
        case start
    }

    private var parser = yaml_parser_t()
    private let file: String

    /// Prepares to read a text.
    ///
    /// The text must stay where it is as long as the parser is used.
    init(_ text: UnsafeBufferPointer<UInt8>, file: String) throws(YAMLError) {
        self.file = file
        guard yaml_parser_initialize(&parser) == 1 else {
            throw .invalid(file: file, line: 1, problem: "there is no memory to read the text")
        }
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(&parser, text.baseAddress, text.count)
    }

    deinit { yaml_parser_delete(&parser) }

    /// The next event and the line on which it begins, from 1.
    func next() throws(YAMLError) -> (event: Event, line: Int) {
        var event = yaml_event_t()
        guard yaml_parser_parse(&parser, &event) == 1 else { throw failure }
        defer { yaml_event_delete(&event) }
        let line = Int(event.start_mark.line) + 1
        switch event.type {
        case YAML_ALIAS_EVENT: return (.alias(text(event.data.alias.anchor) ?? ""), line)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return (
                .scalar(
                    String(decoding: bytes, as: UTF8.self),
                    isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE, tag: text(scalar.tag),
                    anchor: text(scalar.anchor)), line
            )
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            return (.sequenceStart(tag: text(start.tag), anchor: text(start.anchor)), line)
        case YAML_SEQUENCE_END_EVENT: return (.sequenceEnd, line)
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            return (.mappingStart(tag: text(start.tag), anchor: text(start.anchor)), line)
        case YAML_MAPPING_END_EVENT: return (.mappingEnd, line)
        case YAML_DOCUMENT_END_EVENT: return (.documentEnd, line)
        case YAML_STREAM_END_EVENT, YAML_NO_EVENT: return (.streamEnd, line)
        default: return (.start, line)
        }
    }

    private func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: UnsafePointer($0)) }
    }

    private var failure: YAMLError {
        let problem = parser.problem.map { String(cString: $0) } ?? "text is not YAML"
        return .invalid(file: file, line: Int(parser.problem_mark.line) + 1, problem: problem)
    }
}

/// What an unquoted scalar stands for in YAML 1.1, as PyYAML reads it.
enum PlainScalar {
    /// The value of a scalar's text.
    static func value(of text: String) -> JSONValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": return .bool(true)
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF":
            return .bool(false)
        case ".nan", ".NaN", ".NAN": return .number(.nan)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .number(.infinity)
        case "-.inf", "-.Inf", "-.INF": return .number(-.infinity)
        default: break
        }
        guard let first = text.utf8.first, "+-.0123456789".utf8.contains(first) else {
            return .string(text)
        }
        return integer(text) ?? number(text) ?? .string(text)
    }

    private static func integer(_ text: String) -> JSONValue? {
        let isNegative = text.hasPrefix("-")
        var digits = Substring(text)
        if isNegative || text.hasPrefix("+") { digits.removeFirst() }
        guard digits.utf8.first.map({ 0x30...0x39 ~= $0 }) ?? false else { return nil }
        var radix = 10
        if digits.hasPrefix("0x") {
            radix = 16
            digits = digits.dropFirst(2)
        } else if digits.hasPrefix("0b") {
            radix = 2
            digits = digits.dropFirst(2)
        } else if digits.hasPrefix("0"), digits.utf8.count > 1 {
            radix = 8
            digits = digits.dropFirst()
        }
        let plain = digits.filter { $0 != "_" }
        guard plain.unicodeScalars.allSatisfy({ $0.properties.isASCIIHexDigit }) else { return nil }
        return Int((isNegative ? "-" : "") + plain, radix: radix).map { .integer($0) }
    }

    /// A number needs a point; an exponent needs a sign.
    private static func number(_ text: String) -> JSONValue? {
        let plain = text.filter { $0 != "_" }
        var rest = Substring(plain)
        if rest.hasPrefix("-") || rest.hasPrefix("+") { rest.removeFirst() }
        let parts = rest.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        let tail = parts[1].lowercased()
        let pieces = tail.split(separator: "e", maxSplits: 1, omittingEmptySubsequences: false)
        guard pieces[0].utf8.allSatisfy({ 0x30...0x39 ~= $0 }),
            !(parts[0].isEmpty && pieces[0].isEmpty)
        else { return nil }
        if pieces.count == 2 {
            guard pieces[1].hasPrefix("+") || pieces[1].hasPrefix("-"),
                pieces[1].utf8.count > 1,
                pieces[1].utf8.dropFirst().allSatisfy({ 0x30...0x39 ~= $0 })
            else { return nil }
        }
        let sign = text.hasPrefix("-") ? "-" : ""
        let exponent = pieces.count == 2 ? "e" + pieces[1] : ""
        return Double("\(sign)0\(parts[0]).\(pieces[0])0\(exponent)").map { .number($0) }
    }
}
