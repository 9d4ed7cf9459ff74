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
        addsStart: Bool = false, merges: [(String, String)] = [("t", "h"), (":", ":")],
        chatTemplate: String? = nil
    ) throws -> RecordEncoder {
        var configuration = TrainingConfiguration()
        configuration.maxSequenceLength = limit
        configuration.truncation = truncation
        let tokenizer = try TinyTokenizer.make(
            merges: merges, chatTemplate: chatTemplate, addsStart: addsStart)
        let template = try PromptTemplate(
            name: chatTemplate == nil ? "none" : "chat", tokenizer: tokenizer.configuration)
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

    @Test("a token that prompt and answer share is learnt, and counted")
    func mergeAcrossTheBorder() throws {
        // Alone the prompt is 'a', ':'; with the answer the two colons are one token, 258. It was masked,
        // and of an answer of one token nothing was learnt: the adapter said nothing.
        let encoded = try encoder().encode(
            [record(.completion(prompt: "a:", completion: ":b"))], threads: 1)
        #expect(encoded.records.map(\.tokens) == [ids("a") + [258] + ids("b") + [0]])
        #expect(encoded.records.map(\.promptLength) == [1])
        #expect(
            encoded.remarks == [
                .sharedToken: .init(count: 1, first: RecordOrigin(file: "a.jsonl", line: 1))
            ])
    }

    @Test("an answer after a space is learnt, even if it is one token with the space")
    func spaceBeforeTheAnswer() throws {
        // Only the end token was scored: the loss fell to 0.0008 and the adapter answered nothing.
        let encoder = try encoder(merges: [("Ġ", "r"), ("Ġr", "e"), ("Ġre", "d")])
        let encoded = try encoder.encode(
            [record(.completion(prompt: "a: ", completion: "red"))], threads: 1)
        #expect(encoded.records.map(\.tokens) == [ids("a:") + [259, 0]])
        #expect(encoded.records.map(\.scored) == [2..<4])
        #expect(encoded.count(.sharedToken) == 1)
    }

    @Test("a template that ends answers gets no end token, one that does not gets it")
    func chatTemplates() throws {
        let messages = [
            InstructionRecord.Message(role: "user", content: "q", fields: ["content": "q"])
        ]
        let chat = InstructionRecord.Content.chat(messages: messages, answer: "a")
        func encode(_ source: String) throws -> EncodedRecords {
            try encoder(chatTemplate: source).encode([record(chat)], threads: 1)
        }
        let ending = try encode("{% for m in messages %}{{ m.content }}||{% endfor %}")
        #expect(ending.records.map(\.tokens) == [ids("q||a||")])
        #expect(ending.records.map(\.promptLength) == [3])
        // Neither white space nor one character, which answers hold themselves, ends an answer.
        for end in [" ", "|"] {
            let open = try encode("{% for m in messages %}{{ m.content }}\(end){% endfor %}")
            #expect(open.records.map { Array($0.tokens.suffix(1)) } == [[0]])
        }
        let marked = try encode(
            "{% for m in messages %}<{% generation %}{{ m.content }}!{% endgeneration %}>{% endfor %}"
        )
        #expect(marked.records.map(\.tokens) == [ids("<q!><a!")])
        #expect(marked.records.map(\.scored) == [5..<7])
    }

    @Test("answers that are empty, or carry no loss, are counted with the first's place")
    func remarks() throws {
        let records = [
            record(.completion(prompt: "ab", completion: "c"), line: 1),
            record(.alpaca(instruction: "ab", input: "", output: " \n"), line: 2),
            record(.alpaca(instruction: "ab", input: "", output: ""), line: 3),
            record(.completion(prompt: "", completion: "c"), line: 4),
        ]
        let encoded = try encoder().encode(records, threads: 2)
        func tally(_ count: Int, line: Int) -> EncodedRecords.Tally {
            .init(count: count, first: RecordOrigin(file: "a.jsonl", line: line))
        }
        #expect(
            encoded.remarks == [
                .emptyAnswer: tally(2, line: 2), .unscoredAnswer: tally(1, line: 4),
            ])
        #expect(
            RunWarning.warnings(of: encoded, set: "training").map(\.description) == [
                "2 of 4 training records have an empty answer, which teaches to stop at once; "
                    + "the first is a.jsonl:2",
                "1 of 4 training records have an answer of which no token carries loss; "
                    + "the first is a.jsonl:4",
            ])
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
        #expect(kept.remarks.mapValues(\.count) == [.truncated: 2, .droppedUnscored: 1])
        #expect(kept.remarks[.truncated]?.first.line == 2)
        #expect((kept.tokens, kept.scoredTokens) == (12, 5))

        let dropped = try encoder(limit: 4, truncation: .drop).encode(records, threads: 1)
        #expect(dropped.records.map(\.origin.line) == [1])
        #expect(dropped.remarks.mapValues(\.count) == [.droppedLong: 3])
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
