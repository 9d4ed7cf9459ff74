import Prompting
import Threads
import Tokenization

/// Turns instruction records into token ids.
///
/// Prompt and answer are tokenised together as one text, as the template writes it, and the end token
/// follows without a space unless the template ends the answer itself. Loss is carried by the tokens
/// from the first in which this text departs from the prompt tokenised alone: where a prompt ends in a
/// space that the answer's first token takes in, that token is learnt, and the prompt, over which the
/// tree is built, ends before it. Special tokens written in a record become their ids, as in the
/// library that made the vocabulary. If the tokenizer puts a token before a text, it is part of the
/// prompt.
public struct RecordEncoder {
    /// What is needed for records that hold text.
    public struct TextEncoding {
        let tokenizer: any Tokenizer
        let template: PromptTemplate
        let startToken: Int32?
        let endToken: Int32

        /// Groups what is needed.
        ///
        /// - Parameters:
        ///   - tokenizer: The tokenizer and its configuration.
        ///   - template: Makes the prompts.
        ///   - endToken: The token after an answer, instead of the tokenizer's own.
        /// - Throws: ``DataError/noEndToken``.
        public init(
            tokenizer: LoadedTokenizer, template: PromptTemplate, endToken: Int32? = nil
        ) throws {
            guard let endToken = endToken ?? tokenizer.eosID else { throw DataError.noEndToken }
            self.tokenizer = tokenizer.tokenizer
            self.template = template
            self.endToken = endToken
            startToken = tokenizer.startID
        }
    }

    private let text: TextEncoding?
    private let limit: Int
    private let truncation: Truncation
    private let vocabulary: Int

    /// Prepares to encode.
    ///
    /// - Parameters:
    ///   - text: For records that hold text; not needed for ids.
    ///   - configuration: The most tokens of a record, and what happens to longer ones.
    ///   - vocabulary: The model's number of token ids.
    public init(text: TextEncoding?, configuration: TrainingConfiguration, vocabulary: Int) {
        self.text = text
        self.vocabulary = vocabulary
        limit = configuration.maxSequenceLength
        truncation = configuration.truncation
    }

    /// Encodes records on several threads.
    ///
    /// - Parameters:
    ///   - records: The records.
    ///   - threads: At least 1; has no influence on the result.
    ///   - report: Called with the number of records done and of all, on this thread.
    /// - Returns: The records that can be trained on, in order, and what became of the others.
    /// - Throws: ``DataError`` at the first record that cannot be encoded, or if none is left.
    public func encode(
        _ records: [InstructionRecord], threads: Int,
        report: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> EncodedRecords {
        let pool = ThreadPool(threads: threads)
        let encoders = (0..<pool.threads).map { _ in text?.tokenizer.makeEncoder() }
        var all = EncodedRecords()
        all.records.reserveCapacity(records.count)
        for start in stride(from: 0, to: records.count, by: Self.recordsPerReport) {
            let end = min(start + Self.recordsPerReport, records.count)
            for part in encode(records[start..<end], on: pool, encoders) {
                all.append(try part.get())
            }
            report(end, records.count)
        }
        guard !all.records.isEmpty else {
            throw DataError.allDropped(count: records.count, limit: limit)
        }
        return all
    }

    /// Some thousand records, so that threads seldom wait for each other.
    private static let recordsPerReport = 1 << 13
    /// Few enough that the threads end at about the same time.
    private static let recordsPerPart = 64

    private func encode(
        _ records: ArraySlice<InstructionRecord>, on pool: ThreadPool,
        _ encoders: [(any TokenEncoder)?]
    ) -> [Result<EncodedRecords, any Error>] {
        let parts = stride(from: records.startIndex, to: records.endIndex, by: Self.recordsPerPart)
            .map { Part(records: records[$0..<min($0 + Self.recordsPerPart, records.endIndex)]) }
        pool.run(parts.count) { index, worker in
            parts[index].result = Result {
                var encoded = EncodedRecords()
                for record in parts[index].records {
                    try add(try tokens(of: record, encoders[worker]), of: record, to: &encoded)
                }
                return encoded
            }
        }
        return parts.map(\.result)
    }

    /// A record before it is cut.
    fileprivate struct Tokens {
        var ids: [Int32]
        var promptLength: Int
        var remarks: [RecordRemark] = []
    }

    private func tokens(
        of record: InstructionRecord, _ encoder: (any TokenEncoder)?
    ) throws -> Tokens {
        if case .ids(let prompt, let response) = record.content {
            return Tokens(ids: prompt + response, promptLength: prompt.count)
        }
        let place = record.origin.description
        guard let text, let encoder else { throw DataError.noTokenizer(place: place) }
        let written = try text.template.write(record)
        let addsStart = !(record.answer != nil && text.template.writesStartToken)
        let start = addsStart ? text.startToken.map { [$0] } ?? [] : []
        func encode(_ text: some Sequence<UInt8>) -> [Int32] {
            var ids = start
            encoder.encode(Array(text), into: &ids)
            return ids
        }
        var tokens = Tokens(ids: encode(written.text.utf8), promptLength: 0)
        if let answer = record.answer {
            let prompt = encode(written.prompt.utf8)
            tokens.promptLength = prompt.commonLength(with: tokens.ids)
            if tokens.promptLength < prompt.count { tokens.remarks.append(.sharedToken) }
            if written.changesPrompt { tokens.remarks.append(.changedPrompt) }
            if let marked = written.marked {
                tokens.keep(
                    from: encode(written.text.utf8.prefix(marked.lowerBound)),
                    through: encode(written.text.utf8.prefix(marked.upperBound)))
            }
            if answer.allSatisfy(\.isWhitespace) {
                tokens.remarks.append(.emptyAnswer)
            } else if tokens.ids.count <= max(tokens.promptLength, 1) {
                tokens.remarks.append(.unscoredAnswer)
            }
        }
        if !written.endsAnswer { tokens.ids.append(text.endToken) }
        if let foreign = tokens.ids.first(where: { $0 < 0 || Int($0) >= vocabulary }) {
            throw DataError.foreignToken(place: place, id: foreign, vocabulary: vocabulary)
        }
        return tokens
    }

    /// Cuts or drops a record that is too long, and counts it.
    private func add(
        _ tokens: Tokens, of record: InstructionRecord, to encoded: inout EncodedRecords
    ) throws {
        var (ids, promptLength) = (tokens.ids, tokens.promptLength)
        guard ids.count > max(promptLength, 1) else {
            throw DataError.nothingToScore(place: record.origin.description)
        }
        if ids.count > limit {
            if truncation == .drop { return encoded.note(.droppedLong, record.origin) }
            guard max(promptLength, 1) < limit else {
                return encoded.note(.droppedUnscored, record.origin)
            }
            ids.removeLast(ids.count - limit)
            encoded.note(.truncated, record.origin)
        }
        for remark in tokens.remarks { encoded.note(remark, record.origin) }
        encoded.records.append(
            TrainingRecord(tokens: ids, promptLength: promptLength, origin: record.origin))
    }
}

extension RecordEncoder.Tokens {
    /// Leaves the tokens of a marked part to be learnt, and nothing after it: what comes after the last
    /// learnt token has no bearing on any loss.
    ///
    /// - Parameters:
    ///   - before: The tokens of the text before the part.
    ///   - end: Those of the text up to its end.
    fileprivate mutating func keep(from before: [Int32], through end: [Int32]) {
        promptLength = before.commonLength(with: ids)
        let common = end.commonLength(with: ids)
        // A token that goes on beyond the part belongs to it, as in transformers.
        ids.removeLast(ids.count - min(common == end.count ? common : common + 1, ids.count))
    }
}

extension [Int32] {
    /// How many of the first ids both have in common.
    fileprivate func commonLength(with other: [Int32]) -> Int {
        zip(self, other).prefix { $0 == $1 }.count
    }
}

/// Some records and, once a thread is done with them, what they became.
private final class Part {
    let records: ArraySlice<InstructionRecord>
    var result: Result<EncodedRecords, any Error> = .success(EncodedRecords())

    init(records: ArraySlice<InstructionRecord>) { self.records = records }
}
