import FoundationEssentials
import Storage
import Tokenization

/// Tells early, and in the user's words, that a folder is not what it was given as.
public enum FolderContents {
    private static let modelFile = "config.json"
    private static let adapterFile = "adapter_config.json"

    /// Checks that a path that exists is a model's folder.
    ///
    /// - Parameter path: The path.
    /// - Throws: ``FolderError``.
    public static func requireModel(_ path: String) throws {
        if has(modelFile, in: path) { return }
        func wrong(_ found: String, _ remedy: String? = nil) -> FolderError {
            FolderError(path: path, found: found, expected: "a model's folder", remedy: remedy)
        }
        if has(adapterFile, in: path) {
            let file = try? JSONValue.read(FilePath.join(path, adapterFile))
            let base = file?["base_model_name_or_path"]?.stringValue
            let name = base.map { " " + quoted($0) } ?? ""
            throw wrong(
                "is an adapter", "give it with --adapter, its base model\(name) with --model")
        }
        if FilePath.isFile(path) {
            let folder = FilePath.folder(of: path)
            throw wrong("is a file", has(modelFile, in: folder) ? "give \(quoted(folder))" : nil)
        }
        throw wrong(lack(of: modelFile, in: path), remedy(for: path, file: modelFile))
    }

    /// Checks that a path is an adapter's folder.
    ///
    /// - Parameter path: Need not exist.
    /// - Throws: ``FolderError``.
    public static func requireAdapter(_ path: String) throws {
        if has(adapterFile, in: path) { return }
        func wrong(_ found: String, _ remedy: String? = nil) -> FolderError {
            FolderError(path: path, found: found, expected: "an adapter's folder", remedy: remedy)
        }
        guard FilePath.exists(path) else { throw wrong("no such folder") }
        if has(modelFile, in: path) {
            throw wrong("is a model", "a model is given with --model")
        }
        if FilePath.isFile(path) {
            let folder = FilePath.folder(of: path)
            throw wrong("is a file", has(adapterFile, in: folder) ? "give \(quoted(folder))" : nil)
        }
        throw wrong(lack(of: adapterFile, in: path), remedy(for: path, file: adapterFile))
    }

    private static func has(_ name: String, in folder: String) -> Bool {
        FilePath.isFile(FilePath.join(folder, name))
    }

    private static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    private static func lack(of file: String, in folder: String) -> String {
        names(in: folder).isEmpty ? "is an empty folder" : "has no \(file)"
    }

    /// Where what is wanted lies below a folder: in a checkpoint, or in a snapshot of the hub's cache.
    private static func remedy(for folder: String, file: String) -> String? {
        let checkpoints = names(in: folder).compactMap { name -> (step: Int, path: String)? in
            guard name.hasPrefix("checkpoint-"), let step = Int(name.dropFirst(11)) else {
                return nil
            }
            return (step, FilePath.join(folder, name))
        }
        if let newest = checkpoints.max(by: { $0.step < $1.step }), has(file, in: newest.path) {
            return "its run has not ended; go on with it, or give \(quoted(newest.path))"
        }
        let snapshots = FilePath.join(folder, "snapshots")
        return names(in: snapshots).sorted().map { FilePath.join(snapshots, $0) }
            .first { has(file, in: $0) }.map { "give \(quoted($0))" }
    }
}

/// A path is not what it was given as.
public struct FolderError: Error, Equatable, CustomStringConvertible {
    /// As the user gave it.
    public var path: String
    /// What it is, or lacks.
    public var found: String
    /// What it should be.
    public var expected: String
    /// What to give instead, where that is known.
    public var remedy: String?

    /// One line that names the path.
    public var description: String {
        "\(quotedPath(path)): \(found), expected \(expected)" + (remedy.map { "; " + $0 } ?? "")
    }
}

/// The small files of a model's folder that a copy of the model needs too.
public enum ModelCompanions {
    /// Those that a tokenizer is read from.
    public static let tokenizerNames =
        TokenizerLoader.names + [
            "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
            "chat_template.jinja",
        ]

    /// All of them.
    public static let names = tokenizerNames + ["generation_config.json"]

    /// Reads those that are there.
    ///
    /// - Parameter folder: The model's folder.
    /// - Returns: Names and contents.
    /// - Throws: `FileError` if one cannot be read.
    public static func read(folder: String) throws -> [(name: String, content: [UInt8])] {
        try names.filter { FilePath.exists("\(folder)/\($0)") }.map { name in
            (name, try ByteStream.contents(of: "\(folder)/\(name)", limit: 1 << 28))
        }
    }
}
