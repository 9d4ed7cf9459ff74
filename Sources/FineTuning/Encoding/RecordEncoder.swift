import Kernels
import Prompting
import Tokenization

/// Turns instruction records into token ids.
///
/// Prompt and answer are tokenised together as one text, and the end token follows without a space.
/// The prompt tokenised alone tells how many tokens carry no loss, even where a merge crosses the
/// border. Special tokens written in a record become their ids, as in the library that made the
/// vocabulary. If the tokenizer puts a token before a text, it is part of the prompt.
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
            (self.tokenizer, self.template) = (tokenizer.tokenizer, template)
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
        (self.text, self.vocabulary) = (text, vocabulary)
        (limit, truncation) = (configuration.maxSequenceLength, configuration.truncation)
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

    /// The ids of a record before it is cut, and the length of its prompt.
    private func tokens(
        of record: InstructionRecord, _ encoder: (any TokenEncoder)?
    ) throws -> (ids: [Int32], promptLength: Int) {
        if case .ids(let prompt, let response) = record.content {
            return (prompt + response, prompt.count)
        }
        let place = record.origin.description
        guard let text, let encoder else { throw DataError.noTokenizer(place: place) }
        let hasPrompt = record.answer != nil
        let prompt = hasPrompt ? try text.template.prompt(of: record) : ""
        let addsStart = !(hasPrompt && text.template.writesStartToken)
        var ids = addsStart ? text.startToken.map { [$0] } ?? [] : []
        var promptLength = hasPrompt ? ids.count + encoder.encode(prompt).count : 0
        encoder.encode(Array((prompt + (record.answer ?? record.wholeText)).utf8), into: &ids)
        promptLength = min(promptLength, ids.count)
        ids.append(text.endToken)
        if let foreign = ids.first(where: { $0 < 0 || Int($0) >= vocabulary }) {
            throw DataError.foreignToken(place: place, id: foreign, vocabulary: vocabulary)
        }
        return (ids, promptLength)
    }

    /// Cuts or drops a record that is too long, and counts it.
    private func add(
        _ tokens: (ids: [Int32], promptLength: Int), of record: InstructionRecord,
        to encoded: inout EncodedRecords
    ) throws {
        var (ids, promptLength) = tokens
        guard ids.count > max(promptLength, 1) else {
            throw DataError.nothingToScore(place: record.origin.description)
        }
        if ids.count > limit {
            if truncation == .drop {
                encoded.droppedLong += 1
                return
            }
            guard max(promptLength, 1) < limit else {
                encoded.droppedUnscored += 1
                return
            }
            ids.removeLast(ids.count - limit)
            encoded.truncated += 1
        }
        encoded.records.append(
            TrainingRecord(tokens: ids, promptLength: promptLength, origin: record.origin))
    }
}

/// Some records and, once a thread is done with them, what they became.
private final class Part {
    let records: ArraySlice<InstructionRecord>
    var result: Result<EncodedRecords, any Error> = .success(EncodedRecords())

    init(records: ArraySlice<InstructionRecord>) { self.records = records }
}

extension InstructionRecord {
    /// What is learnt after a prompt; nil if the record has none.
    fileprivate var answer: String? {
        switch content {
        case .alpaca(_, _, let output): output
        case .completion(_, let completion): completion
        case .chat(_, let answer): answer
        case .text, .ids: nil
        }
    }

    /// The text of a record without a prompt.
    fileprivate var wholeText: String {
        if case .text(let text) = content { text } else { "" }
    }
}
