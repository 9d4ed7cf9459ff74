import MambaLM
import Prompting
import Storage
import Tensors
import TestSupport
import Testing

@testable import FineTuning

@Suite("Sample prompts")
struct SamplePromptsTests {
    private let folder = TemporaryFolder()

    /// A small random model that knows the tiny tokenizer's ids.
    private func model() -> MambaModel {
        var configuration = MambaConfiguration()
        configuration.vocabulary = 260
        configuration.model = 8
        configuration.layers = 2
        configuration.inner = 16
        configuration.state = 4
        configuration.stepRank = 2
        var generator = SplitMix64(seed: 7)
        return .random(configuration, engine: makeEngine(threads: 1), using: &generator)
    }

    private func configuration() -> TrainingConfiguration {
        var configuration = quickConfiguration()
        configuration.maxSteps = 6
        configuration.learningRate = 0.1
        configuration.stepsPerEvaluation = 2
        configuration.saveSteps = 100
        configuration.sampleTokens = 5
        return configuration
    }

    private func samples(
        _ text: String, file: String = "prompts.txt", template: String = "none",
        chatTemplate: String? = nil
    ) throws -> SamplePrompts {
        let path = folder.write(text, to: file)
        let tokenizer = try TinyTokenizer.make(chatTemplate: chatTemplate)
        return try SamplePrompts(
            SamplePrompts.records(in: path), tokenizer: tokenizer,
            template: PromptTemplate(name: template, tokenizer: tokenizer.configuration),
            vocabulary: model().configuration.vocabulary,
            endTokens: model().configuration.endTokens, generationEndTokens: [],
            configuration: configuration())
    }

    private func trainer(
        _ name: String, _ samples: SamplePrompts?, full: Bool = false
    ) throws
        -> Trainer
    {
        let model = model()
        return try Trainer(
            model: model,
            contents: full ? TrainedModel(model) : try tinyAdapter(on: model, dropout: 0.2),
            training: countingRecords(12), validation: countingRecords(3, seed: 2),
            samples: samples, configuration: configuration(), folder: folder.file(name))
    }

    private func rows(_ name: String) throws -> [JSONObject] {
        try JSONRecords(path: folder.file("\(name)/samples.jsonl")).all().map(\.object)
    }

    @Test("prompts come one a line, or from records, in the run's template")
    func reading() throws {
        let lines = try samples("ab\n\n  \ncd", template: "alpaca-short")
        #expect(lines.prompts.map(\.text) == ["ab", "cd"])
        let tokenizer = try TinyTokenizer.make().tokenizer
        #expect(
            tokenizer.decode(lines.prompts[0].tokens)
                == "### Instruction:\nab\n\n### Response:")
        let records = try samples(
            #"{"instruction": "Sort.", "input": "b a", "output": "a b"}"# + "\n"
                + #"{"prompt": "Say."}"#, file: "prompts.jsonl", template: "alpaca-short")
        #expect(records.prompts.map(\.text) == ["Sort.\nb a", "Say."])
        #expect(
            tokenizer.decode(records.prompts[0].tokens)
                == "### Instruction:\nSort.\n\n### Input:\nb a\n\n### Response:")
    }

    @Test("what asks nothing is refused with its place")
    func refusals() throws {
        let path = folder.file("prompts.jsonl")
        #expect(throws: SamplePromptError.noPrompt(place: "\(path):1", keys: ["text"])) {
            _ = try samples(#"{"text": "a"}"#, file: "prompts.jsonl")
        }
        #expect(throws: SamplePromptError.none(file: folder.file("prompts.txt"))) {
            _ = try samples("\n \n")
        }
        #expect(
            throws: SamplePromptError.tooLong(place: folder.file("prompts.txt") + ":1", limit: 2048)
        ) {
            _ = try samples(String(repeating: "a", count: 3000))
        }
        #expect(
            SamplePromptError.none(file: "p.txt").description
                == "p.txt: holds no prompt, expected one a line, or records with 'instruction'")
    }

    @Test("answers come at each validation, the base model's first, and no bit changes")
    func answers() throws {
        let prompts = try samples("ab\ncd")
        try trainer("plain", nil).run()
        var events: [SampleAnswer] = []
        try trainer("sampled", prompts).run(report: {
            if case .answered(let sample) = $0 { events.append(sample) }
        })
        #expect(events.map(\.step) == [0, 0, 2, 2, 4, 4, 6, 6])
        #expect(events.map(\.isBase) == [true, true] + [Bool](repeating: false, count: 6))
        #expect(events.map(\.prompt).prefix(2) == ["ab", "cd"])
        #expect(Set(events.map(\.answer)).count > 2, "training changes answers")
        let found = try rows("sampled")
        #expect(found.map { $0["answer"] } == events.map { .string($0.answer) })
        #expect(found.map { $0["base"] } == events.map { .bool($0.isBase) })
        #expect(found.map { $0["step"] } == events.map { .integer($0.step) })
        for file in ["adapter_model.safetensors", "checkpoint-6/optimizer.safetensors"] {
            #expect(
                rawContents(folder.file("plain/\(file)"))
                    == rawContents(folder.file("sampled/\(file)")))
        }
    }

    @Test("nor in a run of all weights, and a resumed run has the answers of an unbroken one")
    func resumed() throws {
        let prompts = try samples("ab")
        try trainer("plain", nil, full: true).run()
        try trainer("whole", prompts, full: true).run()
        #expect(
            rawContents(folder.file("plain/model.safetensors"))
                == rawContents(folder.file("whole/model.safetensors")))
        var step = 0
        try trainer("parts", prompts, full: true).run(
            shouldStop: { step == 3 },
            report: { if case .progress(let progress) = $0 { step = progress.step } })
        // A run that was killed had gone on.
        let log = try LineAppender(path: folder.file("parts/samples.jsonl"))
        try log.append(#"{"step": 4, "prompt": "ab", "answer": "?", "base": false}"#)
        try log.append(#"{"step": 6, "pro"#)
        try trainer("parts", prompts, full: true).run(resuming: true)
        #expect(try rows("parts") == rows("whole"))
    }

    @Test("the base model answers without an adapter that the run starts from")
    func baseWithoutAdapter() throws {
        let prompts = try samples("ab")
        let untouched = model()
        let expected = prompts.answer(to: prompts.prompts[0], by: untouched)
        let trainer = try trainer("out", prompts)
        for parameter in trainer.optimizer.parameters { parameter.value.fill(0.5) }
        var base: [String] = []
        try trainer.run(report: {
            if case .answered(let sample) = $0, sample.isBase { base.append(sample.answer) }
        })
        #expect(base == [expected])
    }

    @Test("an answer ends where the template ends answers")
    func templateEnd() throws {
        // The model repeats itself; what it repeats ends answers.
        let model = model()
        let plain = try samples("ab")
        let whole = plain.answer(to: plain.prompts[0], by: model)
        try #require(whole.count > 1)
        let prompts = try samples(
            "ab", template: "chat",
            chatTemplate: "{% for m in messages %}{{ m.content }}"
                + "{% if m.role == 'assistant' %}[end]{% endif %}{% endfor %}")
        #expect(!prompts.answer(to: prompts.prompts[0], by: model).contains("[end]"))
        #expect(prompts.prompts[0].tokens == plain.prompts[0].tokens)
    }
}
