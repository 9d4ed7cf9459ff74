import MambaLM
import Storage
import Tokenization

/// Scores a file of requests: `mtl-eval loglikelihood`.
public struct RawScoring {
    private let model: MambaModel
    private let modelName: String
    private let tokenizer: LoadedTokenizer?
    private let scorer: ContinuationScorer<MambaModel>

    /// Prepares to score.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - modelName: How messages name it.
    ///   - tokenizer: For requests in text; `nil` if there is none.
    ///   - maximumLength: The most tokens that are read for one request.
    public init(
        model: MambaModel, modelName: String, tokenizer: LoadedTokenizer?, maximumLength: Int
    ) {
        self.model = model
        self.modelName = modelName
        self.tokenizer = tokenizer
        scorer = ContinuationScorer(
            model: model, maximumLength: maximumLength,
            batchTokens: EvaluationOptions().batchTokens)
    }

    /// Reads requests, scores them and writes them again with their scores, in the same order.
    ///
    /// - Parameters:
    ///   - input: A `.jsonl` or `.json` file, either with `.zst`.
    ///   - output: One JSON object a line; appears complete or not at all.
    ///   - allPositions: Whether requests are `{"ids": …}`.
    ///   - progress: Called with the number of requests that are done and their total.
    /// - Throws: ``RequestError``, `JSONError` or `FileError`.
    public func run(
        input: String, output: String, allPositions: Bool,
        progress: (_ done: Int, _ total: Int) -> Void
    ) throws {
        let records = try JSONRecords(path: input).all()
        let lines = try records.map {
            try RequestLine(
                $0, allPositions: allPositions, vocabulary: model.configuration.vocabulary)
        }
        let answers =
            allPositions
            ? scoreAllPositions(lines, progress: progress)
            : try scoreContinuations(lines, records, progress: progress)
        let writer = JSONWriter(escapesNonASCII: false)
        try AtomicFile.write(to: output) { file in
            for (record, answer) in zip(records, answers) {
                var object = record.object
                for member in answer.members { object[member.key] = member.value }
                try file.write(writer.string(.object(object)) + "\n")
            }
        }
    }

    private func scoreAllPositions(
        _ lines: [RequestLine], progress: (Int, Int) -> Void
    ) -> [JSONObject] {
        let texts = lines.map { line in
            guard case .allPositions(let ids, let promptLength) = line else {
                preconditionFailure("lines were read as this form")
            }
            return RequestText(predictingAllOf: ids, promptLength: promptLength)
        }
        return scores(of: texts, progress: progress).map { score in
            ["token_logprobs": .array(score.logProbabilities.map { .number($0) })]
        }
    }

    /// Scores texts and puts the scores into their order.
    private func scores(
        of texts: [RequestText], progress: (Int, Int) -> Void
    ) -> [ContinuationScore] {
        var scores = [ContinuationScore](
            repeating: ContinuationScore(logProbabilities: [], isGreedy: true), count: texts.count)
        var done = 0
        scorer.score(texts, isPrompt: true) { index, score in
            scores[index] = score
            done += 1
            progress(done, texts.count)
        }
        return scores
    }

    private func scoreContinuations(
        _ lines: [RequestLine], _ records: [JSONRecord], progress: (Int, Int) -> Void
    ) throws -> [JSONObject] {
        let end = model.configuration.endTokens.first
        var encoder = tokenizer.map { RequestEncoder($0, end: end) }
        let requests = try zip(lines, records).map { line, record in
            switch line {
            case .ids(let context, let continuation):
                return ScoringRequest(
                    context: context.isEmpty ? [encoder?.prefixToken ?? end ?? 0] : context,
                    continuation: continuation)
            case .text(let context, let continuation):
                guard
                    let request = encoder?.encode(context: context, continuation: continuation)
                else {
                    throw RequestError.noTokenizer(place: record.place, model: modelName)
                }
                guard !request.continuation.isEmpty else {
                    throw RequestError.empty(place: record.place, field: "continuation")
                }
                try check(request, at: record.place)
                return request
            case .allPositions: preconditionFailure("lines were read without this form")
            }
        }
        let texts = requests.map { RequestText($0, maximumLength: scorer.maximumLength) }
        return scores(of: texts, progress: progress).map { score in
            [
                "loglikelihood": .number(score.logLikelihood),
                "token_logprobs": .array(score.logProbabilities.map { .number($0) }),
                "is_greedy": .bool(score.isGreedy),
            ]
        }
    }

    /// A tokenizer may know more ids than the model.
    private func check(_ request: ScoringRequest, at place: String) throws {
        let vocabulary = model.configuration.vocabulary
        for (field, ids) in [
            ("context", request.context), ("continuation", request.continuation),
        ] {
            if let id = ids.first(where: { $0 >= vocabulary }) {
                throw RequestError.unknownToken(
                    place: place, field: field, id: Int(id), vocabulary: vocabulary)
            }
        }
    }
}

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

/// Encodes or decodes a file of records: `mtl-eval tokenize`.
public struct TokenizingFile {
    private let tokenizer: any Tokenizer

    /// Prepares to encode or decode.
    public init(tokenizer: any Tokenizer) { self.tokenizer = tokenizer }

    /// Adds `ids` to records with `text`, or `text` to records with `ids`.
    ///
    /// - Parameters:
    ///   - input: A `.jsonl` or `.json` file, either with `.zst`.
    ///   - output: One JSON object a line; appears complete or not at all.
    ///   - decoding: Whether ids become text.
    /// - Throws: ``RequestError``, `JSONError` or `FileError`.
    public func run(input: String, output: String, decoding: Bool) throws {
        let records = try JSONRecords(path: input)
        let encoder = tokenizer.makeEncoder()
        let writer = JSONWriter(escapesNonASCII: false)
        try AtomicFile.write(to: output) { file in
            while let record = try records.next() {
                var object = record.object
                if decoding {
                    object["text"] = .string(tokenizer.decode(try ids(of: record)))
                } else {
                    let ids = encoder.encode(try record.fields.string("text"))
                    object["ids"] = .array(ids.map { .integer(Int($0)) })
                }
                try file.write(writer.string(.object(object)) + "\n")
            }
        }
    }

    private func ids(of record: JSONRecord) throws -> [Int32] {
        try record.fields.integers("ids").map { id in
            guard (0..<tokenizer.vocabularySize).contains(id) else {
                throw RequestError.unknownToken(
                    place: record.place, field: "ids", id: id,
                    vocabulary: tokenizer.vocabularySize)
            }
            return Int32(id)
        }
    }
}
