import CommandSupport
import FineTuning
import Kernels
import LoRA
import MambaLM
import Prompting
import Storage
import Tokenization

/// A run as the user asked for it: model, adapter, topology and data put together.
struct TrainingSession {
    private let command: TrainCommand
    private let trainer: Trainer
    private let tokenizer: LoadedTokenizer?
    private let settings: JSONObject

    /// Loads everything.
    ///
    /// - Parameters:
    ///   - command: What the user typed.
    ///   - warn: Called with what is worth knowing but no error.
    /// - Throws: An error of a file, a record or a setting.
    init(_ command: TrainCommand, warn: (String) -> Void) throws {
        self.command = command
        let configuration = command.training.configuration
        if !command.dryRun { try FolderTree.create(command.outputDir) }
        let folder = try HubCache().resolve(command.model)
        let engine = command.engine.makeEngine()
        let (model, unused) = try MambaModel.load(folder: folder, engine: engine)
        for name in unused { warn("\(folder): tensor '\(name)' is not used") }
        let topology = command.topology.applied(to: TopologySettings(kind: .tree))
        model.flow = topology.flow

        let files = try DataFiles(paths: command.data)
        let data = try InstructionData(
            files: files.training, format: configuration.dataFormat,
            vocabulary: model.configuration.vocabulary)
        let needsText = data.format.needsTokenizer
        tokenizer = try LoadedModel.tokenizer(folder: folder, isNeeded: needsText)
        let encoder = try Self.encoder(
            tokenizer, configuration: configuration, model: model, needsText: needsText)
        let records = try Self.encode(
            data, encoder, threads: engine.pool.threads, label: "training", warn: warn)
        let validFiles = command.valid.map { [$0] } ?? files.validation
        let valid =
            validFiles.isEmpty
            ? nil
            : try InstructionData(
                files: validFiles, format: data.format, vocabulary: model.configuration.vocabulary)
        let (training, validation) = try Self.split(
            records, valid, encoder, configuration, threads: engine.pool.threads, warn: warn)

        let record = AdapterRecord(
            topology: topology, template: configuration.template,
            templateSource: try Self.templateSource(configuration.template))
        let contents = try Self.contents(
            command, model: model, folder: folder, record: record, warn: warn)
        settings = Self.settings(command, topology: topology)
        trainer = try Trainer(
            model: model, contents: contents, training: training, validation: validation,
            configuration: configuration, folder: command.outputDir,
            settings: Self.decisive(settings))
    }

    /// What the run would do.
    func dryRun() -> DryRunReport { trainer.dryRun(tokenizer: tokenizer?.tokenizer) }

    /// Trains, writing the resolved configuration first.
    func run(_ report: TrainingReport) throws {
        try AtomicFile.write(
            ConfigurationText.yaml(settings), to: "\(command.outputDir)/config.yaml")
        let summary = try trainer.run(
            resuming: command.resume, shouldStop: { Interruption.isRequested },
            report: report.show)
        report.finish(summary, folder: command.outputDir, command: command)
    }

    private static func encoder(
        _ tokenizer: LoadedTokenizer?, configuration: TrainingConfiguration, model: MambaModel,
        needsText: Bool
    ) throws -> RecordEncoder {
        let text = try tokenizer.flatMap { tokenizer in
            try needsText
                ? RecordEncoder.TextEncoding(
                    tokenizer: tokenizer,
                    template: PromptTemplate(
                        name: configuration.template, tokenizer: tokenizer.configuration),
                    endToken: tokenizer.eosID ?? model.configuration.endTokens.first) : nil
        }
        return RecordEncoder(
            text: text, configuration: configuration, vocabulary: model.configuration.vocabulary)
    }

    private static func encode(
        _ data: InstructionData, _ encoder: RecordEncoder, threads: Int, label: String,
        warn: (String) -> Void
    ) throws -> [TrainingRecord] {
        let encoded = try encoder.encode(data.records, threads: threads)
        let counts = [
            (encoded.truncated, "were cut off at the length limit"),
            (encoded.droppedLong, "are longer than the limit and were left out"),
            (encoded.droppedUnscored, "have a prompt that fills the limit and were left out"),
        ]
        for (count, what) in counts where count > 0 { warn("\(count) \(label) records \(what)") }
        return encoded.records
    }

    private static func split(
        _ records: [TrainingRecord], _ valid: InstructionData?, _ encoder: RecordEncoder,
        _ configuration: TrainingConfiguration, threads: Int, warn: (String) -> Void
    ) throws -> (training: [TrainingRecord], validation: [TrainingRecord]) {
        if let valid {
            return (
                records,
                try encode(valid, encoder, threads: threads, label: "validation", warn: warn)
            )
        }
        return try configuration.validationSize.split(records, seed: configuration.seed)
    }

    private static func contents(
        _ command: TrainCommand, model: MambaModel, folder: String, record: AdapterRecord,
        warn: (String) -> Void
    ) throws -> any CheckpointContents {
        var companions = [
            Companion(name: AdapterRecord.fileName, content: Array(record.text.utf8))
        ]
        switch command.adapter.fineTuneType {
        case .full:
            companions += try ModelCompanions.read(folder: folder).map {
                Companion(name: $0.name, content: $0.content)
            }
            return TrainedModel(model, companions: companions)
        case .lora:
            return TrainedAdapter(
                try adapters(command, model: model, warn: warn), companions: companions)
        }
    }

    private static func adapters(
        _ command: TrainCommand, model: MambaModel, warn: (String) -> Void
    ) throws -> LoRAAdapterSet {
        if let folder = command.adapter.initAdapter {
            let (adapters, unknown) = try LoRAAdapterSet.read(folder, attachingTo: model)
            for field in unknown {
                warn("\(folder)/adapter_config.json: field '\(field)' is not known")
            }
            return adapters
        }
        var generator = SplitMix64(seed: command.training.seed)
        return try LoRAAdapterSet.attach(
            command.adapter.configuration(baseModel: command.model), to: model, using: &generator)
    }

    /// The text of a template that is a file, so that the adapter can be used without it.
    private static func templateSource(_ name: String) throws -> String? {
        guard !PromptTemplate.builtInNames.contains(name) else { return nil }
        return String(decoding: try ByteStream.contents(of: name, limit: 1 << 20), as: UTF8.self)
    }
}

extension TrainingSession {
    /// Every flag by its name in configuration files.
    private static func settings(
        _ command: TrainCommand, topology: TopologySettings
    ) -> JSONObject {
        var settings: JSONObject = [
            "model": .string(command.model), "data": .array(command.data.map { .string($0) }),
        ]
        if let valid = command.valid { settings["valid"] = .string(valid) }
        for member in topology.json.members { settings[member.key] = member.value }
        let adapter = command.adapter
        settings["fine_tune_type"] = .string(adapter.fineTuneType.rawValue)
        settings["lora_r"] = .integer(adapter.loraR)
        settings["lora_alpha"] = .number(adapter.loraAlpha)
        settings["lora_dropout"] = .number(adapter.loraDropout)
        settings["lora_target_modules"] = .string(
            adapter.loraTargetModules.joined(separator: ","))
        if let start = adapter.initAdapter { settings["init_adapter"] = .string(start) }
        for member in command.training.configuration.settings.members {
            settings[member.key] = member.value
        }
        settings["dtype"] = .string(command.engine.dtype)
        settings["threads"] = .integer(command.engine.threads)
        settings["scan_kernel"] = .string(command.engine.scanKernel.rawValue)
        if let engine = command.engine.engine { settings["engine"] = .string(engine.rawValue) }
        settings["output_dir"] = .string(command.outputDir)
        return settings
    }

    /// The settings that a resumed run must share, beside those of the training itself.
    private static func decisive(_ settings: JSONObject) -> JSONObject {
        let keys = [
            "topology", "tree_scale", "tree_neighbors", "edge_transition", "chain_gain",
            "fine_tune_type", "lora_r", "lora_alpha", "lora_dropout", "lora_target_modules",
            "init_adapter", "dtype",
        ]
        return JSONObject(keys.compactMap { key in settings[key].map { (key, $0) } })
    }
}
