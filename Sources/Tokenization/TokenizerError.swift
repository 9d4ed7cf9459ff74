import Storage

/// Why a tokenizer cannot be loaded, besides the faults of files and of their JSON.
public enum TokenizerError: Error, Equatable {
    /// None of the files that were looked for exists.
    case missing(paths: [String])
    /// A field has an invalid value.
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
            "no tokenizer found; looked for \(paths.map(quoted).joined(separator: ", "))"
        case .invalid(let file, let field, let found, let expected):
            "\(quotedPath(file)): field \(quoted(field)) is \(oneLine(found)), "
                + "expected \(expected)"
        case .unsupported(let file, let field, let found, let supported):
            "\(quotedPath(file)): field \(quoted(field)) is \(oneLine(found)), "
                + "which is not supported; supported is \(supported)"
        case .unknownToken(let file, let field, let token):
            "\(quotedPath(file)): field \(quoted(field)) names token \(quoted(token)), "
                + "which is not in the vocabulary"
        case .sentencePiece(let file, let reason):
            "\(quotedPath(file)): not a usable SentencePiece model: \(oneLine(reason))"
        }
    }
}
