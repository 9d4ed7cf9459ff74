import Hub

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
