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

/// Fetches what is needed of a repository into the cache, in the layout of `huggingface_hub`.
///
/// A file is fetched into `blobs/TAG.incomplete`, which a later call continues, gets its name when all
/// of it is there, and is linked from `snapshots/COMMIT`. `refs/main` is written last, so a model is
/// in the cache either whole or not at all; of a data set there may be some files.
struct HubDownload {
    /// The most files that a model may have.
    static let fileLimit = 1024
    /// The most bytes that a file may have.
    static let sizeLimit = 1 << 40

    let repository: RepositoryName
    let environment: HubEnvironment
    var kind = RepositoryKind.model
    var revision = "main"

    /// A file on the hub.
    private struct RemoteFile {
        var name: String
        var url: String
        var tag: String
        var size: Int
    }

    /// Fetches what a model needs of its newest commit; returns the snapshot's folder.
    func run(
        into cached: CachedRepository, _ progress: (DownloadProgress) -> Bool
    ) throws -> String {
        let (commit, all) = try listing()
        let names = try WantedFiles.choose(from: all, of: repository.text)
        return try fetch(names, at: commit, into: cached, progress)
    }

    /// Fetches some files of a commit; returns the snapshot's folder.
    func fetch(
        _ names: [String], at commit: String, into cached: CachedRepository,
        _ progress: (DownloadProgress) -> Bool
    ) throws -> String {
        guard names.count <= HubDownload.fileLimit else {
            throw HubError.answer(
                url: address,
                reason: "lists \(names.count) files, expected at most \(HubDownload.fileLimit)")
        }
        // Of a data set, other files of this commit may have been fetched before.
        let missing = names.filter {
            kind == .model || !FilePath.isFile("\(cached.snapshot(of: commit))/\($0)")
        }
        let files = try missing.map { try head(of: $0, at: commit) }
        // At most `fileLimit` times `sizeLimit`: no sum of sizes overflows.
        let total = files.reduce(0) { $0 + $1.size }
        let snapshot = cached.snapshot(of: commit)
        let reference = cached.reference(revision)
        for folder in ["\(cached.folder)/blobs", FilePath.folder(of: reference), snapshot] {
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
        try AtomicFile.write(commit, to: reference)
        return snapshot
    }

    /// Where the files are listed.
    private var address: String {
        "\(environment.endpoint)/api/\(kind.rawValue)/\(repository.text)/revision/"
            + HubAddress.escaped(revision)
    }

    /// The commit that the revision stands for, and the names of its files.
    func listing() throws -> (commit: String, names: [String]) {
        let url = address
        let body = try text(url)
        let fields = try JSONFields(try JSONValue(parsing: body, file: url), file: url)
        let commit = try fields.string("sha")
        guard CachedRepository.isPlain(commit) else {
            throw HubError.answer(url: url, reason: "commit \(quoted(commit)) is none")
        }
        let all = try fields.value("siblings").arrayValue ?? []
        return (commit, all.compactMap { $0.objectValue?["rfilename"]?.stringValue })
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
        let path = name.split(separator: "/").map { HubAddress.escaped(String($0)) }
        let url =
            "\(environment.endpoint)/\(kind.prefix)\(repository.text)/resolve/\(commit)/"
            + path.joined(separator: "/")
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
        let depth = file.name.count { $0 == "/" }
        if depth > 0 { try FolderTree.create(FilePath.folder(of: path)) }
        let up = String(repeating: "../", count: depth + 2)
        guard symlink("\(up)blobs/\(file.tag)", path) == 0 || errno == EEXIST else {
            throw FileError.system(file: path, action: "link", code: errno)
        }
    }

    private func check(_ answer: Transfer.Answer?, _ url: String) throws {
        switch answer?.status {
        case .some(200..<300): return
        case 401, 404:
            throw HubError.unknown(model: repository.text, endpoint: environment.endpoint)
        case 429, 503: throw HubError.busy(url: url, seconds: answer?.headers["retry-after"])
        case 403: throw HubError.forbidden(model: repository.text, endpoint: environment.endpoint)
        case let status: throw HubError.status(url: url, found: status ?? 0)
        }
    }
}

/// Which of a repository's files a model needs.
enum WantedFiles {
    static let plain: Set = [
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
