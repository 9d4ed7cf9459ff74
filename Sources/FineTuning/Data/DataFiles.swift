import FoundationEssentials
import Storage

/// The files that hold the data of a run.
public struct DataFiles: Equatable, Sendable {
    /// The files to train on, in order.
    public var training: [String] = []
    /// The files to validate on.
    public var validation: [String] = []
    /// The files kept for a final test.
    public var test: [String] = []
    /// Files of data in the folders that are none of these.
    public var others: [String] = []

    /// What the files of a split are called, the name that is taken first before the others.
    private static let validationNames = ["valid", "validation", "val", "dev"]
    private static let endings = [".jsonl", ".json", ".csv", ".tsv"].flatMap {
        [$0, $0 + ".zst", $0 + ".gz"]
    }

    /// Finds the files behind paths.
    ///
    /// A file is trained on. A folder must have a `train` file and may have one to validate on, `valid`,
    /// `validation`, `val` or `dev`, and `test`, each ending in `.jsonl`, `.json`, `.csv` or `.tsv`, also with
    /// `.zst` or `.gz`.
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
            var names = try FolderTree.names(in: path).filter { name in
                DataFiles.endings.contains { name.hasSuffix($0) }
            }.sorted()
            func take(_ split: String) throws -> String? {
                let found = DataFiles.endings.map { split + $0 }.filter(names.contains)
                guard found.count <= 1 else {
                    throw DataError.ambiguousSplit(folder: path, names: found)
                }
                names.removeAll { $0 == found.first }
                return found.first.map { FilePath.join(path, $0) }
            }
            guard let file = try take("train") else {
                throw DataFiles.whyNoTraining(in: path)
            }
            training.append(file)
            for split in DataFiles.validationNames {
                guard let file = try take(split) else { continue }
                validation.append(file)
                break
            }
            if let file = try take("test") { test.append(file) }
            others += names.map { FilePath.join(path, $0) }
        }
    }

    private static func whyNoTraining(in folder: String) -> DataError {
        for (name, found) in [("config.json", "a model"), ("adapter_config.json", "an adapter")]
        where FileManager.default.fileExists(atPath: "\(folder)/\(name)") {
            return .notData(folder: folder, found: found)
        }
        return .missingSplit(folder: folder, split: "train")
    }

    /// The files that a run makes no use of.
    ///
    /// - Parameter validatesElsewhere: Whether held-out records come from somewhere else.
    /// - Returns: Their paths.
    public func passedOver(validatesElsewhere: Bool) -> [String] {
        (validatesElsewhere ? validation : []) + test + others
    }
}
