import FoundationEssentials
import Glibc
import TestSupport

/// A small model with a tokenizer, and records, in a folder of their own.
struct CommandWorkshop {
    private let folder: TemporaryFolder
    /// The repository's folder of demonstration data.
    static let demo: String = {
        let tests = Fixtures.path("")
        return tests.components(separatedBy: "/Tests/")[0] + "/data/demo"
    }()

    init() throws {
        folder = TemporaryFolder()
        let run = try CommandRun(
            "mtl-finetune",
            [
                "init", "--config", Self.demo + "/model/config.json", "--seed", "5", "--output",
                model,
            ])
        guard run.status == 0 else { throw WorkshopError(text: run.errors) }
        for name in ["tokenizer.json", "tokenizer_config.json"] {
            try FileManager.default.copyItem(
                atPath: "\(Self.demo)/model/\(name)", toPath: "\(model)/\(name)")
        }
    }

    /// The model's folder.
    var model: String { folder.file("model") }

    /// The path of a file or folder.
    func callAsFunction(_ name: String) -> String { folder.file(name) }

    /// Writes a file.
    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: folder.file(name)))
        return folder.file(name)
    }

    /// The bytes of a file.
    func bytes(_ name: String) throws -> Data {
        try Data(contentsOf: URL(filePath: folder.file(name)))
    }

    /// Trains a few steps with the usual settings.
    func train(
        to output: String, _ arguments: [String] = [], steps: Int = 4, interrupting: String? = nil,
        signal: Int32 = SIGINT, cache: String? = nil
    ) throws -> CommandRun {
        try CommandRun(
            "mtl-finetune",
            [
                "--model", model, "--data", Self.demo + "/train.jsonl", "--max-steps", "\(steps)",
                "--batch-size", "4", "--learning-rate", "1e-3", "--logging-steps", "1",
                "--output-dir", folder.file(output),
            ] + arguments, interrupting: interrupting.map { folder.file($0) }, signal: signal,
            cache: cache.map { folder.file($0) })
    }
}

/// The workshop could not be set up.
struct WorkshopError: Error {
    let text: String
}
