import Glibc
import Storage

/// The models of the Hugging Face hub, in the local cache that its own tools use too.
public struct HubCache: Sendable {
    let environment: HubEnvironment

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
        return try HubDownload(repository: repository, environment: environment)
            .run(into: cached, progress)
    }
}

/// What a repository holds.
enum RepositoryKind: String {
    case model = "models"
    case dataSet = "datasets"

    /// What stands before its name in addresses of files.
    var prefix: String { self == .model ? "" : "datasets/" }
}

/// A repository's name on the hub, `org/name`.
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
        organization = String(parts[0])
        name = String(parts[1])
    }

    var text: String { "\(organization)/\(name)" }
}

/// A repository's part of the cache: `blobs/ETAG`, `snapshots/COMMIT/FILE` and `refs/main`.
struct CachedRepository {
    let folder: String

    init(_ name: RepositoryName, in cache: String, kind: RepositoryKind = .model) {
        folder = "\(cache)/\(kind.rawValue)--\(name.organization)--\(name.name)"
    }

    /// The snapshot that `main` stands for, if it is there.
    var snapshot: String? { snapshot(ofRevision: "main") }

    /// The snapshot that a revision stands for, if it is there.
    func snapshot(ofRevision revision: String) -> String? {
        guard let commit = FirstWord.of(file: reference(revision)), Self.isPlain(commit) else {
            return nil
        }
        let snapshot = self.snapshot(of: commit)
        return FilePath.isFolder(snapshot) ? snapshot : nil
    }

    func reference(_ revision: String) -> String { "\(folder)/refs/\(revision)" }
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

/// What the environment says about the hub, in the variables of `huggingface_hub`.
public struct HubEnvironment: Equatable, Sendable {
    /// The folder of the cache.
    public var cache: String
    /// The hub's address, without a slash at its end.
    public var endpoint: String
    /// Proves who asks, for models that are not open to everyone.
    public var token: String?
    /// Whether nothing may be fetched.
    public var isOffline: Bool

    /// Groups the settings.
    public init(cache: String, endpoint: String, token: String? = nil, isOffline: Bool = false) {
        self.cache = cache
        self.endpoint = endpoint
        self.token = token
        self.isOffline = isOffline
    }

    /// Reads the settings from variables.
    ///
    /// - Parameter variables: Names and values, as in the environment of a process.
    public init(_ variables: [String: String]) {
        func variable(_ names: String...) -> String? {
            names.lazy.compactMap { variables[$0] }.first { !$0.isEmpty }
        }
        let caches = variable("XDG_CACHE_HOME") ?? (variable("HOME") ?? "~") + "/.cache"
        let home = variable("HF_HOME") ?? caches + "/huggingface"
        cache = variable("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE") ?? home + "/hub"
        let address = variable("HF_ENDPOINT") ?? "https://huggingface.co"
        endpoint = address.hasSuffix("/") ? String(address.dropLast()) : address
        token =
            variable("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
            ?? FirstWord.of(file: variable("HF_TOKEN_PATH") ?? home + "/token")
        isOffline = variable("HF_HUB_OFFLINE").map { !["0", "false"].contains($0) } ?? false
    }

    /// The settings of this process.
    public static var process: HubEnvironment {
        let names = [
            "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HOME",
            "HF_ENDPOINT", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE",
        ]
        let values = names.compactMap { name in
            getenv(name).map { (name, String(cString: $0)) }
        }
        return HubEnvironment(Dictionary(uniqueKeysWithValues: values))
    }
}

/// Small files that hold one word.
enum FirstWord {
    /// The first word of a file's first 4 KiB; `nil` if there is none.
    static func of(file path: String) -> String? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = try? bytes.withUnsafeMutableBytes { try ByteStream(path: path).read(into: $0) }
        let text = String(decoding: bytes[..<(count ?? 0)], as: UTF8.self)
        return text.split(whereSeparator: \.isWhitespace).first.map(String.init)
    }
}

/// Why a model could not be found or fetched.
public enum HubError: Error, Equatable {
    /// Neither a path nor a name on the hub.
    case noSuchFolder(model: String)
    /// Neither a path nor in the cache, and nothing may be fetched.
    case offline(model: String, cache: String)
    /// The hub does not know the model, or does not show it without a token.
    case unknown(model: String, endpoint: String)
    /// The hub has no time now, and may say for how long.
    case busy(url: String, seconds: String?)
    /// The data set has no file of the split, or of any.
    case noSplit(dataSet: String, split: String, files: [String])
    /// The data set has several configurations.
    case severalConfigurations(dataSet: String, names: [String])
    /// The data set is not in the cache, and nothing may be fetched.
    case dataSetOffline(name: String, cache: String)
    /// The hub shows the model to some people only.
    case forbidden(model: String, endpoint: String)
    /// The model has no file that this program reads.
    case unsuitable(model: String, missing: String)
    /// The hub answered with a status that was not expected.
    case status(url: String, found: Int)
    /// The hub could not be reached, or the connection broke.
    case transfer(url: String, reason: String)
    /// The hub's answer does not hold what it should.
    case answer(url: String, reason: String)
    /// The caller stopped the download.
    case stopped(model: String)
    /// The caller stopped the upload.
    case uploadStopped(model: String)
    /// Something is to be uploaded to what is no name of a model.
    case noName(String)
    /// Something is to be uploaded although nothing may be sent.
    case uploadOffline(model: String)
    /// Nothing tells the hub who asks.
    case noToken(endpoint: String)
    /// The folder holds no weights.
    case nothingToUpload(folder: String)
    /// Who asks may not write there.
    case mayNotWrite(model: String, endpoint: String)
    /// The hub refuses what is sent, and may say why.
    case refusedUpload(url: String, status: Int, reason: String?)
}

extension HubError: CustomStringConvertible {
    /// One line that names model or address, and the remedy.
    public var description: String {
        switch self {
        case .noSuchFolder(let model):
            "\(quotedPath(model)): no such folder, expected a model's folder or its name on the "
                + "Hugging Face hub, such as state-spaces/mamba-130m-hf"
        case .offline(let model, let cache):
            "\(quotedPath(model)): no such folder, nor is there \(quoted(cache)) in the cache; "
                + "give a folder, or unset HF_HUB_OFFLINE to download it"
        case .unknown(let model, let endpoint):
            "\(model): no such folder, and unknown to \(endpoint) or not open to everyone; check "
                + "the name, or set HF_TOKEN"
        case .busy(let url, let seconds):
            "\(url): has no time now; run the command again"
                + (seconds.map { " in \(oneLine($0, limit: 20)) s" } ?? " in a while")
                + " to go on where it stopped"
        case .noSplit(let dataSet, let split, let files):
            "\(dataSet): has no split \(quoted(split)) "
                + (files.isEmpty
                    ? "and no files of records"
                    : "among its files \(files.prefix(8).map(quoted).joined(separator: ", "))")
                + "; name another split, as in org/name:test, or give a file"
        case .severalConfigurations(let dataSet, let names):
            "\(dataSet): has several configurations, expected one; write it behind, as in "
                + "\(dataSet)/\(names.first ?? ""), from "
                + names.prefix(12).map(quoted).joined(separator: ", ")
        case .dataSetOffline(let name, let cache):
            "\(quotedPath(name)): no such file, nor is it in \(quoted(cache)); give a file, or unset "
                + "HF_HUB_OFFLINE to download it"
        case .forbidden(let model, let endpoint):
            "\(model): \(endpoint) asks for permission; accept the model's conditions there and set "
                + "HF_TOKEN"
        case .unsuitable(let model, let missing):
            "\(model): has no \(missing); choose a model in the Hugging Face layout, such as "
                + "state-spaces/mamba-130m-hf"
        case .status(let url, let found): "\(url): answered with status \(found), expected 200"
        case .transfer(let url, let reason):
            "\(url): \(oneLine(reason)); check the connection, run the command again to go on where "
                + "it stopped, or give a local folder"
        case .answer(let url, let reason): "\(url): \(oneLine(reason))"
        case .uploadStopped(let model):
            "\(model): upload stopped before its commit; run the command again to go on, large files "
                + "that have arrived are not sent again"
        case .noName(let name):
            "\(quoted(name)): is no name on the hub, expected org/name, such as your-name/my-adapter"
        case .uploadOffline(let model):
            "\(model): HF_HUB_OFFLINE is set, so nothing is sent; unset it to upload"
        case .noToken(let endpoint):
            "no token for \(endpoint); set HF_TOKEN to one that may write, which its settings page gives"
        case .nothingToUpload(let folder):
            "\(quotedPath(folder)): holds no weights, expected the output folder of a run or of merge, or a "
                + "folder with .gguf files"
        case .mayNotWrite(let model, let endpoint):
            "\(model): \(endpoint) does not let this token write there; check the name, and that HF_TOKEN "
                + "may write"
        case .refusedUpload(let url, let status, let reason):
            "\(url): answered with status \(status)\(reason.map { ", " + quoted($0) } ?? ""), expected 200"
        case .stopped(let model):
            "\(model): download stopped; run the command again to go on where it stopped"
        }
    }
}
