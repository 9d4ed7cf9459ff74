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
        (self.model, self.modelName, self.tokenizer) = (model, modelName, tokenizer)
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
