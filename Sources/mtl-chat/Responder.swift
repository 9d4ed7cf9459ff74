import CommandSupport
import Prompting
import MambaLM
import Storage
import Tokenization

/// Answers prompts with a model.
struct Responder {
    private let loaded: LoadedModel
    private let tokenizer: LoadedTokenizer
    private let template: PromptTemplate
    private let sampling: SamplingOptions
    private let isJSON: Bool

    init(
        _ loaded: LoadedModel, template: String?, sampling: SamplingOptions, isJSON: Bool
    ) throws {
        (self.loaded, self.sampling, self.isJSON) = (loaded, sampling, isJSON)
        tokenizer = try TokenizerLoader.load(at: loaded.folder)
        let recorded = template == nil ? loaded.record : nil
        self.template = try PromptTemplate(
            name: template ?? recorded?.template ?? PromptTemplate.standardName,
            source: recorded?.templateSource, tokenizer: tokenizer.configuration)
    }

    /// Writes the answer to standard output as it is made.
    func answer(_ text: String) throws {
        let record = InstructionRecord(prompt: text)
        let prompt = tokenizer.tokenizer.encode(try template.prompt(of: record))
        guard !prompt.isEmpty else { return }
        var sampler = TokenSampler(sampling.settings, seed: sampling.seed)
        var decoder = tokenizer.tokenizer.makeStreamingDecoder(skippingSpecialTokens: true)
        var tokens: [Int32] = []
        var answer = ""
        func show(_ text: String) {
            answer += text
            if !isJSON { Terminal.printResult(text, terminator: "") }
        }
        let ends = Set(loaded.model.configuration.endTokens + [tokenizer.eosID].compactMap { $0 })
        let clock = ContinuousClock()
        let start = clock.now
        let reason = loaded.model.generate(
            after: prompt, limit: sampling.maxTokens, endTokens: ends, sampler: &sampler
        ) { token in
            tokens.append(token)
            show(decoder.push(token))
            return true
        }
        show(decoder.finish())
        guard isJSON else { return Terminal.printResult("") }
        let seconds = clock.now - start
        Terminal.printResult(
            JSONWriter(escapesNonASCII: false).string([
                "text": .string(answer), "ids": .array(tokens.map { .integer(Int($0)) }),
                "prompt_tokens": .integer(prompt.count),
                "seconds": .number(
                    Double(seconds.components.seconds)
                        + Double(seconds.components.attoseconds) * 1e-18),
                "stop_reason": .string(reason.rawValue),
            ]))
    }
}
