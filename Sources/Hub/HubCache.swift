import Storage

/// The models of the Hugging Face hub, in the local cache that its own tools use too.
public struct HubCache: Sendable {
    private let environment: HubEnvironment

    /// Opens the cache; nothing is read or made yet.
    public init(_ environment: HubEnvironment = .process) { self.environment = environment }

    /// The folder of the cache.
    public var folder: String { environment.cache }

    /// Finds a model's folder: a local one, the snapshot of `org/name` in the cache, or a new download.
    ///
    /// - Parameters:
    ///   - model: A path, or `org/name`.
    ///   - progress: Called now and then during a download; false stops it. What has come is kept, and
    ///     the next call goes on from there.
    /// - Returns: A folder that exists.
    /// - Throws: ``HubError``, `FileError` or `JSONError`.
    public func resolve(
        _ model: String, progress: (DownloadProgress) -> Bool = { _ in true }
    ) throws -> String {
        if FilePath.exists(model) { return model }
        guard let repository = RepositoryName(model) else {
            throw HubError.noSuchFolder(model: model)
        }
        let cached = CachedRepository(repository, in: folder)
        if let snapshot = cached.snapshot { return snapshot }
        guard !environment.isOffline else {
            throw HubError.offline(model: model, cache: cached.folder)
        }
        return try HubDownload(repository, environment: environment).run(into: cached, progress)
    }
}

/// A model's name on the hub, `org/name`.
struct RepositoryName: Equatable {
    let organization: String
    let name: String

    /// Fails unless the text is two names that can stand in a path and in an address.
    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
        guard parts.count == 2,
            parts.allSatisfy({ !$0.isEmpty && $0.first != "." && $0.allSatisfy(allowed.contains) })
        else { return nil }
        (organization, name) = (String(parts[0]), String(parts[1]))
    }

    var text: String { "\(organization)/\(name)" }
}

/// A repository's part of the cache: `blobs/ETAG`, `snapshots/COMMIT/FILE` and `refs/main`.
struct CachedRepository {
    let folder: String

    init(_ name: RepositoryName, in cache: String) {
        folder = "\(cache)/models--\(name.organization)--\(name.name)"
    }

    /// The snapshot that `main` stands for, if it is there.
    var snapshot: String? {
        guard let commit = FirstWord.of(file: reference), Self.isPlain(commit) else { return nil }
        let snapshot = self.snapshot(of: commit)
        return FilePath.isFolder(snapshot) ? snapshot : nil
    }

    var reference: String { "\(folder)/refs/main" }
    func snapshot(of commit: String) -> String { "\(folder)/snapshots/\(commit)" }
    func blob(_ tag: String) -> String { "\(folder)/blobs/\(tag)" }

    /// Whether a commit or tag of the hub can stand in a path.
    static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 128 && text.first != "."
            && text.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || $0 == 45 || $0 == 46 || $0 == 95
            }
    }
}
