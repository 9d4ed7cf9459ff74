import FoundationEssentials

/// The files that hold the data of a run.
public struct DataFiles: Equatable, Sendable {
    /// The files to train on, in order.
    public var training: [String] = []
    /// The files to validate on.
    public var validation: [String] = []
    /// The files kept for a final test.
    public var test: [String] = []

    /// Finds the files behind paths.
    ///
    /// A file is trained on. A folder must have a `train` file and may have `valid` and `test`, each
    /// ending in `.jsonl` or `.json`, either with `.zst`.
    ///
    /// - Parameter paths: Files and folders.
    /// - Throws: ``DataError`` if a folder has no training file, or a split twice.
    public init(paths: [String]) throws {
        for path in paths {
            var isFolder = false
            // A path that is not there is left to the reader, whose error says why.
            let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            guard exists, isFolder else {
                training.append(path)
                continue
            }
            guard let file = try DataFiles.file(of: "train", in: path) else {
                throw DataFiles.whyNoTraining(in: path)
            }
            training.append(file)
            if let file = try DataFiles.file(of: "valid", in: path) { validation.append(file) }
            if let file = try DataFiles.file(of: "test", in: path) { test.append(file) }
        }
    }

    private static func whyNoTraining(in folder: String) -> DataError {
        for (name, found) in [("config.json", "a model"), ("adapter_config.json", "an adapter")]
        where FileManager.default.fileExists(atPath: "\(folder)/\(name)") {
            return .notData(folder: folder, found: found)
        }
        return .missingSplit(folder: folder, split: "train")
    }

    private static func file(of split: String, in folder: String) throws -> String? {
        let names = [".jsonl", ".json", ".jsonl.zst", ".json.zst"].map { split + $0 }
        let paths = names.map { folder.hasSuffix("/") ? folder + $0 : folder + "/" + $0 }
        let found = zip(names, paths).filter { FileManager.default.fileExists(atPath: $1) }
        guard found.count <= 1 else {
            throw DataError.ambiguousSplit(folder: folder, names: found.map(\.0))
        }
        return found.first?.1
    }
}
