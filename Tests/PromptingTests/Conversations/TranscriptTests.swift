import Prompting
import TestSupport
import Testing
@testable import Tokenization

@Suite("Conversations as prompts")
struct TranscriptTests {
    private let one = Transcript(exchanges: [.init(question: "Hi")])
    private let two = Transcript(
        exchanges: [.init(question: "Hi", answer: " Ho "), .init(question: "Why?")])

    private func template(_ name: String, chat: String? = nil) throws -> PromptTemplate {
        var configuration = TokenizerConfiguration()
        configuration.eosToken = "</s>"
        if let chat { configuration.chatTemplates = [.init(name: "default", source: chat)] }
        return try PromptTemplate(name: name, tokenizer: configuration)
    }

    private func prompt(_ template: PromptTemplate, _ transcript: Transcript) throws -> String {
        try template.prompt(of: transcript, endToken: "</s>")
    }

    @Test("turn by turn, earlier ones stand as in training, with the end token")
    func blocks() throws {
        let short = try template("alpaca-short")
        #expect(try prompt(short, one) == "### Instruction:\nHi\n\n### Response:")
        #expect(
            try prompt(short, two)
                == "### Instruction:\nHi\n\n### Response: Ho </s>"
                + "### Instruction:\nWhy?\n\n### Response:")
        let none = try template("none")
        #expect(try prompt(none, two) == "Hi Ho </s>Why?")
        let long = try prompt(try template("alpaca"), two)
        #expect(long.components(of: "Below is an instruction") == 2)
    }

    @Test("what the model is told first stands before the first turn")
    func system() throws {
        var told = two
        told.system = "Be brief."
        #expect(
            try prompt(try template("alpaca-short"), told)
                == "Be brief.\n\n" + (try prompt(try template("alpaca-short"), two)))
        #expect(
            try prompt(try template("none"), Transcript(system: "S", exchanges: one.exchanges))
                == "S\n\nHi")
    }

    private static let chat = """
        {% for message in messages %}<{{ message.role }}>{{ message.content | trim }}{{ eos_token }}
        {% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}
        """

    @Test("a chat template gets all turns, the system's too")
    func chatTemplate() throws {
        let chat = try template("chat", chat: Self.chat)
        var told = two
        told.system = "S"
        #expect(
            try prompt(chat, told)
                == "<system>S</s>\n<user>Hi</s>\n<assistant>Ho</s>\n<user>Why?</s>\n<assistant>")
        #expect(chat.takesConversations)
        let strict = try template("chat", chat: "{{ raise_exception('no system') }}")
        let error = #expect(throws: PromptError.self) { try prompt(strict, told) }
        #expect(error?.description.hasPrefix("turn 2: template fails: ") == true)
    }

    @Test("a Jinja file gets the conversation if it names messages, else turn by turn")
    func jinjaFiles() throws {
        let folder = TemporaryFolder()
        let turns = try template(folder.write("Q {{ instruction }} A", to: "turns.jinja"))
        #expect(!turns.takesConversations)
        #expect(try prompt(turns, two) == "Q Hi A Ho </s>Q Why? A")
        let whole = try template(
            folder.write(
                "{{ instruction }}:{% for m in messages %}{{ m.role[0] }}={{ m.content }};{% endfor %}",
                to: "whole.jinja"))
        #expect(try prompt(whole, two) == "Why?:u=Hi;a= Ho ;u=Why?;")
    }

    @Test("the texts that turns add, with the answers, are the whole", arguments: [true, false])
    func continuations(trimmed: Bool) throws {
        var three = two
        three.exchanges[0].answer = trimmed ? "Ho" : " Ho "
        three.exchanges[1].answer = "So."
        three.exchanges.append(.init(question: "Oh"))
        three.system = "S"
        let file = TemporaryFolder()
        let own = file.write("Q {{ instruction }} A", to: "own.jinja")
        for name in ["alpaca-short", "alpaca", "none", "chat", own] {
            let template = try template(name, chat: Self.chat)
            var text = ""
            for count in 1...3 {
                var part = three
                part.exchanges.removeSubrange(count...)
                let answer = part.exchanges[count - 1].answer ?? ""
                part.exchanges[count - 1].answer = nil
                text += try template.continuation(of: part, endToken: "</s>") + answer
            }
            let whole = try prompt(template, three)
            // White space that the chat template cuts off was read nevertheless.
            let isCut = name == "chat" && !trimmed
            #expect(text == (isCut ? whole.replacing("Ho</s>", with: " Ho </s>") : whole))
        }
    }

    @Test("a template that writes earlier turns anew has no continuation")
    func notIncremental() throws {
        let last = try template("chat", chat: "{{ messages | length }}:{{ messages[-1].content }}")
        #expect(throws: PromptError.notIncremental(template: "chat")) {
            try last.continuation(of: two, endToken: "</s>")
        }
        #expect(try last.continuation(of: one, endToken: "</s>") == "1:Hi")
    }

    @Test("an unknown template is named with those that there are")
    func errorText() {
        #expect(
            PromptError.unknownTemplate("alpca").description
                == "template 'alpca' is unknown, expected one of "
                + "alpaca-short, alpaca, chat, none or a Jinja file")
    }
}

extension String {
    /// How often a text occurs.
    fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
