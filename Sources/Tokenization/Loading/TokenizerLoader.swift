import FoundationEssentials

/// Finds and reads the files of a tokenizer.
public enum TokenizerLoader {
    /// The names that a folder's tokenizer may have, the preferred one first.
    public static let names = ["tokenizer.json", "tokenizer.model", "spiece.model"]

    /// Loads a tokenizer.
    ///
    /// - Parameter path: A folder with one of ``names``, or such a file, `.json` or `.model`. The
    ///   configuration is read from the same folder.
    /// - Returns: The tokenizer and its configuration.
    /// - Throws: ``TokenizerError``; if nothing is found, it names every path looked for.
    public static func load(at path: String) throws -> LoadedTokenizer {
        let (file, folder) = try locate(path)
        let bytes = try read(file)
        let configuration = try TokenizerConfiguration { name in
            let path = folder + name
            return exists(path) ? (try read(path), path) : nil
        }
        let tokenizer: any Tokenizer =
            file.hasSuffix(".json")
            ? try BytePairTokenizer(parsing: bytes, file: file)
            : try SentencePieceTokenizer(parsing: bytes, file: file)
        return try LoadedTokenizer(
            tokenizer: tokenizer, configuration: configuration,
            file: folder + "tokenizer_config.json")
    }

    /// The tokenizer's file, and its folder with a slash at the end or empty.
    private static func locate(_ path: String) throws -> (file: String, folder: String) {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw TokenizerError.missing(paths: [path])
        }
        if isFolder {
            let folder = path.hasSuffix("/") ? path : path + "/"
            let candidates = names.map { folder + $0 }
            guard let file = candidates.first(where: exists) else {
                throw TokenizerError.missing(paths: candidates)
            }
            return (file, folder)
        }
        let name = path.split(separator: "/").last ?? ""
        guard name.hasSuffix(".json") || name.hasSuffix(".model") else {
            throw TokenizerError.unsupported(
                file: path, field: "name", found: "'\(name)'",
                supported: "a folder, a '.json' or a '.model' file")
        }
        return (path, String(path.dropLast(name.count)))
    }

    private static func exists(_ path: String) -> Bool {
        var isFolder = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder
    }

    private static func read(_ path: String) throws -> [UInt8] {
        do {
            return [UInt8](try Data(contentsOf: URL(filePath: path)))
        } catch {
            throw TokenizerError.unreadable(file: path, reason: "\(error)")
        }
    }
}
