import FoundationEssentials
import Storage

/// The files of a data set that was fetched from elsewhere.
public struct FetchedData: Equatable, Sendable {
    /// The files to train on.
    public var training: [String]
    /// The files to validate on.
    public var validation: [String]

    /// Groups files.
    public init(training: [String], validation: [String]) {
        self.training = training
        self.validation = validation
    }
}

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

    /// The number of the path that a file to train on was found behind.
    private(set) var origins: [String: Int] = [:]

    /// What the split to validate on is called, the name that is taken first before the others.
    public static let validationNames = ["valid", "validation", "val", "dev"]

    /// Finds the files behind paths.
    ///
    /// A file is trained on. A folder must have a `train` file and may have one to validate on, `valid`,
    /// `validation`, `val` or `dev`, and `test`, each in one file or in parts, as ``DataSplits`` finds them.
    ///
    /// - Parameters:
    ///   - paths: Files, folders, and names of what was fetched.
    ///   - fetched: The files of each split of what is no path.
    /// - Throws: ``DataError`` if a folder has no training file, ``DataSplitError`` if it has a split twice.
    public init(paths: [String], fetched: [String: FetchedData] = [:]) throws {
        for (number, path) in paths.enumerated() {
            if let data = fetched[path] {
                training += data.training
                for file in data.training { origins[file] = origins[file] ?? number }
                validation += data.validation
                continue
            }
            var isFolder = false
            // A path that is not there is left to the reader, whose error says why.
            let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            guard exists, isFolder else {
                training.append(path)
                origins[path] = origins[path] ?? number
                continue
            }
            var rest = try FolderTree.names(in: path).filter(DataSplits.isData).sorted()
                .map { FilePath.join(path, $0) }
            func take(_ split: String) throws -> [String] {
                let files = try DataSplits.files(of: split, in: path)
                rest.removeAll(where: files.contains)
                return files
            }
            let files = try take("train")
            if files.isEmpty { throw DataFiles.whyNoTraining(in: path) }
            training += files
            for file in files { origins[file] = origins[file] ?? number }
            for split in DataFiles.validationNames {
                let files = try take(split)
                validation += files
                if !files.isEmpty { break }
            }
            test += try take("test")
            others += rest
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
