import ArgumentParser
import CommandSupport
import FineTuning
import MambaLM
import ModelLoading
import Prompting
import Reports
import Storage
import Tokenization

/// Prompts, models and what trees they build, as the user asked for it.
struct TreeSession {
    /// A prompt's tokens, and where it comes from.
    private struct Source {
        let origin: String
        let tokens: [Int32]
    }

    private let command: TreeCommand
    private let loaded: LoadedModel
    private let tokenizer: any Tokenizer
    private let shelf: AdapterShelf
    private let templateName: String
    private let sources: [Source]

    /// Loads the model and reads the prompts.
    ///
    /// - Throws: An error of a file, of a record or of the template; wrong usage.
    init(_ command: TreeCommand) throws {
        self.command = command
        loaded = try command.model.load(notes: Terminal.printNote)
        guard command.layer < loaded.model.blocks.count else {
            throw ValidationError(
                "--layer is \(command.layer), expected 0 to \(loaded.model.blocks.count - 1)")
        }
        // A model that was trained as a chain shows the trees that it would have.
        let options = command.model.topology
        func tree(_ settings: TopologySettings) -> TopologySettings {
            var settings = options.applied(to: settings)
            settings.kind = .tree
            return settings
        }
        loaded.model.flow = tree(loaded.topology).flow
        shelf = AdapterShelf(
            loaded, adapter: command.model.adapter, topology: tree, notes: Terminal.printNote)
        let tokenizer = try TokenizerLoader.load(at: loaded.folder)
        self.tokenizer = tokenizer.tokenizer
        let recorded = command.template == nil ? loaded.record : nil
        templateName = command.template ?? recorded?.template ?? PromptTemplate.standardName
        let template = try PromptTemplate(
            name: templateName,
            source: try recorded?.templateSource ?? PromptTemplate.source(of: templateName),
            tokenizer: tokenizer.configuration, time: .fixed)
        let vocabulary = loaded.model.configuration.vocabulary
        sources = try Self.records(command, vocabulary: vocabulary).map { record in
            let tokens = try Self.tokens(of: record, template, tokenizer)
            if let foreign = tokens.first(where: { $0 < 0 || Int($0) >= vocabulary }) {
                throw DataError.foreignToken(
                    place: record.origin.description, id: foreign, vocabulary: vocabulary)
            }
            return Source(origin: record.origin.description, tokens: tokens)
        }
    }

    /// Builds the trees and makes their page.
    ///
    /// - Throws: An error of an adapter's files; `ExitCode` where a signal came.
    func page() throws -> TreePage {
        let readings = try models().map { try read(name: $0.name, $0.turnOn) }
        let names = readings.map(\.name)
        let prompts = sources.indices.map { place in
            PromptTrees(
                tokens: sources[place].tokens.map {
                    .init(id: Int($0), text: tokenizer.decode([$0]))
                },
                readings: readings.map { .init(name: $0.name, layers: $0.trees[place]) })
        }
        var survey: TreeSurvey?
        if command.data != nil, command.index == nil {
            var counted = TreeSurvey(names: names, layers: loaded.model.blocks.count)
            prompts.forEach { counted.add($0) }
            survey = counted
        }
        let drawn = prompts.firstIndex { $0.tokens.count > 2 } ?? prompts.indices.first
        return TreePage(
            trees: drawn.map { prompts[$0] }, survey: survey, layer: command.layer,
            facts: facts(drawn: drawn.map { sources[$0].origin }),
            command: CommandLineProgram.typedWords("mtl-eval", without: ["--overwrite"]))
    }

    private func facts(drawn: String?) -> [(name: String, value: String)] {
        [
            ("model", loaded.name), ("adapter", command.model.adapter ?? "none"),
            ("topology", "\(loaded.model.flow)"), ("template", templateName),
            ("drawn", drawn ?? "nothing"),
            ("version", "mambatreel \(CommandLineProgram.version), \(loaded.engine.summary)"),
        ]
    }

    // MARK: - Models

    /// The models in the order in which they are shown, each with what lets it act.
    private func models() -> [(name: String, turnOn: () throws -> Void)] {
        guard let adapter = command.model.adapter else { return [("base", {})] }
        let own = (name: adapter, turnOn: { _ = shelf.turnOn(adapter) } as () throws -> Void)
        switch command.compare {
        case nil: return [own]
        case "base": return [("base", { shelf.turnOff() }), own]
        case let other?: return [(other, { try shelf.load(other) }), own]
        }
    }

    private func read(
        name: String, _ turnOn: () throws -> Void
    ) throws -> (name: String, trees: [[PromptTrees.Layer]]) {
        try turnOn()
        var line = ProgressLine("\(name): prompt", isQuiet: command.quiet)
        defer { line.clear() }
        var trees: [[PromptTrees.Layer]] = []
        for source in sources {
            if let code = Interruption.exitCode { throw ExitCode(code) }
            trees.append(
                loaded.model.trees(over: source.tokens).map {
                    PromptTrees.Layer(parents: $0.parents, cosines: $0.cosines)
                })
            line.update(done: trees.count, total: sources.count)
        }
        return (name, trees)
    }

    // MARK: - Prompts

    private static func records(
        _ command: TreeCommand, vocabulary: Int
    ) throws -> [InstructionRecord] {
        guard let path = command.data else {
            return [InstructionRecord(prompt: command.prompt ?? "")]
        }
        let files = try DataFiles(paths: [path]).training
        let records = try InstructionData(files: files, format: .auto, vocabulary: vocabulary)
            .records
        guard let index = command.index else { return Array(records.prefix(command.limit)) }
        guard index < records.count else {
            throw ValidationError(
                "--index is \(index), expected 0 to \(records.count - 1), as \(path) has "
                    + "\(records.count) records")
        }
        return [records[index]]
    }

    /// The tokens of a record's prompt; of a text without prompt, all of its tokens.
    private static func tokens(
        of record: InstructionRecord, _ template: PromptTemplate, _ tokenizer: LoadedTokenizer
    ) throws -> [Int32] {
        if case .ids(let prompt, let response) = record.content {
            return prompt.isEmpty ? response : prompt
        }
        var text = try template.prompt(of: record)
        if text.isEmpty, case .text(let whole) = record.content { text = whole }
        let start = template.writesStartToken ? [] : tokenizer.startID.map { [$0] } ?? []
        let tokens = start + tokenizer.tokenizer.encode(text)
        guard !tokens.isEmpty else {
            throw ValidationError("\(record.origin) is empty, expected a prompt")
        }
        return tokens
    }
}
