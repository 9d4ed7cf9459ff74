import CommandSupport
import FineTuning
import MambaLM
import Prompting
import Tokenization

/// The records of a run, as tokens: those to train on and those to validate on.
struct TrainingData {
    let training: [TrainingRecord]
    let validation: [TrainingRecord]
    /// What there is to say of the records.
    private(set) var warnings: [RunWarning]

    /// Loads them, from the cache if they were encoded before.
    ///
    /// - Parameters:
    ///   - command: What the user typed.
    ///   - model: The model to be trained.
    ///   - folder: The model's folder, with its tokenizer.
    ///   - templateSource: The text of a template that is a file.
    ///   - threads: At least 1.
    ///   - report: Told how it goes.
    /// - Throws: An error of the data, of the tokenizer or of a setting.
    init(
        _ command: TrainCommand, model: MambaModel, folder: String, templateSource: String?,
        threads: Int, report: TrainingReport
    ) throws {
        let configuration = command.training.configuration
        let vocabulary = model.configuration.vocabulary
        let cache = try (command.cache ? UserCache.folder() : nil).map {
            TokenCache(
                folder: $0 + "/tokens",
                identity: try EncodingIdentity(
                    program: CommandLineProgram.version, configuration: configuration,
                    templateSource: templateSource, vocabulary: vocabulary,
                    endTokens: model.configuration.endTokens,
                    tokenizerFiles: ModelCompanions.tokenizerNames.map { "\(folder)/\($0)" }))
        }
        let loader = RecordLoader(vocabulary: vocabulary, threads: threads, cache: cache) {
            try Self.encoder(
                for: $0, configuration, templateSource, model: model.configuration, folder: folder)
        }
        let files = try DataFiles(paths: command.data)
        report.notePassedOver(files.passedOver(validatesElsewhere: command.valid != nil))
        let loaded = try loader.load(
            files.training, format: configuration.dataFormat, report: report.show)
        warnings = RunWarning.warnings(of: loaded.encoded, set: "training")
        let records = loaded.encoded.records
        let validation = command.valid.map { [$0] } ?? files.validation
        guard !validation.isEmpty else {
            (training, self.validation) = try configuration.validationSize.split(
                records, seed: configuration.seed)
            return
        }
        let valid = try loader.load(validation, format: loaded.format, report: report.show)
        warnings += RunWarning.warnings(of: valid.encoded, set: "validation")
        (training, self.validation) = (records, valid.encoded.records)
    }

    private static func encoder(
        for format: DataFormat, _ configuration: TrainingConfiguration, _ templateSource: String?,
        model: MambaConfiguration, folder: String
    ) throws -> RecordEncoder {
        var text: RecordEncoder.TextEncoding?
        if format.needsTokenizer {
            let (tokenizer, template) = try prompting(configuration, templateSource, folder: folder)
            text = try RecordEncoder.TextEncoding(
                tokenizer: tokenizer, template: template,
                endToken: tokenizer.eosID ?? model.endTokens.first)
        }
        return RecordEncoder(text: text, configuration: configuration, vocabulary: model.vocabulary)
    }

    /// What makes a model's tokens of the prompts of a run.
    static func prompting(
        _ configuration: TrainingConfiguration, _ templateSource: String?, folder: String
    ) throws -> (LoadedTokenizer, PromptTemplate) {
        let tokenizer = try TokenizerLoader.load(at: folder)
        let template = try PromptTemplate(
            name: configuration.template, source: templateSource,
            tokenizer: tokenizer.configuration,
            time: TemplateTime(date: configuration.templateDate) ?? .fixed)
        return (tokenizer, template)
    }
}
