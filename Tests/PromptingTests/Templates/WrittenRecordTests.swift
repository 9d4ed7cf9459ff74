import Prompting
import Storage
import TestSupport
import Testing

@testable import Tokenization

@Suite("Records as templates write them")
struct WrittenRecordTests {
    private func template(_ source: String) throws -> PromptTemplate {
        var configuration = TokenizerConfiguration()
        configuration.eosToken = "</s>"
        configuration.chatTemplates = [.init(name: "default", source: source)]
        return try PromptTemplate(name: "chat", tokenizer: configuration)
    }

    private func message(_ role: String, _ content: String) -> InstructionRecord.Message {
        InstructionRecord.Message(
            role: role, content: content,
            fields: ["role": .string(role), "content": .string(content)])
    }

    /// Me. to Who?, then an answer to Why?
    private func record(
        _ answer: String = "Because.", _ fields: JSONObject = [:]
    ) -> InstructionRecord {
        InstructionRecord(
            origin: RecordOrigin(file: "a.jsonl", line: 4),
            content: .chat(
                messages: [
                    message("user", "Who?"), message("assistant", "Me."), message("user", "Why?"),
                ], answer: answer),
            fields: fields)
    }

    private func learnt(_ written: WrittenRecord) -> String {
        String(written.text.dropFirst(written.prompt.count))
    }

    /// A template and what it writes after the prompt.
    struct Form: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let source: String
        let learnt: String
        let end: String?
    }

    // The learnt text was the raw answer and the tokenizer's end token in each.
    static let forms = [
        Form(
            testDescription: "ChatML",
            source: """
                {%- for m in messages -%}{{ '<|im_start|>' + m.role + '\\n' + m.content + \
                '<|im_end|>' + '\\n' }}{%- endfor -%}\
                {%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}
                """, learnt: "Because.<|im_end|>\n", end: "<|im_end|>"),
        Form(
            testDescription: "a space before answers",
            source: """
                {%- for m in messages -%}{%- if m.role == 'user' -%}{{ '[INST] ' + m.content + \
                ' [/INST]' }}{%- else -%}{{ ' ' + m.content.strip() + eos_token }}{%- endif -%}\
                {%- endfor -%}
                """, learnt: " Because.</s>", end: "</s>"),
        Form(
            testDescription: "no end",
            source: """
                {% for m in messages %}[{{ m.role }}] {{ m.content }}
                {% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}
                """, learnt: "Because.\n", end: nil),
        Form(
            testDescription: "an end of several words",
            source: """
                {% for m in messages %}[{{ m.role }}] {{ m.content }} End of turn
                {% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}
                """, learnt: "Because. End of turn\n", end: "End of turn"),
    ]

    @Test("what is learnt is what the template writes beyond the prompt", arguments: forms)
    func learntTurn(_ form: Form) throws {
        let template = try template(form.source)
        let written = try template.write(record())
        #expect(learnt(written) == form.learnt)
        #expect(written.prompt == (try template.prompt(of: record())))
        #expect(written.endsAnswer == (form.end != nil) && !written.changesPrompt)
        #expect(template.answerEnd == form.end)
        // The earlier answer in the prompt has the form of the one that is learnt.
        #expect(written.prompt.contains(form.learnt.replacing("Because", with: "Me")))
    }

    @Test("a part marked with generation is what is learnt")
    func generation() throws {
        let marking = try template(
            """
            {%- for m in messages -%}<{{ m.role }}>{%- if m.role == 'assistant' -%}\
            {% generation %}{{ m.content }}!{% endgeneration %}{%- else -%}{{ m.content }}{%- endif -%};\
            {%- endfor -%}{%- if add_generation_prompt -%}<assistant>{%- endif -%}
            """)
        let written = try marking.write(record())
        let marked = try #require(written.marked)
        #expect(String(decoding: Array(written.text.utf8)[marked], as: UTF8.self) == "Because.!")
        #expect(written.endsAnswer)
        let two = try template(
            """
            {%- for m in messages -%}{% generation %}{{ m.role }}{% endgeneration %}:\
            {% generation %}{{ m.content }}{% endgeneration %}{%- endfor -%}
            """)
        #expect(
            throws: PromptError.template(
                place: "a.jsonl:4",
                reason: "marks 2 parts of the answer with {% generation %}, expected one")
        ) { try two.write(record()) }
    }

    @Test("a prompt written otherwise before an answer is marked, and refused where turns differ")
    func changedPrompts() throws {
        let thinking = try template(
            """
            {%- for m in messages -%}<{{ m.role }}>{{ m.content }}</>{%- endfor -%}\
            {%- if add_generation_prompt -%}<assistant><think>{%- endif -%}
            """)
        let written = try thinking.write(record())
        #expect(written.changesPrompt && written.prompt.hasSuffix("<user>Why?</><assistant>"))
        #expect(learnt(written) == "Because.</>")
        let last = try template(
            """
            {%- for m in messages -%}{%- if loop.last -%}LAST{%- endif -%}<{{ m.role }}>{{ m.content }}\
            {%- endfor -%}
            """)
        let error = PromptError.rewritesPrompt(place: "a.jsonl:4", template: "chat")
        #expect(throws: error) { try last.write(record()) }
        #expect(
            error.description
                == "a.jsonl:4: template 'chat' writes earlier turns anew where an answer follows, "
                + "expected one that only adds the answer; mark what is to be learnt with "
                + "{% generation %} in a Jinja file of your own")
    }

    @Test("tools and documents of a record reach the template")
    func tools() throws {
        let listing = try template(
            """
            {%- if tools -%}TOOLS:{{ tools | tojson }}{%- endif -%}\
            {%- if documents -%}{{ documents[0].text }}{%- endif -%}\
            {%- for m in messages -%}{{ m.content }};{%- endfor -%}
            """)
        let fields: JSONObject = [
            "tools": [["name": "look_up"]], "documents": [["text": "DOC"]],
        ]
        #expect(
            try listing.prompt(of: record("a", fields))
                == #"TOOLS:[{"name": "look_up"}]DOCWho?;Me.;Why?;"#)
        #expect(try listing.prompt(of: record("a", ["tools": nil])) == "Who?;Me.;Why?;")
    }

    @Test("templates are told a day that stays the same, or the one that is asked for")
    func date() throws {
        let source = "{{ strftime_now('%d %b %Y') }}"
        #expect(try template(source).prompt(of: record()) == "26 Jul 2024")
        var configuration = TokenizerConfiguration()
        configuration.chatTemplates = [.init(name: "default", source: source)]
        let day = try #require(TemplateTime(date: "2028-02-29"))
        let told = try PromptTemplate(name: "chat", tokenizer: configuration, time: day)
        #expect(try told.prompt(of: record()) == "29 Feb 2028")
        #expect(TemplateTime(date: TemplateTime.fixedDate) == .fixed)
        for text in ["2027-02-29", "2024-13-01", "2024-1-1", "20240101", "2024-04-31", ""] {
            #expect(TemplateTime(date: text) == nil, "\(text)")
        }
        let now = try PromptTemplate(name: "chat", tokenizer: configuration, time: .now)
        #expect(try now.prompt(of: record()).suffix(4) > "2023")
    }

    @Test("a Jinja file that names messages is a chat template, or writes prompts only")
    func files() throws {
        let folder = TemporaryFolder()
        let messages: Storage.JSONValue = [
            ["role": "user", "content": "Who?"], ["role": "assistant", "content": "Me."],
            ["role": "user", "content": "Why?"], ["role": "assistant", "content": "Because."],
        ]
        func write(_ source: String) throws -> WrittenRecord {
            let path = folder.write(source, to: "own.jinja")
            let template = try PromptTemplate(name: path, tokenizer: TokenizerConfiguration())
            return try template.write(record("Because.", ["messages": messages]))
        }
        let whole = try write("{% for m in messages %}{{ m.role[0] }}={{ m.content }};{% endfor %}")
        #expect(whole.prompt == "u=Who?;a=Me.;u=Why?;" && learnt(whole) == "a=Because.;")
        let asked = try write("{% for m in messages[:-1] %}{{ m.content }};{% endfor %}")
        #expect(asked.prompt == "Who?;Me.;Why?;" && learnt(asked) == "Because.")
        #expect(!asked.endsAnswer)
        // A file saved on Windows is the same template.
        let windows = try write(
            "\u{FEFF}Q\r\n{% for m in messages %}{{ m.content }}\r\n{% endfor %}\r\n")
        #expect(windows.prompt == "Q\nWho?\nMe.\nWhy?\n" && learnt(windows) == "Because.\n")
    }
}
