import Glibc
import Storage

/// How far a download is.
public struct DownloadProgress: Equatable, Sendable {
    /// The file that is being fetched.
    public var file: String
    /// The bytes of all files that are here.
    public var bytes: Int
    /// The bytes of all files.
    public var totalBytes: Int
}

/// Fetches what a model needs into the cache, in the layout of `huggingface_hub`.
///
/// A file is fetched into `blobs/TAG.incomplete`, which a later call continues, gets its name when all
/// of it is there, and is linked from `snapshots/COMMIT`. `refs/main` is written last, so a model is
/// in the cache either whole or not at all.
struct HubDownload {
    /// The most files that a model may have.
    static let fileLimit = 1024
    /// The most bytes that a file may have.
    static let sizeLimit = 1 << 40

    private let repository: RepositoryName
    private let environment: HubEnvironment

    init(_ repository: RepositoryName, environment: HubEnvironment) {
        self.repository = repository
        self.environment = environment
    }

    /// A file on the hub.
    private struct RemoteFile {
        var name: String
        var url: String
        var tag: String
        var size: Int
    }

    /// Fetches the newest commit of `main`; returns the snapshot's folder.
    func run(
        into cached: CachedRepository, _ progress: (DownloadProgress) -> Bool
    ) throws -> String {
        let (commit, names) = try listing()
        let files = try names.map { try head(of: $0, at: commit) }
        // At most `fileLimit` times `sizeLimit`: no sum of sizes overflows.
        let total = files.reduce(0) { $0 + $1.size }
        let snapshot = cached.snapshot(of: commit)
        for folder in ["\(cached.folder)/blobs", "\(cached.folder)/refs", snapshot] {
            try FolderTree.create(folder)
        }
        var finished = 0
        for file in files {
            try fetch(file, to: cached.blob(file.tag)) { bytes in
                progress(
                    DownloadProgress(
                        file: file.name, bytes: finished + bytes, totalBytes: total))
            }
            finished += file.size
            try link(file, in: snapshot)
        }
        try AtomicFile.write(commit, to: cached.reference)
        return snapshot
    }

    /// The commit that `main` stands for, and the files of it that are worth fetching.
    private func listing() throws -> (commit: String, names: [String]) {
        let url = "\(environment.endpoint)/api/models/\(repository.text)/revision/main"
        let body = try text(url)
        let fields = try JSONFields(try JSONValue(parsing: body, file: url), file: url)
        let commit = try fields.string("sha")
        guard CachedRepository.isPlain(commit) else {
            throw HubError.answer(url: url, reason: "commit \(quoted(commit)) is none")
        }
        let all = try fields.value("siblings").arrayValue ?? []
        let names = all.compactMap { $0.objectValue?["rfilename"]?.stringValue }
        let wanted = try WantedFiles.choose(from: names, of: repository.text)
        guard wanted.count <= HubDownload.fileLimit else {
            throw HubError.answer(
                url: url,
                reason: "lists \(wanted.count) files of a model, expected at most "
                    + "\(HubDownload.fileLimit)")
        }
        return (commit, wanted)
    }

    private func text(_ url: String) throws -> [UInt8] {
        var body: [UInt8] = []
        let answer = try Transfer(url: url, token: environment.token, seconds: 300).run { bytes in
            guard body.count + bytes.count <= 16 << 20 else {
                throw HubError.answer(url: url, reason: "is longer than 16 MiB")
            }
            body += bytes
        }
        try check(answer, url)
        return body
    }

    /// Finds out what a file's content is called and how long it is.
    private func head(of name: String, at commit: String) throws -> RemoteFile {
        let url = "\(environment.endpoint)/\(repository.text)/resolve/\(commit)/\(name)"
        let answer = try Transfer(
            url: url, token: environment.token, isHead: true, seconds: 120
        ).run { _ in }
        let headers = answer?.headers ?? [:]
        if !(300..<400).contains(answer?.status ?? 0) { try check(answer, url) }
        let tag =
            (headers["x-linked-etag"] ?? headers["etag"] ?? "")
            .split(separator: "\"").last.map(String.init) ?? ""
        guard CachedRepository.isPlain(tag) else {
            throw HubError.answer(url: url, reason: "names no content (ETag)")
        }
        guard let length = headers["x-linked-size"] ?? headers["content-length"] else {
            throw HubError.answer(url: url, reason: "names no length")
        }
        guard length.utf8.allSatisfy({ (48...57).contains($0) }), let size = Int(length),
            size <= HubDownload.sizeLimit
        else {
            throw HubError.answer(
                url: url,
                reason: "names the length \(quoted(length)), expected at most "
                    + "\(HubDownload.sizeLimit) bytes")
        }
        return RemoteFile(name: name, url: url, tag: tag, size: size)
    }

    private func fetch(
        _ file: RemoteFile, to blob: String, _ shouldGoOn: (Int) -> Bool
    ) throws {
        guard !FilePath.exists(blob) else { return }
        try fetch(file, to: AppendedFile(blob + ".incomplete"), as: blob, shouldGoOn)
    }

    private func fetch(
        _ file: RemoteFile, to target: AppendedFile, as blob: String,
        _ shouldGoOn: (Int) -> Bool
    ) throws {
        if target.size > file.size { try target.clear() }
        if target.size < file.size {
            let start = target.size
            let transfer = Transfer(url: file.url, token: environment.token, offset: start)
            let answer = try transfer.run(shouldGoOn: { shouldGoOn(start + $0) }) { bytes in
                guard bytes.count <= file.size - target.size else {
                    try target.clear()
                    throw HubError.answer(url: file.url, reason: "is longer than announced")
                }
                try target.append(bytes)
            }
            guard let answer else { throw HubError.stopped(model: repository.text) }
            if start > 0, answer.status == Transfer.cannotContinue {
                try target.clear()
                return try fetch(file, to: target, as: blob, shouldGoOn)
            }
            try check(answer, file.url)
        }
        guard target.size == file.size else {
            throw HubError.transfer(
                url: file.url, reason: "ended after \(target.size) of \(file.size) bytes")
        }
        if try !hasContent(of: file, target.path) {
            try target.clear()
            throw HubError.answer(url: file.url, reason: "came damaged; run the command again")
        }
        try target.finish(as: blob)
    }

    /// Whether a file holds what its tag says: large ones go by SHA-256, small ones by git's hash.
    private func hasContent(of file: RemoteFile, _ path: String) throws -> Bool {
        switch file.tag.utf8.count {
        case 64: try SHA256.hexadecimal(ofFile: path) == file.tag
        case 40: try GitBlobHash.hexadecimal(ofFile: path) == file.tag
        default: true
        }
    }

    private func link(_ file: RemoteFile, in snapshot: String) throws {
        let path = "\(snapshot)/\(file.name)"
        guard symlink("../../blobs/\(file.tag)", path) == 0 || errno == EEXIST else {
            throw FileError.system(file: path, action: "link", code: errno)
        }
    }

    private func check(_ answer: Transfer.Answer?, _ url: String) throws {
        switch answer?.status {
        case .some(200..<300): return
        case 401, 404:
            throw HubError.unknown(model: repository.text, endpoint: environment.endpoint)
        case 403: throw HubError.forbidden(model: repository.text, endpoint: environment.endpoint)
        case let status: throw HubError.status(url: url, found: status ?? 0)
        }
    }
}

/// Which of a repository's files a model needs.
enum WantedFiles {
    private static let plain: Set = [
        "config.json", "generation_config.json", "mambatreel.json", "adapter_config.json",
        "tokenizer.json", "tokenizer_config.json",
        "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
        "tokenizer.model", "chat_template.jinja",
    ]

    /// Chooses; weights are needed, in one file or in parts.
    static func choose(from names: [String], of model: String) throws -> [String] {
        // Of several kinds the first: safetensors before what PyTorch pickled, one file before parts.
        let kinds: [(String) -> Bool] = [
            { $0 == "model.safetensors" }, { isPart($0, "model", ".safetensors") },
            { $0 == "pytorch_model.bin" }, { isPart($0, "pytorch_model", ".bin") },
        ]
        let adapters = ["adapter_model.safetensors", "adapter_model.bin"]
        let weights = kinds.lazy.map { names.filter($0) }.first { !$0.isEmpty } ?? []
        let adapter = adapters.first(where: names.contains).map { [$0] } ?? []
        guard !weights.isEmpty || !adapter.isEmpty else {
            throw HubError.unsuitable(
                model: model, missing: "'model.safetensors', nor 'pytorch_model.bin'")
        }
        // Small files first: what is wrong with a model shows early.
        let (small, large) = (names.filter(plain.contains), adapter + weights)
        return small + large.filter { $0.hasSuffix(".json") }
            + large.filter { !$0.hasSuffix(".json") }
    }

    /// Whether a name is that of a part or of the index of parts.
    private static func isPart(_ name: String, _ stem: String, _ ending: String) -> Bool {
        name == stem + ending + ".index.json"
            || name.hasPrefix(stem + "-") && name.hasSuffix(ending)
                && name.utf8.allSatisfy { $0 != 47 }
    }
}
