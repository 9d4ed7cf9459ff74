import Storage

/// A value of a YAML file with the lines on which it stands.
public struct YAMLNode: Sendable {
    /// What the value is.
    public enum Content: Sendable {
        /// A text; plain if it stood without quotes.
        case scalar(String, isPlain: Bool)
        /// A Python function, named by `!function module.name`.
        case function(String)
        /// Values in order.
        case sequence([YAMLNode])
        /// Members in order, each key once.
        case mapping([Member])
    }

    /// A key and its value.
    public struct Member: Sendable {
        /// The key.
        public let key: String
        /// The line on which the key stands, from 1.
        public let line: Int
        /// The value.
        public let value: YAMLNode
    }

    /// The line on which the value begins, from 1.
    public let line: Int
    /// What the value is.
    public let content: Content
    /// The number of values that this stands for, itself included.
    let size: Int
    /// The levels of lists and mappings, 0 for a scalar.
    let height: Int
}

extension YAMLNode {
    /// The key that marks a Python function in ``value``.
    public static let functionKey = "!function"

    /// A scalar as it stands in the file, so `1e-4` and not a number; nil if this is none.
    public var text: String? {
        if case .scalar(let text, _) = content { text } else { nil }
    }

    /// The members of a mapping, nil if this is none.
    public var members: [Member]? {
        if case .mapping(let members) = content { members } else { nil }
    }

    /// A mapping of other members in its place.
    public func with(_ members: [Member]) -> YAMLNode {
        YAMLNode(line: line, content: .mapping(members), size: size, height: height)
    }

    /// The elements of a list, nil if this is none.
    public var elements: [YAMLNode]? {
        if case .sequence(let elements) = content { elements } else { nil }
    }

    /// The value; plain scalars are what PyYAML makes of them, and a function is a mapping with the one
    /// key ``functionKey``.
    public var value: JSONValue {
        switch content {
        case .scalar(let text, let isPlain): isPlain ? PlainScalar.value(of: text) : .string(text)
        case .function(let name): [YAMLNode.functionKey: .string(name)]
        case .sequence(let elements): .array(elements.map(\.value))
        case .mapping(let members): .object(JSONObject(members.map { ($0.key, $0.value.value) }))
        }
    }
}

/// What can be wrong with a YAML file.
public enum YAMLError: Error, Equatable {
    /// The text is not YAML, or holds what is not understood here.
    case invalid(file: String, line: Int, problem: String)
    /// A file, or what it stands for, is larger than a limit.
    case limit(file: String, line: Int, what: String, limit: Int)

    /// Where it was noticed, from 1.
    public var line: Int {
        switch self {
        case .invalid(_, let line, _), .limit(_, let line, _, _): line
        }
    }

    /// What is wrong, without the place.
    public var problem: String {
        switch self {
        case .invalid(_, _, let problem): problem
        case .limit(_, _, let what, let limit): "\(what) more than \(limit), the limit"
        }
    }
}

extension YAMLError: CustomStringConvertible {
    /// One line that names file and line.
    public var description: String {
        switch self {
        case .invalid(let file, let line, _), .limit(let file, let line, _, _):
            "\(quotedPath(file)):\(line): \(problem)"
        }
    }
}

/// What a YAML file may be at most; a file from outside cannot exceed it.
///
/// Few bytes can stand for a huge value by aliases, so values are counted as they are read.
public struct YAMLLimits: Sendable {
    /// The size of a file in bytes.
    public var bytes = 4 << 20
    /// Values that the file stands for, those of aliases counted each time.
    public var values = 200_000
    /// Nesting of lists and mappings, aliases followed.
    public var depth = 100

    /// Creates the default limits.
    public init() {}
}
