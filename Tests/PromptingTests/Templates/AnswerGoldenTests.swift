import FoundationEssentials
import Prompting
import Storage
import TestSupport
import Testing

@testable import Tokenization

/// Held against what transformers makes of the same templates; `scripts/prompting/make_goldens.py`
/// wrote it.
@Suite("Answers beside transformers")
struct AnswerGoldenTests {
    private struct Case: Decodable {
        let template: String
        let talk: Int
        let prompt: String?
        let learnt: String?
        let marked: String?
        let error: Bool?
    }

    private struct File: Decodable {
        let templates: [String: String]
        let cases: [Case]
    }

    @Test("prompts, learnt texts and marked parts are those of transformers")
    func goldens() throws {
        let file = try Fixtures.decode(File.self, from: "answers.json")
        let talks = try JSONValue.read(Fixtures.path("answers.json"))["talks"]?.arrayValue ?? []
        #expect(file.cases.count == file.templates.count * talks.count && talks.count >= 4)
        for golden in file.cases {
            let name: Comment = "\(golden.template), \(golden.talk)"
            var configuration = TokenizerConfiguration()
            (configuration.bosToken, configuration.eosToken) = ("<s>", "</s>")
            configuration.chatTemplates = [
                .init(name: "default", source: try #require(file.templates[golden.template]))
            ]
            let template = try PromptTemplate(name: "chat", tokenizer: configuration)
            let record = try record(talks[golden.talk])
            guard golden.error != true, let learnt = golden.learnt else {
                #expect(throws: PromptError.self, name) { try template.write(record) }
                continue
            }
            let written = try template.write(record)
            #expect(written.prompt == golden.prompt, name)
            #expect(String(written.text.dropFirst(written.prompt.count)) == learnt, name)
            let marked = written.marked.map {
                String(decoding: Array(written.text.utf8)[$0], as: UTF8.self)
            }
            #expect(marked == golden.marked, name)
        }
    }

    private func record(_ talk: Storage.JSONValue) throws -> InstructionRecord {
        let fields = try #require(talk.objectValue)
        let messages = try (fields["messages"]?.arrayValue ?? []).map { value in
            let fields = try #require(value.objectValue)
            return InstructionRecord.Message(
                role: fields["role"]?.stringValue ?? "",
                content: fields["content"]?.stringValue ?? "", fields: fields)
        }
        return InstructionRecord(
            origin: RecordOrigin(file: "a.jsonl", line: 1),
            content: .chat(
                messages: Array(messages.dropLast()), answer: messages.last?.content ?? ""),
            fields: fields)
    }
}
