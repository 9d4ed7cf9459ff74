import CommandSupport
import FineTuning
import LoRA
import MambaLM
import ModelLoading
import Prompting
import Python
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
    private let record: AdapterRecord
    private let kind: ModelCard.Kind

    /// Loads everything.
    ///
    /// - Parameters:
    ///   - command: What the user typed.
    ///   - report: Told what is worth knowing, and how loading goes on.
    /// - Throws: An error of a file, a record or a setting.
    init(_ command: TrainCommand, report: TrainingReport) throws {
        let warn = { (text: String) in report.warn(text) }
        self.command = command
        var configuration = command.training.configuration
        let available = Processor.availableBytes
        let files = try command.files()
        output = command.dryRun ? nil : try Self.output(command, files)
        let folder = try ModelFolder.find(command.model)
        self.folder = folder
        if let start = command.adapter.initAdapter { try FolderContents.requireAdapter(start) }
        if output != nil {
            try OutputRule.checkApart(
                command.outputDir, from: [.init(folder, option: "--model")])
        }
        let (model, engine) = try command.engine.loadModel(folder, notes: warn)
        let topology = command.topology.applied(to: TopologySettings(kind: .tree))
        model.flow = topology.flow

        let templateSource = try PromptTemplate.source(of: configuration.template)
        let source = EncodingSource(
            folder: folder, configuration: configuration, templateSource: templateSource,
            vocabulary: model.configuration.vocabulary,
            endTokens: model.configuration.endTokens)
        let data = try TrainingData(
            command, files: files, source: source, threads: engine.pool.threads, report: report)

        let samples = try command.samplePrompts.map { path in
            let (tokenizer, template) = try source.prompting()
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
        self.record = record
        let adapters = contents as? TrainedAdapter
        kind = adapters.map { .adapter($0.adapters.configuration) } ?? .full
        if command.training.batchSize == .automatic {
            configuration =
                (command.resume ? configuration.withBatches(ofRunIn: command.outputDir) : nil)
                ?? MemoryPlan(
                    model: model, contents: contents, training: data.training,
                    configuration: configuration
                ).fittingBatches(in: available)
        }
        let settings = Self.settings(command, configuration, topology: topology)
        self.settings = Self.object(settings)
        page = RunReport(
            folder: command.outputDir, model: model, modelFolder: folder, data: data,
            engine: engine.summary, warn: warn)
        trainer = try Trainer(
            model: model, contents: contents, training: data.training,
            validation: data.validation, samples: samples, configuration: configuration,
            folder: command.outputDir,
            warnings: data.warnings, settings: Self.object(settings.filter(\.decides)),
            machine: [
                "engine": .string(engine.matrixKernel.rawValue),
                "scan_kernel": .string(engine.scanKernel.rawValue),
                "instruction_set": .string(engine.instructionSet.rawValue),
            ], availableBytes: available)
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
        if !summary.wasStopped { writeCard(summary, report) }
        report.finish(summary, folder: command.outputDir, command: command)
    }

    /// Tells people and the hub what is in the output folder; what goes wrong does not end a run.
    private func writeCard(_ summary: TrainingSummary, _ report: TrainingReport) {
        var card = ModelCard(
            name: FilePath.name(of: FilePath.trimmed(command.outputDir)), kind: kind,
            baseModel: command.model, record: record)
        (card.data, card.baseFolder) = (command.data, folder)
        let heldOut = summary.best?.loss ?? summary.validationLoss
        card.facts = [("data", command.data.joined(separator: ", "))]
        card.facts += ["learning_rate", "lora_r", "lora_alpha", "lora_target_modules", "seed"]
            .compactMap { key in
                settings[key].map { (key, JSONWriter().string($0).split(separator: "\"").joined()) }
            }
        card.facts.append(("steps", "\(summary.step)"))
        if let heldOut {
            card.facts.append(("held-out loss", PythonFloat.fixed(heldOut, places: 4)))
        }
        do {
            try card.write(to: command.outputDir)
        } catch {
            report.warn("\(error); the result has no model card")
        }
    }

    /// Takes the output folder, unless something is in it that is not to be touched.
    private static func output(_ command: TrainCommand, _ files: RunFiles) throws -> RunFolder {
        let data = files.data
        var inputs = [OutputRule.Input(command.model, option: "--model")]
        inputs += (data.training + data.validation + data.test).map { .init($0, option: "--data") }
        if command.valid != nil {
            inputs += files.validation.map { .init($0, option: "--valid") }
        }
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
            return try LoRAAdapterSet.read(folder, attachingTo: model, notes: warn)
        }
        var generator = SplitMix64(seed: command.training.seed)
        let adapters = try LoRAAdapterSet.attach(
            command.adapter.configuration(baseModel: command.model), to: model, using: &generator)
        if let note = adapters.note { warn(note) }
        return adapters
    }
}

extension TrainingSession {
    /// A flag by its name in configuration files.
    private struct Setting {
        let key: String
        let value: JSONValue?
        /// Whether a resumed run must share it; the training's own settings say so themselves.
        var decides = false
    }

    /// Every flag that is set, in the order of configuration files.
    private static func settings(
        _ command: TrainCommand, _ configuration: TrainingConfiguration, topology: TopologySettings
    ) -> [Setting] {
        let (adapter, engine) = (command.adapter, command.engine)
        let modules = adapter.loraTargetModules.joined(separator: ",")
        let data: [Setting] = [
            Setting(key: "model", value: .string(command.model)),
            Setting(key: "data", value: .array(command.data.map { .string($0) })),
            Setting(
                key: "data_weights",
                value: command.dataWeights.isEmpty
                    ? nil : .array(command.dataWeights.map { .number($0) })),
            Setting(key: "valid", value: command.valid.map { .string($0) }),
            Setting(key: "sample_prompts", value: command.samplePrompts.map { .string($0) }),
        ]
        let trained: [Setting] =
            topology.json.members.map { Setting(key: $0.key, value: $0.value, decides: true) } + [
                Setting(
                    key: "fine_tune_type", value: .string(adapter.fineTuneType.rawValue),
                    decides: true),
                Setting(key: "lora_r", value: .integer(adapter.loraR), decides: true),
                Setting(key: "lora_alpha", value: .number(adapter.loraAlpha), decides: true),
                Setting(key: "lora_dropout", value: .number(adapter.loraDropout), decides: true),
                Setting(key: "lora_target_modules", value: .string(modules), decides: true),
                Setting(
                    key: "init_adapter", value: adapter.initAdapter.map { .string($0) },
                    decides: true),
            ]
        let training = configuration.settings.members.map {
            Setting(key: $0.key, value: $0.value)
        }
        let machine: [Setting] = [
            Setting(key: "dtype", value: .string(engine.dtype.rawValue), decides: true),
            Setting(key: "threads", value: .integer(engine.threads)),
            Setting(key: "scan_kernel", value: .string(engine.scanKernel.rawValue)),
            Setting(key: "engine", value: engine.engine.map { .string($0.rawValue) }),
            Setting(key: "cache", value: .bool(command.cache)),
            Setting(key: "output_dir", value: .string(command.outputDir)),
        ]
        return (data + trained + training + machine).filter { $0.value != nil }
    }

    private static func object(_ settings: [Setting]) -> JSONObject {
        JSONObject(settings.compactMap { setting in setting.value.map { (setting.key, $0) } })
    }
}
