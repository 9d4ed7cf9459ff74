import Jinja
import Storage
import Testing

import Prompting
@testable import Tokenization
import TestSupport

@Suite("Prompt templates")
struct PromptTemplateTests {
    private func record(
        _ content: InstructionRecord.Content, fields: JSONObject = [:]
    ) -> InstructionRecord {
        InstructionRecord(
            origin: RecordOrigin(file: "a.jsonl", line: 4), content: content, fields: fields)
    }

    private func prompt(_ name: String, _ content: InstructionRecord.Content) throws -> String {
        let template = try PromptTemplate(name: name, tokenizer: TokenizerConfiguration())
        return try template.prompt(of: record(content))
    }

    private let full = InstructionRecord.Content.alpaca(
        instruction: "Sort.", input: "b, a", output: "a, b")
    private let bare = InstructionRecord.Content.alpaca(
        instruction: "Greet.", input: "", output: "Hi")

    @Test("alpaca-short is the released template, to the character")
    func alpacaShort() throws {
        #expect(
            try prompt("alpaca-short", full)
                == "### Instruction:\nSort.\n\n### Input:\nb, a\n\n### Response:")
        #expect(try prompt("alpaca-short", bare) == "### Instruction:\nGreet.\n\n### Response:")
        #expect(
            try prompt("alpaca-short", .completion(prompt: "Greet.", completion: "Hi"))
                == "### Instruction:\nGreet.\n\n### Response:")
    }

    @Test("alpaca is the Stanford template, to the character")
    func alpaca() throws {
        #expect(
            try prompt("alpaca", full)
                == """
                Below is an instruction that describes a task, paired with an input that provides \
                further context. Write a response that appropriately completes the request.

                ### Instruction:
                Sort.

                ### Input:
                b, a

                ### Response:
                """)
        #expect(
            try prompt("alpaca", bare)
                == """
                Below is an instruction that describes a task. Write a response that appropriately \
                completes the request.

                ### Instruction:
                Greet.

                ### Response:
                """)
    }

    @Test("none leaves prompts as they are")
    func none() throws {
        #expect(try prompt("none", full) == "Sort.\nb, a")
        #expect(try prompt("none", bare) == "Greet.")
        #expect(try prompt("none", .completion(prompt: " x ", completion: "y")) == " x ")
    }

    @Test("chat renders all turns before the answer, with Hugging Face's options")
    func chat() throws {
        var configuration = TokenizerConfiguration()
        configuration.eosToken = "</s>"
        configuration.chatTemplates = [
            .init(
                name: "default",
                source: """
                    {% for message in messages %}
                    <{{ message.role }}>{{ message.content }}{{ eos_token }}
                    {% endfor %}
                    {% if add_generation_prompt %}
                    <assistant>
                    {%- endif %}
                    """)
        ]
        let template = try PromptTemplate(name: "chat", tokenizer: configuration)
        func message(_ role: String, _ content: String) -> InstructionRecord.Message {
            InstructionRecord.Message(
                role: role, content: content,
                fields: ["role": .string(role), "content": .string(content)])
        }
        let turns = [message("user", "a"), message("assistant", "b"), message("user", "c")]
        #expect(
            try template.prompt(of: record(.chat(messages: turns, answer: "d")))
                == "<user>a</s>\n<assistant>b</s>\n<user>c</s>\n<assistant>")
        #expect(try template.prompt(of: record(full)) == "<user>Sort.\nb, a</s>\n<assistant>")
    }

    @Test("a Jinja file sees the record's fields, and an absent input as empty")
    func jinjaFile() throws {
        let folder = TemporaryFolder()
        let path = folder.write(
            "{{ tag }}|{{ instruction }}|{{ input }}{{ eos_token }}\n", to: "own.jinja")
        var configuration = TokenizerConfiguration()
        configuration.eosToken = "</s>"
        let template = try PromptTemplate(name: path, tokenizer: configuration)
        let known = record(bare, fields: ["tag": 7, "instruction": "Greet."])
        #expect(try template.prompt(of: known) == "7|Greet.|</s>")
        let error = #expect(throws: PromptError.self) {
            try template.prompt(of: record(bare, fields: ["instruction": "Greet."]))
        }
        #expect(error?.description.hasPrefix("a.jsonl:4: template fails: \(path):1: ") == true)
    }

    @Test("what cannot work is refused")
    func refusals() throws {
        #expect(throws: PromptError.unknownTemplate("alpca")) {
            try prompt("alpca", full)
        }
        #expect(throws: PromptError.noChatTemplate) { try prompt("chat", full) }
        #expect(
            throws: PromptError.unsuitableTemplate(
                place: "a.jsonl:4", template: "alpaca-short", form: "chat")
        ) {
            try prompt("alpaca-short", .chat(messages: [], answer: "a"))
        }
    }
}
