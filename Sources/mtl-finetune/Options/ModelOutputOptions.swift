import ArgumentParser
import CommandSupport
import ModelLoading
import Storage

/// The folder that a command writes a model into, as a whole or not at all.
struct ModelOutputOptions: ParsableArguments {
    @Option(help: "The folder to write the model into.")
    var output: String

    @Flag(help: "Replace a model that this program wrote there before.")
    var overwrite = false

    /// Refuses a folder that is read or holds something; before work is begun.
    ///
    /// - Parameters:
    ///   - inputs: What the command reads.
    ///   - companions: The names of what it writes beside the model; somebody else's tokenizer stays.
    /// - Throws: `OutputError` or `FileError`.
    func check(apartFrom inputs: [OutputRule.Input], companions: [String] = []) throws {
        let own = OwnFiles(
            ["config.json", "model.safetensors", AdapterRecord.fileName] + companions,
            isMarked: { SafetensorsFile.isOwn("\($0)/model.safetensors") }, passesHidden: false)
        try OutputRule.checkFolder(
            output, apartFrom: inputs, own: own, isOverwriting: overwrite)
    }

    /// Fills a hidden folder, which then takes the place of the output in one step.
    ///
    /// - Parameters:
    ///   - inputs: What the command reads.
    ///   - companions: The names of what it writes beside the model.
    ///   - body: Writes the model into the folder whose path it gets.
    /// - Throws: `OutputError`, `FileError`, or what `body` throws; then the output is as before.
    func write(
        apartFrom inputs: [OutputRule.Input], companions: [String] = [],
        _ body: (String) throws -> Void
    ) throws {
        try check(apartFrom: inputs, companions: companions)
        try FolderTree.create(FilePath.folder(of: FilePath.trimmed(output)))
        // Of a folder that exists a run may be writing checkpoints into it.
        let lock = FilePath.isFolder(output) ? try FolderLock(output) : nil
        try withExtendedLifetime(lock) {
            try AtomicFolder.write(to: output, existing: .replace) { folder in
                try body(folder)
                try check(apartFrom: inputs, companions: companions)
            }
        }
    }
}
