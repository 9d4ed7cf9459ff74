import CommandSupport
import FineTuning
import LoRA
import MambaLM
import Prompting
import Reports
import Storage
import Tensors

/// A run as the user asked for it: model, adapter, topology and data put together.
struct TrainingSession {
    private let command: TrainCommand
    private let trainer: Trainer
    private let folder: String
    /// Where it writes; `nil` in a dry run.
    private let output: RunFolder?
    private let settings: JSONObject
    private let page: RunReport

    /// Loads everything.
    ///
    /// - Parameters:
    ///   - command: What the user typed.
    ///   - report: Told what is worth knowing, and how loading goes on.
    /// - Throws: An error of a file, a record or a setting.
    init(_ command: TrainCommand, report: TrainingReport) throws {
        let warn = { (text: String) in report.warn(text) }
        self.command = command
        let configuration = command.training.configuration
        output = command.dryRun ? nil : try Self.output(command)
        let folder = try ModelFolder.find(command.model)
        self.folder = folder
        if let start = command.adapter.initAdapter { try FolderContents.requireAdapter(start) }
        if output != nil {
            try OutputRule.checkApart(
                command.outputDir, from: [.init(folder, option: "--model")])
        }
        let engine = try command.engine.makeEngine()
        if let note = command.engine.note(for: engine) { warn(note) }
        let (model, unused) = try MambaModel.load(
            folder: folder, engine: engine, format: command.engine.dtype)
        for name in unused { warn("\(folder): tensor '\(name)' is not used") }
        let topology = command.topology.applied(to: TopologySettings(kind: .tree))
        model.flow = topology.flow

        let templateSource = try PromptTemplate.source(of: configuration.template)
        let data = try TrainingData(
            command, model: model, folder: folder, templateSource: templateSource,
            threads: engine.pool.threads, report: report)

        let samples = try command.samplePrompts.map { path in
            let (tokenizer, template) = try TrainingData.prompting(
                configuration, templateSource, folder: folder)
            return try SamplePrompts(
                SamplePrompts.records(in: path), tokenizer: tokenizer, template: template,
                vocabulary: model.configuration.vocabulary,
                endTokens: model.configuration.endTokens,
                generationEndTokens: model.configuration.generationEndTokens,
                configuration: configuration)
        }

        let record = AdapterRecord(
            topology: topology, template: configuration.template,
            templateSource: templateSource)
        let contents = try Self.contents(
            command, model: model, folder: folder, record: record, warn: warn)
        settings = Self.settings(command, topology: topology)
        page = RunReport(
            folder: command.outputDir, model: model, modelFolder: folder, data: data,
            engine: engine.summary, warn: warn)
        trainer = try Trainer(
            model: model, contents: contents, training: data.training,
            validation: data.validation, samples: samples, configuration: configuration,
            folder: command.outputDir,
            warnings: data.warnings, settings: Self.decisive(settings),
            machine: [
                "engine": .string(engine.matrixKernel.rawValue),
                "scan_kernel": .string(engine.scanKernel.rawValue),
                "instruction_set": .string(engine.instructionSet.rawValue),
            ])
    }

    /// What the run would do.
    ///
    /// - Throws: An error of the tokenizer's files.
    func dryRun() throws -> DryRunReport {
        let tokenizer = try LoadedModel.tokenizer(folder: folder, isNeeded: false)
        return trainer.dryRun(tokenizer: tokenizer?.tokenizer)
    }

    /// Trains, writing the resolved configuration first.
    func run(_ report: TrainingReport) throws {
        guard let output else { return }
        let configuration = Companion(
            name: "config.yaml", content: Array(ConfigurationText.yaml(settings).utf8))
        let summary = try trainer.run(
            in: output, files: [configuration], about: page.about,
            shouldStop: { Interruption.isRequested }
        ) { event in
            report.show(event)
            page.follow(event)
        }
        report.finish(summary, folder: command.outputDir, command: command)
    }

    /// Takes the output folder, unless something is in it that is not to be touched.
    private static func output(_ command: TrainCommand) throws -> RunFolder {
        let data = try DataFiles(paths: command.data)
        var inputs = [OutputRule.Input(command.model, option: "--model")]
        inputs += (data.training + data.validation + data.test).map { .init($0, option: "--data") }
        if let valid = command.valid { inputs.append(.init(valid, option: "--valid")) }
        if let prompts = command.samplePrompts {
            inputs.append(.init(prompts, option: "--sample-prompts"))
        }
        if let start = command.adapter.initAdapter {
            inputs.append(.init(start, option: "--init-adapter"))
        }
        inputs.append(.init(command.training.template, option: "--template"))
        return try RunFolder(
            command.outputDir,
            command.resume ? .resuming : command.overwrite ? .overwriting : .anew,
            companions: ModelCompanions.names + [
                AdapterRecord.fileName, RunPage.fileName, RunPage.treesName,
            ], apartFrom: inputs)
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
            let (adapters, notes) = try LoRAAdapterSet.read(folder, attachingTo: model)
            for note in notes { warn(note) }
            return adapters
        }
        var generator = SplitMix64(seed: command.training.seed)
        let adapters = try LoRAAdapterSet.attach(
            command.adapter.configuration(baseModel: command.model), to: model, using: &generator)
        if let note = adapters.note { warn(note) }
        return adapters
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
        if let prompts = command.samplePrompts { settings["sample_prompts"] = .string(prompts) }
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
        settings["dtype"] = .string(command.engine.dtype.rawValue)
        settings["threads"] = .integer(command.engine.threads)
        settings["scan_kernel"] = .string(command.engine.scanKernel.rawValue)
        if let engine = command.engine.engine { settings["engine"] = .string(engine.rawValue) }
        settings["cache"] = .bool(command.cache)
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
