import Prompting
import Storage
import TestSupport
import Testing
import Tokenization

@testable import FineTuning

@Suite("Record encoder")
struct RecordEncoderTests {
    private func encoder(
        limit: Int = 100, truncation: Truncation = .keepStart, vocabulary: Int = 300,
        addsStart: Bool = false
    ) throws -> RecordEncoder {
        var configuration = TrainingConfiguration()
        configuration.maxSequenceLength = limit
        configuration.truncation = truncation
        let tokenizer = try TinyTokenizer.make(addsStart: addsStart)
        let template = try PromptTemplate(name: "none", tokenizer: tokenizer.configuration)
        return RecordEncoder(
            text: try .init(tokenizer: tokenizer, template: template),
            configuration: configuration, vocabulary: vocabulary)
    }

    private func record(_ content: InstructionRecord.Content, line: Int = 1) -> InstructionRecord {
        InstructionRecord(
            origin: RecordOrigin(file: "a.jsonl", line: line), content: content, fields: [:])
    }

    private func ids(_ text: String) -> [Int32] { text.unicodeScalars.map(TinyTokenizer.id) }

    @Test("prompt, answer and end token follow each other; the prompt is masked")
    func promptIsMasked() throws {
        let encoded = try encoder().encode(
            [record(.completion(prompt: "ab", completion: "cd"))], threads: 1)
        #expect(encoded.records.map(\.tokens) == [ids("abcd") + [0]])
        #expect(encoded.records.map(\.promptLength) == [2])
        #expect(encoded.records.map(\.scored) == [2..<5])
    }

    @Test("a merge across the border keeps the prompt's own count")
    func mergeAcrossTheBorder() throws {
        // Alone the prompt is 'a', ':'; with the answer the two colons are one token, 258.
        let encoded = try encoder().encode(
            [record(.completion(prompt: "a:", completion: ":b"))], threads: 1)
        #expect(encoded.records.map(\.tokens) == [ids("a") + [258] + ids("b") + [0]])
        #expect(encoded.records.map(\.promptLength) == [2])
    }

    @Test("a special token written in a record becomes its id")
    func specialTokensAreRecognised() throws {
        let encoded = try encoder().encode(
            [record(.completion(prompt: "a", completion: "b\(TinyTokenizer.end)"))], threads: 1)
        #expect(encoded.records.map(\.tokens) == [ids("ab") + [0, 0]])
    }

    @Test("a text is scored after its first token")
    func textIsScored() throws {
        let encoded = try encoder().encode([record(.text("abc"))], threads: 1)
        #expect(encoded.records.map(\.tokens) == [ids("abc") + [0]])
        #expect(encoded.records.map(\.scored) == [1..<4])
    }

    @Test("the token before a text is part of the prompt")
    func startTokenIsMasked() throws {
        let encoded = try encoder(addsStart: true).encode(
            [record(.completion(prompt: "a", completion: "b"))], threads: 1)
        #expect(encoded.records.map(\.tokens) == [[0] + ids("ab") + [0]])
        #expect(encoded.records.map(\.promptLength) == [2])
    }

    @Test("ids are taken as they are, without tokenizer")
    func idsAreTaken() throws {
        let encoder = RecordEncoder(
            text: nil, configuration: TrainingConfiguration(), vocabulary: 10)
        let encoded = try encoder.encode(
            [record(.ids(prompt: [1, 2], response: [3]))], threads: 1)
        #expect(encoded.records.map(\.tokens) == [[1, 2, 3]])
        #expect(throws: DataError.noTokenizer(place: "a.jsonl:1")) {
            try encoder.encode([record(.text("a"))], threads: 1)
        }
    }

    @Test("long records lose their end, or are dropped, and are counted")
    func longRecords() throws {
        let records = [
            record(.completion(prompt: "ab", completion: "c"), line: 1),  // 4 tokens fit
            record(.completion(prompt: "ab", completion: "cd"), line: 2),  // loses the end token
            record(.completion(prompt: "abc", completion: "defg"), line: 3),
            record(.completion(prompt: "abcd", completion: "e"), line: 4),  // nothing is scored
        ]
        let kept = try encoder(limit: 4).encode(records, threads: 1)
        #expect(kept.records.map(\.tokens) == [ids("abc") + [0], ids("abcd"), ids("abcd")])
        #expect(kept.records.map(\.origin.line) == [1, 2, 3])
        #expect((kept.truncated, kept.droppedLong, kept.droppedUnscored) == (2, 0, 1))
        #expect((kept.tokens, kept.scoredTokens) == (12, 5))

        let dropped = try encoder(limit: 4, truncation: .drop).encode(records, threads: 1)
        #expect(dropped.records.map(\.origin.line) == [1])
        #expect((dropped.truncated, dropped.droppedLong, dropped.droppedUnscored) == (0, 3, 0))
        #expect(throws: DataError.allDropped(count: 3, limit: 4)) {
            try encoder(limit: 4, truncation: .drop).encode(Array(records[1...]), threads: 1)
        }
    }

    @Test("ids that the model lacks, and records with nothing to score, are refused")
    func refusals() throws {
        #expect(throws: DataError.foreignToken(place: "a.jsonl:1", id: 98, vocabulary: 90)) {
            try encoder(vocabulary: 90).encode([record(.text("a"))], threads: 1)
        }
        #expect(throws: DataError.nothingToScore(place: "a.jsonl:1")) {
            let unlearnable = InstructionRecord.Content.completion(prompt: "", completion: "")
            return try encoder().encode([record(unlearnable)], threads: 1)
        }
    }

    @Test("threads change neither the records nor the first error")
    func threadsChangeNothing() throws {
        var records = (1...500).map {
            record(.completion(prompt: "the \($0)", completion: "th\($0 * $0)"), line: $0)
        }
        let encoder = try encoder()
        #expect(
            try encoder.encode(records, threads: 1) == (try encoder.encode(records, threads: 3)))
        for line in [133, 400] {
            records[line] = record(.chat(messages: [], answer: "a"), line: line)
        }
        #expect(
            throws: PromptError.unsuitableTemplate(
                place: "a.jsonl:133", template: "none", form: "chat")
        ) {
            try encoder.encode(records, threads: 3)
        }
    }
}
