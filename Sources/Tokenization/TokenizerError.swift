/// Why a tokenizer cannot be loaded.
public enum TokenizerError: Error, Equatable {
    /// None of the files that were looked for exists.
    case missing(paths: [String])
    /// A file exists and cannot be read.
    case unreadable(file: String, reason: String)
    /// A file is not JSON, first noticed at a line.
    case malformed(file: String, line: Int, problem: String)
    /// A field that must be there is not.
    case missingField(file: String, field: String)
    /// A field has a value of the wrong type, or one that makes no sense.
    case invalid(file: String, field: String, found: String, expected: String)
    /// A field asks for something this toolkit does not do.
    case unsupported(file: String, field: String, found: String, supported: String)
    /// A token that another part of the files names is in no vocabulary.
    case unknownToken(file: String, field: String, token: String)
    /// The SentencePiece library refuses a model.
    case sentencePiece(file: String, reason: String)
}

extension TokenizerError: CustomStringConvertible {
    /// The error as one line.
    public var description: String {
        switch self {
        case .missing(let paths):
            "no tokenizer found; looked for \(paths.map { "'\($0)'" }.joined(separator: ", "))"
        case .unreadable(let file, let reason):
            "\(file): cannot be read: \(reason)"
        case .malformed(let file, let line, let problem):
            "\(file):\(line): \(problem)"
        case .missingField(let file, let field):
            "\(file): field '\(field)' is missing"
        case .invalid(let file, let field, let found, let expected):
            "\(file): field '\(field)' is \(found), expected \(expected)"
        case .unsupported(let file, let field, let found, let supported):
            "\(file): field '\(field)' is \(found), which is not supported; supported is \(supported)"
        case .unknownToken(let file, let field, let token):
            "\(file): field '\(field)' names token '\(token)', which is not in the vocabulary"
        case .sentencePiece(let file, let reason):
            "\(file): not a usable SentencePiece model: \(reason)"
        }
    }
}
