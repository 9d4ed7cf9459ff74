import Storage

/// A folder `checkpoint-N`, written all at once.
struct CheckpointFolder: Equatable {
    /// The number of finished steps.
    let step: Int
    /// The folder.
    let path: String

    /// Names the checkpoint of a step.
    init(step: Int, in folder: String) {
        self.step = step
        path = "\(folder)/checkpoint-\(step)"
    }

    /// The file of the optimiser's moments.
    var optimizer: String { path + "/optimizer.safetensors" }
    /// The file of ``ResumeState``.
    var resume: String { path + "/resume.json" }
    /// The file of ``TrainerState``.
    var trainerState: String { path + "/trainer_state.json" }

    /// The checkpoints in a folder, the newest first.
    static func all(in folder: String) throws -> [CheckpointFolder] {
        try (FilePath.exists(folder) ? FolderTree.names(in: folder) : [])
            .compactMap { name in step(ofName: name).map { CheckpointFolder(step: $0, in: folder) }
            }
            .sorted { $0.step > $1.step }
    }

    /// The step of a checkpoint's name; `nil` for other names.
    static func step(ofName name: String) -> Int? {
        guard name.hasPrefix("checkpoint-"), let step = Int(name.dropFirst(11)), step >= 0,
            name == "checkpoint-\(step)"
        else { return nil }
        return step
    }

    /// Whether a folder is a checkpoint that this program wrote; other trainers use the same names.
    @Sendable static func isOwn(_ path: String) -> Bool {
        step(ofName: FilePath.name(of: path)) != nil && FilePath.isFile("\(path)/resume.json")
    }

    /// Writes a checkpoint under a neighbour name and renames it when it is complete.
    func write(
        _ contents: any CheckpointContents, optimizer: Optimizer, state: ResumeState,
        identity: RunIdentity, trainerState: TrainerState
    ) throws {
        try AtomicFolder.write(to: path, existing: .replace) { folder in
            let files = CheckpointFolder(writing: self, in: folder)
            try contents.write(to: folder)
            try optimizer.write(to: files.optimizer)
            try state.write(identity, to: files.resume)
            try trainerState.write(to: files.trainerState)
            try DigestList.write(to: folder)
        }
    }

    /// Removes the checkpoint; what is half removed has no checkpoint's name.
    func remove() throws { try FolderTree.discard(path) }

    private init(writing other: CheckpointFolder, in folder: String) {
        step = other.step
        path = folder
    }
}
