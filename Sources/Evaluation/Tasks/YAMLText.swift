import Storage
import Yams

/// Reads a task file's YAML to values.
///
/// Plain scalars become what PyYAML makes of them (YAML 1.1). `!function module.name` becomes a
/// mapping with the one key ``functionKey``, which no plain text can spell.
enum YAMLText {
    /// The key that marks a Python function.
    static let functionKey = "!function"

    /// Reads one document.
    ///
    /// - Throws: ``TaskError``.
    static func parse(_ bytes: [UInt8], file: String) throws(TaskError) -> JSONValue {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .yaml(file: file, line: 1, problem: "text is not valid UTF-8")
        }
        try checkNesting(bytes, file: file)
        let node: Node?
        do {
            node = try compose(yaml: text)
        } catch let error as YamlError {
            throw failure(error, file: file)
        } catch {
            throw .yaml(file: file, line: 1, problem: "\(error)")
        }
        guard let node else { return .null }
        var reader = Reader(file: file)
        return try reader.value(node)
    }

    /// The reader of YAML is recursive; what is nested deeply is refused before.
    private static func checkNesting(_ bytes: [UInt8], file: String) throws(TaskError) {
        let limit = 100
        var (depth, line, dashes) = (0, 1, 0)
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n"):
                line += 1
                dashes = 0
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth = max(0, depth - 1)
            case UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"): dashes += 1
            case UInt8(ascii: " "): dashes += 1
            default: dashes = .min / 2
            }
            if depth > limit || dashes > 4 * limit {
                throw .yaml(
                    file: file, line: line, problem: "values are nested more than \(limit) deep")
            }
        }
    }

    private static func failure(_ error: YamlError, file: String) -> TaskError {
        let (line, problem): (Int, String) =
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                (mark.line, problem)
            case .duplicatedKeysInMapping(let duplicates, let context):
                (
                    context.mark.line,
                    "key appears twice: "
                        + duplicates.map { "'\($0)'" }.joined(separator: ", ")
                )
            case .no, .memory, .reader, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
                (1, "text is not YAML")
            }
        let shown = problem.isEmpty ? "text is not YAML" : problem
        return .yaml(file: file, line: max(1, line), problem: shown)
    }

    private struct Reader {
        let file: String
        /// Aliases can make a small file stand for a huge value.
        private var nodes = 0
        private var depth = 0

        init(file: String) { self.file = file }

        private func failure(_ node: Node, _ problem: String) -> TaskError {
            .yaml(file: file, line: node.mark?.line ?? 1, problem: problem)
        }

        mutating func value(_ node: Node) throws(TaskError) -> JSONValue {
            nodes += 1
            depth += 1
            defer { depth -= 1 }
            if nodes > 200_000 { throw failure(node, "file stands for more than 200000 values") }
            if depth > 100 { throw failure(node, "values are nested more than 100 deep") }
            switch node {
            case .scalar(let scalar): return try self.scalar(scalar, node)
            case .sequence(let sequence):
                var items: [JSONValue] = []
                for item in sequence { items.append(try value(item)) }
                return .array(items)
            case .mapping(let mapping): return .object(try members(mapping))
            case .alias: throw failure(node, "alias stands for nothing")
            }
        }

        private mutating func members(_ mapping: Node.Mapping) throws(TaskError) -> JSONObject {
            var (merged, own) = (JSONObject(), JSONObject())
            for (key, content) in mapping {
                guard case .scalar(let name) = key else {
                    throw failure(key, "key is a list or mapping, expected text")
                }
                if name.string == "<<", name.style == .plain {
                    let parts: [Node] =
                        if case .sequence(let sequence) = content { Array(sequence) } else {
                            [content]
                        }
                    // Of several, the first one counts.
                    for part in parts.reversed() {
                        guard case .object(let object) = try value(part) else {
                            throw failure(content, "'<<' merges what is no mapping")
                        }
                        for member in object.members { merged[member.key] = member.value }
                    }
                } else {
                    own[name.string] = try value(content)
                }
            }
            for member in own.members { merged[member.key] = member.value }
            return merged
        }

        private func scalar(
            _ scalar: Node.Scalar, _ node: Node
        ) throws(TaskError) -> JSONValue {
            let tag = scalar.tag.description
            let prefix = "tag:yaml.org,2002:"
            switch tag {
            case YAMLText.functionKey:
                return [YAMLText.functionKey: .string(scalar.string)]
            case prefix + "str": break
            case _ where scalar.style == .plain && (tag.isEmpty || tag.hasPrefix(prefix)):
                return PlainScalar.value(of: scalar.string)
            case _ where tag.isEmpty || tag == "!" || tag.hasPrefix(prefix): break
            default: throw failure(node, "found the tag '\(tag)', expected none or !function")
            }
            return .string(scalar.string)
        }
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
            (radix, digits) = (16, digits.dropFirst(2))
        } else if digits.hasPrefix("0b") {
            (radix, digits) = (2, digits.dropFirst(2))
        } else if digits.hasPrefix("0"), digits.utf8.count > 1 {
            (radix, digits) = (8, digits.dropFirst())
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
                pieces[1].dropFirst().description.isDigits
            else { return nil }
        }
        let sign = text.hasPrefix("-") ? "-" : ""
        let exponent = pieces.count == 2 ? "e" + pieces[1] : ""
        return Double("\(sign)0\(parts[0]).\(pieces[0])0\(exponent)").map { .number($0) }
    }
}
