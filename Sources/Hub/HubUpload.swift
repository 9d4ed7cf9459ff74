import Glibc
import Storage

/// Uploads a folder of a model or an adapter to the Hugging Face hub, as one commit.
///
/// Small files travel in the commit; large ones, which the hub names, go to where it says by Git LFS and are named
/// by their hash. What is there already is not sent again.
///
/// Source: `huggingface_hub`, `create_commit`.
public struct HubUpload {
    /// What the user chose.
    public struct Options: Sendable {
        /// Whether a repository that is made is shown to its owner alone.
        public var isPrivate = false
        /// The commit's first line.
        public var message = "Upload with MambaTreeL"
        /// The branch.
        public var revision = "main"
        /// Whether the commit is a proposal (pull request).
        public var isProposal = false

        /// Takes the defaults.
        public init() {}
    }

    /// What happens.
    public enum Event: Equatable, Sendable {
        /// The repository is there; whether it was made.
        case repository(String, isNew: Bool)
        /// A large file is sent, or is there already.
        case sent(String, bytes: Int, wasThere: Bool)
    }

    private struct File {
        let name: String
        let path: String
        let size: Int
        var hash = ""
    }

    private let environment: HubEnvironment
    private let repository: RepositoryName
    private let token: String
    private let options: Options

    /// The most bytes that all small files of a commit may have; larger ones go by LFS.
    static let smallLimit = 64 << 20

    /// Prepares an upload; nothing is sent yet.
    ///
    /// - Parameters:
    ///   - name: `org/name`.
    ///   - options: What the user chose.
    ///   - environment: The hub, and who asks.
    /// - Throws: ``HubError`` if the name is none, or nothing says who asks.
    public init(
        to name: String, options: Options = Options(), environment: HubEnvironment = .process
    ) throws {
        guard let repository = RepositoryName(name) else { throw HubError.noName(name) }
        guard !environment.isOffline else { throw HubError.uploadOffline(model: name) }
        guard let token = environment.token else {
            throw HubError.noToken(endpoint: environment.endpoint)
        }
        (self.environment, self.repository) = (environment, repository)
        (self.token, self.options) = (token, options)
    }

    /// The files of a folder that are worth uploading: results, not what only a run that goes on needs.
    ///
    /// - Parameter folder: The folder.
    /// - Returns: Their names, sorted.
    /// - Throws: `FileError`.
    public static func names(in folder: String) throws -> [String] {
        let wanted: Set<String> = [
            "README.md", "adapter_config.json", "adapter_model.safetensors", "model.safetensors",
            "mambatreel.json", "config.yaml", "metrics.jsonl", "samples.jsonl",
        ]
        return try FolderTree.names(in: folder).filter { name in
            FilePath.isFile(FilePath.join(folder, name))
                && (wanted.contains(name) || WantedFiles.plain.contains(name)
                    || name.hasSuffix(".gguf")
                    || name.hasPrefix("model-") && name.hasSuffix(".safetensors")
                    || name == "model.safetensors.index.json")
        }.sorted()
    }

    /// Uploads.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - progress: Called now and then while large files are sent; false stops.
    ///   - report: Called with what happens.
    /// - Returns: The address of the commit, or of the repository if nothing has changed.
    /// - Throws: ``HubError``, `FileError` or `JSONError`.
    public func run(
        _ folder: String, progress: (DownloadProgress) -> Bool = { _ in true },
        report: (Event) -> Void = { _ in }
    ) throws -> String {
        var files = try Self.names(in: folder).map { name in
            let path = FilePath.join(folder, name)
            return File(name: name, path: path, size: try FilePath.size(of: path))
        }
        guard
            files.contains(where: {
                $0.name.hasSuffix(".safetensors") || $0.name.hasSuffix(".gguf")
            })
        else { throw HubError.nothingToUpload(folder: folder) }
        try makeRepository(report)
        let large = try largeNames(among: files)
        for index in files.indices where large.contains(files[index].name) {
            files[index].hash = try SHA256.hexadecimal(ofFile: files[index].path)
        }
        try send(files.filter { large.contains($0.name) }, progress, report)
        return try commit(files, large: large)
    }

    private func makeRepository(_ report: (Event) -> Void) throws {
        let url = "\(environment.endpoint)/api/repos/create"
        let body: JSONValue = [
            "name": .string(repository.name), "organization": .string(repository.organization),
            "private": .bool(options.isPrivate), "type": "model",
        ]
        let (answer, _) = try ask(url, body, accepting: [409])
        report(.repository(repository.text, isNew: answer.status != 409))
    }

    /// Asks the hub which files are to go by LFS.
    private func largeNames(among files: [File]) throws -> Set<String> {
        let listed = try files.map { file -> JSONValue in
            let sample = try MappedFile(path: file.path).copy(0..<min(512, file.size))
            return [
                "path": .string(file.name), "size": .integer(file.size),
                "sample": .string(Base64.text(sample)),
            ]
        }
        let url = "\(api)/preupload/\(revision)"
        let (_, value) = try ask(url, ["files": .array(listed)])
        let modes = value["files"]?.arrayValue ?? []
        let large = modes.filter { $0["uploadMode"]?.stringValue == "lfs" }
            .compactMap { $0["path"]?.stringValue }
        return Set(large + files.filter { $0.size > Self.smallLimit }.map(\.name))
    }

    private func send(
        _ files: [File], _ progress: (DownloadProgress) -> Bool, _ report: (Event) -> Void
    ) throws {
        guard !files.isEmpty else { return }
        let url = "\(environment.endpoint)/\(repository.text).git/info/lfs/objects/batch"
        let (_, value) = try ask(
            url,
            [
                "operation": "upload", "transfers": ["basic", "multipart"], "hash_algo": "sha256",
                "objects": .array(
                    files.map { ["oid": .string($0.hash), "size": .integer($0.size)] }),
            ], type: "application/vnd.git-lfs+json")
        let objects = value["objects"]?.arrayValue ?? []
        let total = files.reduce(0) { $0 + $1.size }
        var done = 0
        for file in files {
            guard let object = objects.first(where: { $0["oid"]?.stringValue == file.hash }) else {
                throw HubError.answer(
                    url: url, reason: "does not say where \(quoted(file.name)) goes")
            }
            if let message = object["error"]?["message"]?.stringValue {
                throw HubError.answer(url: url, reason: "refuses \(quoted(file.name)): \(message)")
            }
            let upload = object["actions"]?["upload"]
            if let upload {
                try send(file, upload) { bytes in
                    progress(
                        DownloadProgress(
                            file: file.name, bytes: done + bytes, totalBytes: total))
                }
                if let verify = object["actions"]?["verify"]?["href"]?.stringValue {
                    _ = try ask(
                        verify, ["oid": .string(file.hash), "size": .integer(file.size)],
                        type: "application/vnd.git-lfs+json")
                }
            }
            done += file.size
            report(.sent(file.name, bytes: file.size, wasThere: upload == nil))
        }
    }

    /// Sends a file to where the hub says: at once, or in parts.
    private func send(
        _ file: File, _ upload: JSONValue, _ shouldGoOn: (Int) -> Bool
    ) throws {
        guard let address = upload["href"]?.stringValue else {
            throw HubError.answer(url: environment.endpoint, reason: "names no address to send to")
        }
        let headers = (upload["header"]?.objectValue?.members ?? []).compactMap { member in
            member.value.stringValue.map { (member.key, $0) }
        }
        let content = try MappedFile(path: file.path)
        guard let size = headers.first(where: { $0.0 == "chunk_size" }).flatMap({ Int($0.1) }),
            size > 0
        else {
            _ = try put(content, 0..<content.count, to: address, headers, shouldGoOn)
            return
        }
        let parts = headers.compactMap { header in Int(header.0).map { ($0, header.1) } }
            .sorted { $0.0 < $1.0 }
        guard parts.map(\.0) == Array(1...max(1, (file.size + size - 1) / size)) else {
            throw HubError.answer(
                url: environment.endpoint,
                reason: "names \(parts.count) addresses for parts of \(size) bytes of \(file.size)")
        }
        let tags = try parts.map { number, address -> JSONValue in
            let range = (number - 1) * size..<min(number * size, file.size)
            let answer = try put(content, range, to: address, []) {
                shouldGoOn(range.lowerBound + $0)
            }
            guard let tag = answer.headers["etag"] else {
                throw HubError.answer(url: address, reason: "names no content (ETag)")
            }
            return ["partNumber": .integer(number), "etag": .string(tag)]
        }
        _ = try ask(
            address, ["oid": .string(file.hash), "parts": .array(tags)],
            type: "application/vnd.git-lfs+json")
    }

    private func put(
        _ content: MappedFile, _ range: Range<Int>, to url: String, _ headers: [(String, String)],
        _ shouldGoOn: (Int) -> Bool
    ) throws -> Transfer.Answer {
        // The address itself says who asks; the token is for the hub alone.
        let body = Transfer.Body(
            method: "PUT", type: "application/octet-stream", content: content, range: range,
            headers: headers.map { "\($0.0): \($0.1)" })
        let transfer = Transfer(url: url, body: body)
        guard let answer = try transfer.run(shouldGoOn: shouldGoOn, consume: { _ in }) else {
            throw HubError.uploadStopped(model: repository.text)
        }
        try check(answer, url)
        return answer
    }

    private func commit(_ files: [File], large: Set<String>) throws -> String {
        let writer = JSONWriter(isCompact: true)
        var lines: [JSONValue] = [
            [
                "key": "header",
                "value": ["summary": .string(options.message), "description": ""],
            ]
        ]
        for file in files {
            if large.contains(file.name) {
                lines.append([
                    "key": "lfsFile",
                    "value": [
                        "path": .string(file.name), "algo": "sha256", "oid": .string(file.hash),
                        "size": .integer(file.size),
                    ],
                ])
            } else {
                let bytes = try ByteStream.contents(of: file.path)
                lines.append([
                    "key": "file",
                    "value": [
                        "path": .string(file.name), "encoding": "base64",
                        "content": .string(Base64.text(bytes)),
                    ],
                ])
            }
        }
        let text = lines.map { writer.string($0) + "\n" }.joined()
        let url = "\(api)/commit/\(revision)" + (options.isProposal ? "?create_pr=1" : "")
        let (_, value) = try ask(url, Array(text.utf8), type: "application/x-ndjson")
        return value["pullRequestUrl"]?.stringValue ?? value["commitUrl"]?.stringValue
            ?? "\(environment.endpoint)/\(repository.text)"
    }

    private var api: String { "\(environment.endpoint)/api/models/\(repository.text)" }
    private var revision: String { HubAddress.escaped(options.revision) }

    private func ask(
        _ url: String, _ value: JSONValue, type: String = "application/json",
        accepting: Set<Int> = []
    ) throws -> (Transfer.Answer, JSONValue) {
        let text = JSONWriter(isCompact: true).string(value)
        return try ask(url, Array(text.utf8), type: type, accepting: accepting)
    }

    private func ask(
        _ url: String, _ bytes: [UInt8], type: String, accepting: Set<Int> = []
    ) throws -> (Transfer.Answer, JSONValue) {
        // The hub's own addresses get the token; where it points to another host, they do not.
        let isHub = url.hasPrefix(environment.endpoint + "/")
        let transfer = Transfer(
            url: url, token: isHub ? token : nil, seconds: 300,
            body: Transfer.Body(method: "POST", type: type, bytes: bytes))
        var body: [UInt8] = []
        let answer = try transfer.run { piece in
            guard body.count + piece.count <= 16 << 20 else {
                throw HubError.answer(url: url, reason: "is longer than 16 MiB")
            }
            body += piece
        }
        guard let answer else { throw HubError.uploadStopped(model: repository.text) }
        if !accepting.contains(answer.status) { try check(answer, url) }
        return (answer, body.isEmpty ? .null : try JSONValue(parsing: body, file: url))
    }

    private func check(_ answer: Transfer.Answer, _ url: String) throws {
        switch answer.status {
        case 200..<300: return
        case 401, 403:
            throw HubError.mayNotWrite(model: repository.text, endpoint: environment.endpoint)
        case let status:
            throw HubError.refusedUpload(
                url: url, status: status, reason: answer.headers["x-error-message"])
        }
    }
}

/// Bytes as text.
///
/// Source: RFC 4648, section 4.
enum Base64 {
    private static let letters = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The text of some bytes, filled with `=`.
    static func text(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            var number = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
            var four = [UInt8](repeating: UInt8(ascii: "="), count: 4)
            for place in (0..<4).reversed() {
                if place <= part.count { four[place] = letters[number & 63] }
                number >>= 6
            }
            text += four
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// Parts of addresses.
enum HubAddress {
    /// A text as one part of a path; `/` is escaped, too.
    static func escaped(_ text: String) -> String {
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
        return text.utf8.map { byte in
            plain.contains(byte)
                ? String(UnicodeScalar(byte))
                : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
