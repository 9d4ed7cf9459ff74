import FoundationEssentials
import Hub
import Storage
import TestSupport
import Testing

@Suite("Hub cache")
struct HubCacheTests {
    private let folder = TemporaryFolder()
    private static let weights = (0..<5000).map { UInt8($0 % 251) }

    private func environment(_ server: SmallServer) -> HubEnvironment {
        HubEnvironment(cache: folder.file("hub"), endpoint: server.endpoint, token: "secret")
    }

    /// Answers as the hub does: a listing, heads with tags, and contents, in part if asked.
    @Sendable private static func hub(_ request: SmallServer.Request) -> SmallServer.Answer {
        let contents: [String: [UInt8]] = [
            "config.json": Array("{}".utf8), "model.safetensors": weights,
        ]
        if request.path == "/api/models/org/name/revision/main" {
            let listing =
                #"{"sha": "c0ffee", "siblings": [{"rfilename": "model.safetensors"}, "#
                + #"{"rfilename": "config.json"}, {"rfilename": "../evil"}, {"rfilename": "a.bin"}]}"#
            return SmallServer.Answer(body: Array(listing.utf8))
        }
        let prefix = "/org/name/resolve/c0ffee/"
        guard request.path.hasPrefix(prefix),
            let content = contents[String(request.path.dropFirst(prefix.count))]
        else { return SmallServer.Answer(status: 404) }
        if request.method == "HEAD" {
            return SmallServer.Answer(
                headers: ["ETag": "\"tag\(content.count)\"", "Content-Length": "\(content.count)"])
        }
        if let range = request.headers["range"], let start = Int(range.dropFirst(6).dropLast()) {
            return SmallServer.Answer(
                status: 206,
                headers: [
                    "Content-Range": "bytes \(start)-\(content.count - 1)/\(content.count)"
                ], body: Array(content[start...]))
        }
        return SmallServer.Answer(body: content)
    }

    @Test("a model is fetched once, into the layout of huggingface_hub")
    func fetches() throws {
        let server = SmallServer(Self.hub)
        let cache = HubCache(environment(server))
        var seen: [DownloadProgress] = []
        let path = try cache.resolve("org/name") { progress in
            seen.append(progress)
            return true
        }
        let repository = "hub/models--org--name"
        #expect(path == folder.file("\(repository)/snapshots/c0ffee"))
        #expect(rawContents(path + "/model.safetensors") == Self.weights)
        #expect(folder.names(in: "\(repository)/blobs") == ["tag2", "tag5000"])
        #expect(
            folder.names(in: "\(repository)/snapshots/c0ffee")
                == ["config.json", "model.safetensors"])
        #expect(rawContents(folder.file("\(repository)/refs/main")) == Array("c0ffee".utf8))
        #expect(seen.allSatisfy { $0.totalBytes == 5002 } && seen.last?.bytes == 5002)
        let asked = server.requests
        #expect(asked.allSatisfy { $0.headers["authorization"] == "Bearer secret" })
        #expect(try cache.resolve("org/name") == path && server.requests == asked)
    }

    @Test(
        "what PyTorch pickled is fetched where there is nothing else",
        arguments: [
            (
                ["config.json", "pytorch_model.bin", "tf_model.h5"],
                ["config.json", "pytorch_model.bin"]
            ),
            (["pytorch_model.bin", "model.safetensors"], ["model.safetensors"]),
            (
                [
                    "pytorch_model-00001-of-00002.bin", "pytorch_model.bin.index.json",
                    "pytorch_model-00002-of-00002.bin",
                ],
                [
                    "pytorch_model.bin.index.json", "pytorch_model-00001-of-00002.bin",
                    "pytorch_model-00002-of-00002.bin",
                ]
            ),
            (
                ["adapter_config.json", "adapter_model.bin"],
                ["adapter_config.json", "adapter_model.bin"]
            ),
            (["adapter_model.bin", "adapter_model.safetensors"], ["adapter_model.safetensors"]),
        ])
    func pickles(names: [String], chosen: [String]) throws {
        let server = SmallServer { request in
            if request.path.hasPrefix("/api/") {
                let siblings = names.map { "{\"rfilename\": \"\($0)\"}" }.joined(separator: ",")
                return SmallServer.Answer(
                    body: Array("{\"sha\": \"c0ffee\", \"siblings\": [\(siblings)]}".utf8))
            }
            let body = Array(request.path.utf8)
            guard request.method == "HEAD" else { return SmallServer.Answer(body: body) }
            return SmallServer.Answer(
                headers: [
                    "ETag": "\"t\(request.path.split(separator: "/").last ?? "")\"",
                    "Content-Length": "\(body.count)",
                ])
        }
        let path = try HubCache(environment(server)).resolve("org/name")
        #expect(
            folder.names(in: String(path.dropFirst(folder.path.count + 1))) == chosen.sorted())
        let fetched = server.requests.filter { $0.method == "GET" }.dropFirst()
            .compactMap { $0.path.split(separator: "/").last.map(String.init) }
        #expect(fetched == chosen)
    }

    @Test("a stopped download goes on where it stopped")
    func continues() throws {
        let server = SmallServer(Self.hub)
        let cache = HubCache(environment(server))
        folder.makeFolders("hub/models--org--name/blobs")
        folder.write(Self.weights[..<1000], to: "hub/models--org--name/blobs/tag5000.incomplete")
        #expect(throws: HubError.stopped(model: "org/name")) {
            try cache.resolve("org/name") { $0.bytes < 1000 }
        }
        #expect(!folder.names(in: "hub/models--org--name").contains("refs/main"))
        let path = try cache.resolve("org/name")
        #expect(rawContents(path + "/model.safetensors") == Self.weights)
        #expect(server.requests.contains { $0.headers["range"] == "bytes=1000-" })
    }

    @Test("a server that sends no parts sends everything again")
    func beginsAgain() throws {
        let server = SmallServer { request in
            var request = request
            request.headers["range"] = nil
            return Self.hub(request)
        }
        folder.makeFolders("hub/models--org--name/blobs")
        folder.write([9, 9, 9], to: "hub/models--org--name/blobs/tag5000.incomplete")
        let path = try HubCache(environment(server)).resolve("org/name")
        #expect(rawContents(path + "/model.safetensors") == Self.weights)
    }

    @Test("what breaks off gets no name")
    func breaksOff() {
        let server = SmallServer { request in
            var answer = Self.hub(request)
            if request.path.hasSuffix("model.safetensors") { answer.sent = 100 }
            return answer
        }
        #expect {
            try HubCache(environment(server)).resolve("org/name")
        } throws: { error in
            if case .transfer = error as? HubError { true } else { false }
        }
        let blobs = folder.names(in: "hub/models--org--name/blobs")
        #expect(blobs == ["tag2", "tag5000.incomplete"])
        #expect(folder.names(in: "hub/models--org--name/refs") == [])
    }

    @Test("a content that is not what its hash says is thrown away")
    func damaged() {
        let server = SmallServer { request in
            var answer = Self.hub(request)
            if request.path.hasSuffix("model.safetensors"), request.method == "HEAD" {
                answer.headers["X-Linked-Etag"] = String(repeating: "0", count: 64)
            }
            return answer
        }
        #expect {
            try HubCache(environment(server)).resolve("org/name")
        } throws: { "\($0)".contains("damaged") }
        let incomplete = String(repeating: "0", count: 64) + ".incomplete"
        #expect(rawContents(folder.file("hub/models--org--name/blobs/" + incomplete)) == [])
    }

    @Test("a content with the right hash is kept")
    func sound() throws {
        let name = try SHA256.hexadecimal(ofFile: folder.write(Self.weights, to: "weights"))
        let server = SmallServer { request in
            var answer = Self.hub(request)
            if request.path.hasSuffix("model.safetensors"), request.method == "HEAD" {
                answer.headers["X-Linked-Etag"] = "\"\(name)\""
            }
            return answer
        }
        let path = try HubCache(environment(server)).resolve("org/name")
        #expect(rawContents(path + "/model.safetensors") == Self.weights)
    }

    @Test(
        "the hub's refusals are told apart",
        arguments: [(401, "unknown"), (404, "unknown"), (403, "permission"), (500, "status 500")])
    func refusals(status: Int, word: String) {
        let server = SmallServer { _ in SmallServer.Answer(status: status) }
        #expect {
            try HubCache(environment(server)).resolve("org/name")
        } throws: { "\($0)".contains(word) }
    }

    @Test(
        "hostile answers name no path",
        arguments: [
            #"{"sha": "../../x", "siblings": []}"#, #"{"sha": 5}"#, "[", "",
            #"{"sha": "c0ffee", "siblings": [{"rfilename": "pytorch_model.bin"}]}"#,
        ])
    func hostile(listing: String) {
        let server = SmallServer { _ in SmallServer.Answer(body: Array(listing.utf8)) }
        #expect(throws: (any Error).self) {
            try HubCache(environment(server)).resolve("org/name")
        }
        #expect(folder.names() == [])
    }

    @Test("offline, and for what is no name of a model, nothing is asked")
    func offline() {
        let server = SmallServer(Self.hub)
        var environment = environment(server)
        environment.isOffline = true
        for name in ["org/name", "a", "../\(UUID())", "a/b/c", "org/na me", "org/.."] {
            #expect(throws: HubError.self) { try HubCache(environment).resolve(name) }
        }
        #expect(server.requests.isEmpty)
    }

    @Test("the environment is read as huggingface_hub reads it")
    func variables() {
        let plain = HubEnvironment(["HOME": "/h"])
        #expect(plain.cache == "/h/.cache/huggingface/hub")
        #expect(plain.endpoint == "https://huggingface.co" && !plain.isOffline)
        let set = HubEnvironment([
            "HOME": "/h", "HF_HOME": "/f", "HF_ENDPOINT": "http://a/", "HF_TOKEN": "t",
            "HF_HUB_OFFLINE": "1",
        ])
        #expect(
            set
                == HubEnvironment(
                    cache: "/f/hub", endpoint: "http://a", token: "t", isOffline: true))
    }
}
