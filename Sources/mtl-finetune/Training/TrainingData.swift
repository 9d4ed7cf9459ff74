import CommandSupport
import FineTuning

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
    ///   - source: What turns records into tokens.
    ///   - threads: At least 1.
    ///   - report: Told how it goes.
    /// - Throws: An error of the data, of the tokenizer or of a setting.
    init(
        _ command: TrainCommand, source: EncodingSource, threads: Int, report: TrainingReport
    ) throws {
        let configuration = command.training.configuration
        let cache = try (command.cache ? UserCache.folder() : nil).map {
            TokenCache(
                folder: $0 + "/tokens",
                identity: try EncodingIdentity(
                    program: CommandLineProgram.version, source: source,
                    tokenizerFiles: ModelCompanions.tokenizerNames))
        }
        let loader = RecordLoader(source, threads: threads, cache: cache)
        let files = try DataFiles(paths: command.data)
        report.notePassedOver(files.passedOver(validatesElsewhere: command.valid != nil))
        let weights = try DataWeights(
            command.dataWeights, paths: command.data.count, files: files)
        let loaded = try loader.load(
            files.training, format: configuration.dataFormat, report: report.show)
        warnings = RunWarning.warnings(of: loaded.encoded, set: "training")
        let records = loaded.encoded.records
        let validation = command.valid.map { [$0] } ?? files.validation
        guard !validation.isEmpty else {
            // What is held out is taken away first, so that no record is on both sides.
            let (kept, heldOut) = try configuration.validationSize.split(
                records, seed: configuration.seed)
            training = try weights.applied(to: kept, seed: configuration.seed)
            self.validation = heldOut
            return
        }
        let valid = try loader.load(validation, format: loaded.format, report: report.show)
        warnings += RunWarning.warnings(of: valid.encoded, set: "validation")
        training = try weights.applied(to: records, seed: configuration.seed)
        self.validation = valid.encoded.records
    }
}
