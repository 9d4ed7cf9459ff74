import CommandSupport
import FineTuning
import Hub
import ModelLoading
import Storage

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
    ///   - files: The files behind that.
    ///   - source: What turns records into tokens.
    ///   - threads: At least 1.
    ///   - report: Told how it goes.
    /// - Throws: An error of the data, of the tokenizer or of a setting.
    init(
        _ command: TrainCommand, files: RunFiles, source: EncodingSource, threads: Int,
        report: TrainingReport
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
        report.notePassedOver(
            files.data.passedOver(validatesElsewhere: command.valid != nil))
        let weights = try DataWeights(
            command.dataWeights, paths: command.data.count, files: files.data)
        let loaded = try loader.load(
            files.data.training, format: configuration.dataFormat, report: report.show)
        warnings = RunWarning.warnings(of: loaded.encoded, set: "training")
        let records = loaded.encoded.records
        let validation = files.validation
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

/// The files that a run reads.
struct RunFiles {
    let data: DataFiles
    /// Those to validate on.
    let validation: [String]
}

extension TrainCommand {
    /// The files behind `--data` and `--valid`, fetched from the hub where they are names on it.
    func files() throws -> RunFiles {
        var fetched: [String: FetchedData] = [:]
        for path in data {
            guard let name = Self.hubName(path) else { continue }
            let validation = name.split == nil ? DataFiles.validationNames : []
            let found = try DataSetFiles.find(
                name, splits: [name.split ?? "train"] + validation)
            fetched[path] = FetchedData(
                training: found[name.split ?? "train"] ?? [],
                validation: validation.lazy.compactMap { found[$0] }.first ?? [])
        }
        let files = try DataFiles(paths: data, fetched: fetched)
        guard let valid else { return RunFiles(data: files, validation: files.validation) }
        guard let name = Self.hubName(valid) else {
            return RunFiles(data: files, validation: [valid])
        }
        let split = name.split ?? "validation"
        return RunFiles(
            data: files, validation: try DataSetFiles.find(name, splits: [split])[split] ?? [])
    }

    /// A name on the hub; nil for what is there, and what looks like a file.
    static func hubName(_ path: String) -> HubDataSetName? {
        FilePath.exists(path) ? nil : HubDataSetName(path)
    }
}
