import LoRA
import Storage

/// The output folder of a run, held by this process as long as the value is there.
///
/// A run that begins gets a number, `run.json` tells it, and its checkpoints carry it: what an earlier run
/// left is never taken for this one's.
public final class RunFolder {
    /// How a run begins.
    public enum Start: Sendable {
        /// In a folder without the files of another run.
        case anew
        /// In place of an earlier run, whose files are removed.
        case overwriting
        /// From the newest checkpoint.
        case resuming
    }

    /// The folder.
    public let path: String
    /// How the run begins.
    public let start: Start
    /// The number of the run; `nil` if the folder does not say.
    private(set) var run: String?
    private let own: OwnFiles
    private let lock: FolderLock

    static let fileName = "run.json"

    /// Makes a folder, locks it, looks at what is in it, and removes what killed runs left half-made.
    ///
    /// - Parameters:
    ///   - path: The folder.
    ///   - start: How the run begins.
    ///   - companions: The names of further files that runs write into the folder.
    ///   - inputs: What the run reads.
    /// - Throws: `OutputError`, `FileError` or `JSONError`.
    public init(
        _ path: String, _ start: Start, companions: [String] = [],
        apartFrom inputs: [OutputRule.Input] = []
    ) throws {
        self.path = path
        self.start = start
        try OutputRule.checkApart(path, from: inputs)
        try FolderTree.create(path)
        lock = try FolderLock(path)
        let names = Self.names + companions + [Self.fileName]
        own = OwnFiles(
            names, isMarked: { FilePath.isFile("\($0)/\(Self.fileName)") },
            isOwnFolder: { CheckpointFolder.isOwn($0) || TensorBoardLog.isOwn($0) })
        if start != .resuming {
            try OutputRule.checkFolder(
                path, apartFrom: inputs, own: own, isOverwriting: start == .overwriting,
                remedy: "go on with --resume, begin anew with --overwrite, "
                    + "or choose another --output-dir")
        }
        FolderTree.removeLeftovers(in: path) { base, isDead in
            isDead || (names + [AtomicFolder.putName]).contains(base)
                || CheckpointFolder.step(ofName: base) != nil
        }
        let file = "\(path)/\(Self.fileName)"
        if FilePath.exists(file) {
            run = try JSONFields(JSONValue.read(file), file: file).string(ifPresent: "run")
        }
    }

    /// The files of a run, first those without which the others are not used.
    private static let names = [
        LoRAAdapterSet.keyFile, "config.json", "adapter_model.safetensors", "model.safetensors",
        "trainer_state.json", "metrics.jsonl", SampleLog.fileName, "config.yaml",
    ]

    /// Begins a run: says so, then removes the files of an earlier one.
    ///
    /// - Parameters:
    ///   - run: The number of the run that goes on; `nil` for a new one.
    ///   - about: What else the file says of it, for people and for the report.
    /// - Returns: The number of the run.
    /// - Throws: `FileError`.
    func begin(continuing run: String?, about: JSONObject = [:]) throws -> String {
        var generator = SystemRandomNumberGenerator()
        let number = run ?? String(UInt64.random(in: 1...UInt64.max, using: &generator), radix: 16)
        let content = JSONObject(
            [("run", .string(number))] + about.members.map { ($0.key, $0.value) })
        try AtomicFile.write(
            JSONWriter(indent: 2).string(.object(content)) + "\n", to: "\(path)/\(Self.fileName)")
        self.run = number
        if start != .resuming { try own.remove(from: path, keeping: Self.fileName) }
        return number
    }
}
