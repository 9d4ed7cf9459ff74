import ArgumentParser
import CommandSupport
import Hub

/// `mtl-finetune upload`: a result's files become a repository of the hub.
struct UploadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upload", abstract: "Upload a model or an adapter to the Hugging Face hub.",
        discussion: """
            One commit holds the weights, their configuration, the tokenizer, mambatreel.json, the model card \
            README.md, the settings and the curves; checkpoints stay here. HF_TOKEN, or the file that the hub's \
            own tools keep, says who asks.
            """
                + HelpText.examples(
                    "mtl-finetune upload out/mine your-name/my-adapter",
                    "mtl-finetune upload out/merged your-name/my-model --private"))

    @Argument(help: "The output folder of a run or of merge.")
    var folder: String

    @Argument(help: "The repository, org/name; made if it is not there.")
    var name: String

    @Flag(name: .customLong("private"), help: "Show a repository that is made to you alone.")
    var isPrivate = false

    @Option(help: "The first line of the commit's message.")
    var message = HubUpload.Options().message

    @Option(help: "The branch.")
    var revision = HubUpload.Options().revision

    @Flag(name: .customLong("create-pr"), help: "Propose the commit (pull request).")
    var createPullRequest = false

    func run() throws {
        var options = HubUpload.Options()
        (options.isPrivate, options.message) = (isPrivate, message)
        (options.revision, options.isProposal) = (revision, createPullRequest)
        let upload = try HubUpload(to: name, options: options)
        var line = ProgressLine("uploading \(name): MB")
        Interruption.watch()
        let address = try upload.run(folder) { progress in
            line.update(
                done: progress.bytes / 1_000_000, total: progress.totalBytes / 1_000_000,
                detail: progress.file)
            return !Interruption.isRequested
        } report: { event in
            line.clear()
            switch event {
            case .repository(let name, let isNew):
                if isNew { Terminal.printNote("made \(name)") }
            case .sent(let name, _, let wasThere):
                Terminal.printNote(wasThere ? "\(name) is there already" : "sent \(name)")
            }
        }
        line.clear()
        Terminal.printResult("\(folder): \(address)")
    }
}
