import CommandSupport
import FineTuning
import MambaLM
import ModelLoading
import Reports
import Storage
import Tokenization

/// Keeps `report.html` up to date while a run goes on, and the trees of one sample for it.
///
/// Nothing that goes wrong here ends a run: it is a warning.
final class RunReport {
    /// What is told of the run in `run.json`.
    let about: JSONObject
    private let folder: String
    private let model: MambaModel
    private let sample: [Int32]
    private let modelFolder: String
    private let warn: (String) -> Void
    private let clock = ContinuousClock()
    /// When the report may be written next, so that long runs spend next to no time on it.
    private var next: ContinuousClock.Instant?

    /// Prepares to follow a run.
    ///
    /// - Parameters:
    ///   - folder: The run's output folder.
    ///   - model: The model that is trained.
    ///   - modelFolder: Its folder, with the tokenizer that gives the sample's text.
    ///   - data: The records, of which one gives the sample.
    ///   - engine: What computes, in words.
    ///   - warn: Told what goes wrong.
    init(
        folder: String, model: MambaModel, modelFolder: String, data: TrainingData,
        engine: String, warn: @escaping (String) -> Void
    ) {
        self.folder = folder
        self.model = model
        self.warn = warn
        self.modelFolder = modelFolder
        // One that fits on a page, and was not trained on if there is any.
        let record =
            model.flow.dependsOnPrompt
            ? (data.validation.prefix(100) + data.training.prefix(100))
                .first { (3...400).contains($0.promptLength) } : nil
        sample = record.map { Array($0.tokens[..<$0.promptLength]) } ?? []
        about = [
            "version": .string("mambatreel \(CommandLineProgram.version)"),
            "engine": .string(engine),
            "command": .array(
                CommandLineProgram.typedWords("mtl-finetune", without: ["--resume", "--overwrite"])
                    .map { .string($0) }),
        ]
    }

    /// Writes what has to be written after an event.
    func follow(_ event: TrainingEvent) {
        switch event {
        case .started: attempt { try keepTrees(isBefore: true) }
        case .evaluated, .saved: if next.map({ clock.now >= $0 }) ?? true { write() }
        case .finished(let summary):
            if !summary.wasStopped { attempt { try keepTrees(isBefore: false) } }
            write()
        default: break
        }
    }

    private func write() {
        let start = clock.now
        attempt { try RunPage.write(of: folder) }
        let end = clock.now
        next = end.advanced(by: start.duration(to: end) * 100)
    }

    private func attempt(_ body: () throws -> Void) {
        do {
            try body()
        } catch {
            warn("\(error); the run goes on without its report")
        }
    }

    /// Writes the sample's trees down: those of the model that the run begins with, later those of the
    /// trained one beside them.
    private func keepTrees(isBefore: Bool) throws {
        guard !sample.isEmpty else { return }
        let path = FilePath.join(folder, RunPage.treesName)
        let tokenizer = try LoadedModel.tokenizer(folder: modelFolder, isNeeded: false)?.tokenizer
        let tokens = sample.map {
            PromptTrees.Token(
                id: Int($0), text: tokenizer?.decode([$0], skippingSpecialTokens: false) ?? "\($0)")
        }
        let known = FilePath.isFile(path) ? try? PromptTrees(file: path) : nil
        let before = known?.tokens == tokens ? known?.readings.first : nil
        // A run that goes on began with another model than it has now.
        if isBefore, before != nil { return }
        let reading = PromptTrees.Reading(
            name: isBefore ? "before" : "after",
            layers: model.trees(over: sample).map {
                PromptTrees.Layer(parents: $0.parents, cosines: $0.cosines)
            })
        let readings = isBefore ? [reading] : [before, reading].compactMap { $0 }
        try PromptTrees(tokens: tokens, readings: readings).write(to: path)
    }
}
