import Glibc
import Storage

/// The local cache of models downloaded from the Hugging Face hub, read-only.
public struct HubCache {
    private let environment: [String: String]

    /// Reads the cache that environment variables point to.
    public init(environment: [String: String] = HubCache.processEnvironment) {
        self.environment = environment
    }

    /// The variables of this process.
    public static var processEnvironment: [String: String] {
        let names = [
            "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HOME",
        ]
        return Dictionary(
            uniqueKeysWithValues: names.compactMap { name in
                getenv(name).map { (name, String(cString: $0)) }
            })
    }

    /// The folder of the cache.
    public var folder: String {
        if let cache = environment["HF_HUB_CACHE"] ?? environment["HUGGINGFACE_HUB_CACHE"] {
            return cache
        }
        if let home = environment["HF_HOME"] { return home + "/hub" }
        let cache = environment["XDG_CACHE_HOME"] ?? (environment["HOME"] ?? "~") + "/.cache"
        return cache + "/huggingface/hub"
    }

    /// The folder of a model: a local one, or the newest snapshot of `org/name` in the cache.
    ///
    /// - Parameter model: A path, or `org/name`.
    /// - Returns: A folder that exists.
    /// - Throws: ``ModelLocationError/notFound(model:looked:)``.
    public func resolve(_ model: String) throws -> String {
        if FilePath.exists(model) { return model }
        let parts = model.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            throw ModelLocationError.notFound(model: model, looked: [model])
        }
        let cached = "\(folder)/models--\(parts[0])--\(parts[1])"
        let reference = "\(cached)/refs/main"
        if let commit = line(of: reference), !commit.contains("/"), !commit.hasPrefix(".") {
            let snapshot = "\(cached)/snapshots/\(commit)"
            if FilePath.exists(snapshot) { return snapshot }
            throw ModelLocationError.notFound(model: model, looked: [model, snapshot])
        }
        throw ModelLocationError.notFound(model: model, looked: [model, reference])
    }

    private func line(of path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = fread(&bytes, 1, bytes.count, file)
        let text = String(decoding: bytes[..<count], as: UTF8.self)
        return text.split(whereSeparator: \.isWhitespace).first.map(String.init)
    }
}

/// Why a model has no folder.
public enum ModelLocationError: Error, Equatable {
    /// Neither a path nor in the cache.
    case notFound(model: String, looked: [String])
}

extension ModelLocationError: CustomStringConvertible {
    /// One line that names the places looked at.
    public var description: String {
        switch self {
        case .notFound(let model, let looked):
            "\(model): no such model, looked for "
                + looked.map { "'\($0)'" }.joined(separator: " and ")
                + "; give a folder, or download it first: huggingface-cli download \(model)"
        }
    }
}
