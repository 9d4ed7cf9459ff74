import ArgumentParser
import CommandSupport
import Evaluation
import Hub
import ModelLoading
import Storage
import Tensors
import Tokenization

/// A run of tasks as the user asked for it.
struct EvaluationSession {
    private let command: RunCommand
    private let evaluation: Evaluation
    private let loaded: LoadedModel
    private let tokenizer: LoadedTokenizer

    /// Reads tasks and documents, then loads the model.
    ///
    /// - Throws: An error of a task, a document or a file.
    init(_ command: RunCommand, index: TaskIndex) throws {
        self.command = command
        let threads = command.model.engine.resolvedThreads
        let selection = try TaskSelection(
            command.tasks.names, from: index, command.tasks.settings)
        selection.warnings.forEach { Terminal.printNote("warning: \($0)") }
        evaluation = try Evaluation(
            selection,
            data: DataFolders(command.tasks.dataDir, fetch: Self.fetch),
            options: command.tasks.options(threads: threads))
        loaded = try command.model.load(notes: Terminal.printNote)
        tokenizer = try TokenizerLoader.load(at: loaded.folder)
    }

    /// The files of a split of a data set on the hub; none, with a note, if they cannot be had.
    @Sendable private static func fetch(
        _ dataSet: String, _ configuration: String?, _ split: String
    ) -> [String] {
        guard !HubEnvironment.process.isOffline,
            let name = HubDataSetName(
                dataSet: dataSet, configuration: configuration, split: split)
        else { return [] }
        do {
            return try DataSetFiles.find(name, splits: [split])[split] ?? []
        } catch {
            Terminal.printNote("\(error)")
            return []
        }
    }

    /// Scores, prints the table and writes the files.
    func run() throws {
        if command.output.writeOut {
            evaluation.tasks.forEach { Terminal.printNote($0.firstPrompt) }
        }
        let clock = ContinuousClock()
        let start = clock.now
        var information = information()
        let report = EvaluationReport(isQuiet: command.output.quiet)
        let results = try evaluation.run(
            on: loaded.model, tokenizer: tokenizer, journal: try journal(information)
        ) { event in
            report.show(event)
            if let code = Interruption.exitCode {
                report.interrupted(canResume: command.output.outputPath != nil)
                throw ExitCode(code)
            }
        }
        report.finish()
        information.duration = clock.now - start
        if let path = command.output.outputPath {
            let written = try ResultsReport(
                results, options: evaluation.options, information: information
            ).write(
                to: path, date: ResultsReport.localTime(),
                includesSamples: command.output.logSamples)
            written.forEach { Terminal.printNote("wrote \($0)") }
            ScoreReport.write(results, evaluation.options, information, beside: path)
        }
        Terminal.printResult(try information.headline(evaluation.options))
        let style: ResultsTable.Style = command.output.table == .harness ? .harness : .fourDecimals
        Terminal.printResult(ResultsTable(results, style: style).text, terminator: "")
        // Once more beside the table, where it is not scrolled away.
        results.notices.forEach { Terminal.printNote("warning: \($0)") }
    }

    /// Keeps scores as they come, so that a stopped run can go on.
    private func journal(_ information: RunInformation) throws -> ScoreJournal? {
        guard let path = command.output.outputPath else { return nil }
        let folder = ResultsReport.folder(for: path, information)
        try FolderTree.create(folder)
        let engine = loaded.engine
        // Products in bfloat16 differ in more than their last digits.
        let isRounding = command.model.engine.dtype == .bfloat16 && engine.multipliesInBFloat16
        return try ScoreJournal(
            path: "\(folder)/scores.jsonl",
            identity: .object([
                "model": .string("\(loaded.model.fingerprint)"),
                "products": .string(isRounding ? "bfloat16" : "float32"),
                "max_length": .integer(evaluation.options.maximumLength),
            ]), engine: "\(information.version), \(engine.kernels)",
            resuming: command.output.resume)
    }

    private func information() -> RunInformation {
        var x = RunInformation()
        x.dataType = command.model.engine.dtype.rawValue
        x.modelArguments["pretrained"] = .string(loaded.name)
        if let adapter = command.model.adapter { x.modelArguments["peft"] = .string(adapter) }
        for member in loaded.topology.json.members { x.modelArguments[member.key] = member.value }
        x.parameters = loaded.model.configuration.parameterCount
        x.batchSize =
            Int(command.tasks.batchSize).map { .integer($0) } ?? .string(command.tasks.batchSize)
        let seeds = command.tasks.seeds ?? [0, 1234, 1234, 1234]
        x.seeds = (seeds[0], seeds[1], seeds[2])
        x.startTime = WallClock.secondsSince1970
        x.environment = "\(Processor.name), \(loaded.model.engine.summary)"
        x.version = "mambatreel \(CommandLineProgram.version)"
        func token(_ id: Int32?) -> RunInformation.Token? {
            id.map { .init(text: tokenizer.tokenizer.decode([$0]), id: Int($0)) }
        }
        x.tokens = (token(tokenizer.padID), token(tokenizer.eosID), token(tokenizer.bosID))
        x.endTokenID = tokenizer.eosID.map(Int.init)
        return x
    }
}

/// Shows how far a run of tasks is.
final class EvaluationReport {
    private let isQuiet: Bool
    private var line: ProgressLine

    init(isQuiet: Bool) {
        self.isQuiet = isQuiet
        line = ProgressLine("", isQuiet: isQuiet)
    }

    func show(_ event: EvaluationEvent) {
        switch event {
        case .warning(let text):
            line.clear()
            Terminal.printNote("warning: \(text)")
        case .started(let task, let documents, let requests, let resumed):
            line.clear()
            line = ProgressLine(task, isQuiet: isQuiet)
            guard !isQuiet else { return }
            let known = resumed > 0 ? ", \(resumed) known already" : ""
            Terminal.printNote("\(task): \(documents) documents, \(requests) requests\(known)")
        case .progress(_, let done, let total): line.update(done: done, total: total)
        case .aggregating, .finished: line.clear()
        }
    }

    func interrupted(canResume: Bool) {
        line.clear()
        Terminal.printNote(
            canResume
                ? "stopped; go on with the same command and --resume"
                : "stopped; with --output-path, --resume could go on")
    }

    func finish() { line.clear() }
}
