import Hub
import Storage
import TestSupport
import Testing

@Suite("Uploads to the hub")
struct HubUploadTests {
    private let folder = TemporaryFolder()
    private static let weights = (0..<5000).map { UInt8($0 % 251) }

    init() {
        folder.makeFolders("out/checkpoint-5")
        folder.write(Self.weights, to: "out/adapter_model.safetensors")
        folder.write("{}", to: "out/adapter_config.json")
        folder.write("---\n---\n# é\n", to: "out/README.md")
        folder.write("x", to: "out/trainer_state.json")
        folder.write("x", to: "out/checkpoint-5/adapter_model.safetensors")
    }

    private func environment(_ server: SmallServer) -> HubEnvironment {
        HubEnvironment(cache: folder.file("hub"), endpoint: server.endpoint, token: "secret")
    }

    private static func json(_ text: String, status: Int = 200) -> SmallServer.Answer {
        SmallServer.Answer(status: status, body: Array(text.utf8))
    }

    /// Answers as the hub does; `parts` sends large files in pieces of this size, `isThere` says that they are there.
    private static func hub(
        _ request: SmallServer.Request, parts: Int? = nil, isThere: Bool = false,
        isNew: Bool = true
    ) -> SmallServer.Answer {
        let host = "http://\(request.headers["host"] ?? "")"
        let oid =
            JSONPart.value(request.body, "oid") ?? JSONPart.value(request.body, "objects", "oid")
        switch (request.method, request.path) {
        case ("POST", "/api/repos/create"):
            return json("{\"url\": \"x\"}", status: isNew ? 200 : 409)
        case ("POST", "/api/models/org/name/preupload/main"):
            return json(
                #"{"files": [{"path": "adapter_model.safetensors", "uploadMode": "lfs"}, "#
                    + #"{"path": "README.md", "uploadMode": "regular"}, "#
                    + #"{"path": "adapter_config.json", "uploadMode": "regular"}]}"#)
        case ("POST", "/org/name.git/info/lfs/objects/batch"):
            guard !isThere else { return json(#"{"objects": [{"oid": "\#(oid ?? "")"}]}"#) }
            var header = #""x-amz-a": "b""#
            if let parts {
                let count = (weights.count + parts - 1) / parts
                header = #""chunk_size": "\#(parts)""#
                for number in 1...count { header += #", "\#(number)": "\#(host)/part\#(number)""# }
            }
            return json(
                #"{"objects": [{"oid": "\#(oid ?? "")", "actions": {"upload": {"href": "\#(host)/blob", "#
                    + #""header": {\#(header)}}, "verify": {"href": "\#(host)/org/name.git/verify"}}}]}"#
            )
        case ("PUT", _): return SmallServer.Answer(headers: ["ETag": "\"t\(request.body.count)\""])
        case ("POST", "/blob"), ("POST", "/org/name.git/verify"): return json("{}")
        case ("POST", "/api/models/org/name/commit/main"):
            return json(#"{"commitUrl": "\#(host)/org/name/commit/c0ffee"}"#)
        default: return SmallServer.Answer(status: 404)
        }
    }

    /// The small part of JSON that the server looks at.
    private enum JSONPart {
        static func value(_ body: [UInt8], _ keys: String...) -> String? {
            var value = try? JSONValue(parsing: body, file: "body")
            for key in keys { value = value?.arrayValue?.first?[key] ?? value?[key] }
            return value?.stringValue
        }
    }

    @Test("one commit holds small files as they are and large ones by their hash")
    func commit() throws {
        let server = SmallServer { Self.hub($0) }
        var events: [HubUpload.Event] = []
        let upload = try HubUpload(to: "org/name", environment: environment(server))
        let address = try upload.run(folder.file("out"), report: { events.append($0) })
        #expect(address == "\(server.endpoint)/org/name/commit/c0ffee")
        #expect(
            events == [
                .repository("org/name", isNew: true),
                .sent("adapter_model.safetensors", bytes: 5000, wasThere: false),
            ])
        let requests = server.requests
        #expect(
            requests.map { "\($0.method) \($0.path)" } == [
                "POST /api/repos/create", "POST /api/models/org/name/preupload/main",
                "POST /org/name.git/info/lfs/objects/batch", "PUT /blob",
                "POST /org/name.git/verify", "POST /api/models/org/name/commit/main",
            ])
        let (put, others) = (requests[3], requests.filter { $0.method == "POST" })
        #expect(put.body == Self.weights && put.headers["x-amz-a"] == "b")
        // The address to send to proves itself who asks; the token is the hub's alone.
        #expect(put.headers["authorization"] == nil)
        #expect(others.allSatisfy { $0.headers["authorization"] == "Bearer secret" })
        let lines = String(decoding: requests[5].body, as: UTF8.self).split(separator: "\n")
        let values = try lines.map { try JSONValue(parsing: String($0), file: "commit") }
        #expect(
            values.map { $0["key"]?.stringValue }
                == ["header", "file", "file", "lfsFile"]
                .sorted { $0 == "header" && $1 != "header" })
        #expect(values[0]["value"]?["summary"] == "Upload with MambaTreeL")
        #expect(values[1]["value"]?["path"] == "README.md")
        #expect(values[1]["value"]?["content"] == "LS0tCi0tLQojIMOpCg==")
        let hash = try SHA256.hexadecimal(ofFile: folder.file("out/adapter_model.safetensors"))
        #expect(
            values[3]["value"] == [
                "path": "adapter_model.safetensors", "algo": "sha256", "oid": .string(hash),
                "size": 5000,
            ])
    }

    @Test("a large file goes in parts where the hub wants them, and not at all where it is there")
    func parts() throws {
        let server = SmallServer { Self.hub($0, parts: 2000, isNew: false) }
        var events: [HubUpload.Event] = []
        let upload = try HubUpload(to: "org/name", environment: environment(server))
        _ = try upload.run(folder.file("out"), report: { events.append($0) })
        #expect(events.first == .repository("org/name", isNew: false))
        let puts = server.requests.filter { $0.method == "PUT" }
        #expect(puts.map(\.path) == ["/part1", "/part2", "/part3"])
        #expect(puts.flatMap(\.body) == Self.weights)
        let ended = try #require(server.requests.first { $0.path == "/blob" })
        let value = try JSONValue(parsing: ended.body, file: "parts")
        #expect(
            value["parts"]?.arrayValue?.compactMap { $0["etag"]?.stringValue }
                == ["\"t2000\"", "\"t2000\"", "\"t1000\""])

        let other = SmallServer { Self.hub($0, isThere: true) }
        let again = try HubUpload(to: "org/name", environment: environment(other))
        _ = try again.run(folder.file("out"), report: { events.append($0) })
        #expect(!other.requests.contains { $0.method == "PUT" })
        #expect(
            events.last == .sent("adapter_model.safetensors", bytes: 5000, wasThere: true))
    }

    @Test(
        "refusals say what to do",
        arguments: [
            (401, "HF_TOKEN may write"), (403, "may write"), (400, "status 400, 'no yaml'"),
        ])
    func refusals(status: Int, words: String) throws {
        let server = SmallServer { request in
            guard request.path.contains("/commit/") else { return Self.hub(request) }
            return SmallServer.Answer(status: status, headers: ["X-Error-Message": "no yaml"])
        }
        let upload = try HubUpload(to: "org/name", environment: environment(server))
        #expect {
            try upload.run(folder.file("out"))
        } throws: { "\($0)".contains(words) }
    }

    @Test("without a name, a token, a network or weights nothing is sent")
    func preconditions() throws {
        let server = SmallServer { Self.hub($0) }
        var environment = environment(server)
        #expect(throws: HubError.noName("mine")) {
            try HubUpload(to: "mine", environment: environment)
        }
        folder.makeFolders("empty")
        #expect(throws: HubError.nothingToUpload(folder: folder.file("empty"))) {
            try HubUpload(to: "org/name", environment: environment).run(folder.file("empty"))
        }
        environment.token = nil
        #expect(throws: HubError.noToken(endpoint: server.endpoint)) {
            try HubUpload(to: "org/name", environment: environment)
        }
        environment.isOffline = true
        #expect(throws: HubError.uploadOffline(model: "org/name")) {
            try HubUpload(to: "org/name", environment: environment)
        }
        #expect(server.requests.isEmpty)
    }

    @Test("a stopped upload makes no commit")
    func stopped() throws {
        let server = SmallServer { Self.hub($0) }
        let upload = try HubUpload(to: "org/name", environment: environment(server))
        #expect(throws: HubError.uploadStopped(model: "org/name")) {
            try upload.run(folder.file("out"), progress: { _ in false })
        }
        #expect(!server.requests.contains { $0.path.contains("/commit/") })
    }
}
