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

    private init(
        _ text: UnsafeBufferPointer<UInt8>, file: String, limits: YAMLLimits
    ) throws(YAMLError) {
        (self.file, self.limits) = (file, limits)
        parser = try YAMLParser(text, file: file)
    }

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - path: The file, a regular one.
    ///   - limits: What it may be at most.
    /// - Returns: The value, nil if there is none.
    /// - Throws: ``YAMLError`` or `FileError`.
    public static func read(
        _ path: String, limits: YAMLLimits = YAMLLimits()
    ) throws -> YAMLNode? {
        if FilePath.exists(path), !FilePath.isFile(path) { throw FileError.notRegular(file: path) }
        return try parse(
            try ByteStream.contents(of: path, limit: limits.bytes), file: path, limits: limits)
    }

    /// Reads a text.
    ///
    /// - Parameters:
    ///   - bytes: The text, UTF-8.
    ///   - file: What messages call it.
    ///   - limits: What it may be at most.
    /// - Returns: The value, nil if there is none.
    /// - Throws: ``YAMLError``.
    public static func parse(
        _ bytes: [UInt8], file: String, limits: YAMLLimits = YAMLLimits()
    ) throws(YAMLError) -> YAMLNode? {
        if let offset = bytes.withUnsafeBufferPointer(UTF8Check.firstInvalid(in:)) {
            let line = bytes[..<offset].reduce(1) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
            throw .invalid(file: file, line: line, problem: "text is not valid UTF-8")
        }
        let result = bytes.withUnsafeBufferPointer { text in
            Result { () throws(YAMLError) -> YAMLNode? in
                var reader = try YAMLReader(text, file: file, limits: limits)
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
                throw invalid(place, "key appears twice: \(quoted(text))")
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
