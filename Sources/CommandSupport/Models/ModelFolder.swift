import Glibc
import Hub
import ModelLoading

/// Where a model's files are.
public enum ModelFolder {
    /// Finds a model's folder, downloading it from the hub if it is neither a path nor in the cache.
    ///
    /// A download shows its progress; Ctrl-C stops it, and the next call goes on from there.
    ///
    /// - Parameter model: A path, or `org/name`.
    /// - Returns: A folder with a model's configuration.
    /// - Throws: ``FolderError``, `HubError`, `FileError` or `JSONError`.
    public static func find(_ model: String) throws -> String {
        let folder = try resolve(model)
        try FolderContents.requireModel(folder)
        return folder
    }

    /// Finds what a tokenizer is read from: a model's folder as ``find(_:)``, or a file.
    ///
    /// - Parameter model: A path, or `org/name`.
    /// - Returns: A path that exists.
    /// - Throws: `HubError`, `FileError` or `JSONError`.
    public static func resolve(_ model: String) throws -> String {
        var line = ProgressLine("downloading \(model): MB")
        defer { line.clear() }
        return try HubCache().resolve(model) { progress in
            line.update(
                done: progress.bytes / 1_000_000, total: progress.totalBytes / 1_000_000,
                detail: progress.file)
            return !Interruption.isRequested
        }
    }
}

/// Where the files of data sets are.
public enum DataSetFiles {
    /// Finds the files of a data set of the hub, downloading those that are not in the cache.
    ///
    /// - Parameters:
    ///   - name: The data set.
    ///   - splits: The splits, the first of which must be there.
    /// - Returns: The files of each split that there is.
    /// - Throws: `HubError`, `DataSplitError`, `FileError` or `JSONError`.
    public static func find(
        _ name: HubDataSetName, splits: [String]
    ) throws -> [String: [String]] {
        var line = ProgressLine("downloading \(name.text): MB")
        defer { line.clear() }
        return try HubCache().files(of: name, splits: splits) { progress in
            line.update(
                done: progress.bytes / 1_000_000, total: progress.totalBytes / 1_000_000,
                detail: progress.file)
            return !Interruption.isRequested
        }
    }
}

/// Where the commands keep what they can make again.
public enum UserCache {
    /// The folder of this program in the user's cache folder.
    ///
    /// Source: XDG Base Directory Specification; a relative `XDG_CACHE_HOME` counts as not set.
    ///
    /// - Parameter variable: The value of a variable of the environment, nil if it is not set.
    /// - Returns: The folder, which need not exist; nil if neither variable names one.
    public static func folder(variable: (String) -> String? = processVariable) -> String? {
        let bases = [variable("XDG_CACHE_HOME"), variable("HOME").map { $0 + "/.cache" }]
        let base = bases.compactMap { $0 }.first { $0.hasPrefix("/") }
        return base.map { $0 + "/mambatreel" }
    }

    /// A variable of this process.
    public static func processVariable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
