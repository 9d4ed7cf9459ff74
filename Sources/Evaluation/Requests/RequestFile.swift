import Storage

/// One line of a request file, as written by the user.
public enum RequestLine: Equatable, Sendable {
    /// `{"context": …, "continuation": …}`.
    case text(context: String, continuation: String)
    /// `{"context_ids": …, "continuation_ids": …}`; an empty context stands for the prefix token.
    case ids(context: [Int32], continuation: [Int32])
    /// `{"ids": …, "prompt_length": …}`: every token after the first is scored.
    case allPositions(ids: [Int32], promptLength: Int)

    /// Reads and checks a record.
    ///
    /// - Parameters:
    ///   - record: The record.
    ///   - allPositions: Whether `ids` is expected.
    ///   - vocabulary: The number of token ids of the model.
    /// - Throws: ``RequestError``, or `JSONError` where a field is missing or of another kind.
    public init(_ record: JSONRecord, allPositions: Bool, vocabulary: Int) throws {
        func ids(_ field: String) throws -> [Int32] {
            try record.fields.integers(field).map { id in
                guard (0..<vocabulary).contains(id) else {
                    throw RequestError.unknownToken(
                        place: record.place, field: field, id: id, vocabulary: vocabulary)
                }
                return Int32(id)
            }
        }
        if allPositions {
            let tokens = try ids("ids")
            guard !tokens.isEmpty else {
                throw RequestError.empty(place: record.place, field: "ids")
            }
            let prompt = try record.fields.integer(ifPresent: "prompt_length") ?? 0
            guard (0...tokens.count).contains(prompt) else {
                throw RequestError.promptLength(
                    place: record.place, found: prompt, tokens: tokens.count)
            }
            self = .allPositions(ids: tokens, promptLength: prompt)
        } else if record.fields.isPresent("context_ids")
            || record.fields.isPresent("continuation_ids")
        {
            let continuation = try ids("continuation_ids")
            guard !continuation.isEmpty else {
                throw RequestError.empty(place: record.place, field: "continuation_ids")
            }
            self = .ids(context: try ids("context_ids"), continuation: continuation)
        } else {
            self = .text(
                context: try record.fields.string("context"),
                continuation: try record.fields.string("continuation"))
        }
    }
}

/// What can be wrong with a request.
public enum RequestError: Error, Equatable {
    /// A token id is not one of the model's.
    case unknownToken(place: String, field: String, id: Int, vocabulary: Int)
    /// There is nothing to score.
    case empty(place: String, field: String)
    /// The prompt is longer than the text, or of negative length.
    case promptLength(place: String, found: Int, tokens: Int)
    /// The request is text and the model has no tokenizer.
    case noTokenizer(place: String, model: String)
}

extension RequestError: CustomStringConvertible {
    /// One line that names file, line and field.
    public var description: String {
        switch self {
        case .unknownToken(let place, let field, let id, let vocabulary):
            "\(quotedPath(place)): field \(quoted(field)) has the token id \(id), expected 0 to \(vocabulary - 1)"
        case .empty(let place, let field):
            "\(quotedPath(place)): field \(quoted(field)) has no tokens, expected at least one"
        case .promptLength(let place, let found, let tokens):
            "\(quotedPath(place)): field 'prompt_length' is \(found), expected 0 to \(tokens)"
        case .noTokenizer(let place, let model):
            "\(quotedPath(place)): request is text and \(quoted(model)) has no tokenizer; "
                + "add tokenizer.json there, or give context_ids and continuation_ids"
        }
    }
}
