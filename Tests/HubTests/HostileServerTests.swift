import Storage
import TestSupport
import Testing

@testable import Hub

@Suite("Hostile hub servers")
struct HostileServerTests {
    private let folder = TemporaryFolder()
    private static let weights = [UInt8](repeating: 7, count: 3000)

    /// A model of one file, whose answers the caller may change.
    private func resolve(
        tag: String = "tag",
        _ change: @escaping @Sendable (SmallServer.Request) -> SmallServer.Answer?
    ) throws -> String {
        let server = SmallServer { request in
            if let answer = change(request) { return answer }
            if request.path.hasPrefix("/api") {
                let listing =
                    #"{"sha": "c0ffee", "siblings": [{"rfilename": "model.safetensors"}]}"#
                return SmallServer.Answer(body: Array(listing.utf8))
            }
            return SmallServer.Answer(headers: ["ETag": tag], body: Self.weights)
        }
        let environment = HubEnvironment(cache: folder.file("hub"), endpoint: server.endpoint)
        return try HubCache(environment).resolve("org/name")
    }

    private func sentence(_ body: () throws -> String) -> String {
        do { return try body() } catch { return "\(error)" }
    }

    // Three sizes of 2^62 overflowed in a sum, and the program ended by SIGILL.
    @Test(
        "a length that no file has is refused",
        arguments: [
            "4611686018427387904", "9223372036854775807", "99999999999999999999", "-1", "+5", "1e3",
            "0x10", "many", "1099511627777",
        ])
    func lengths(text: String) {
        let said = sentence {
            try resolve { request in
                guard request.method == "HEAD" else { return nil }
                return SmallServer.Answer(headers: ["ETag": "t", "X-Linked-Size": text])
            }
        }
        #expect(
            said.hasSuffix("names the length '\(text)', expected at most 1099511627776 bytes"),
            "\(said)")
    }

    @Test("a server that sends more than it announced is cut off")
    func moreThanAnnounced() {
        let said = sentence {
            try resolve { request in
                guard request.method == "HEAD" else { return nil }
                return SmallServer.Answer(headers: ["ETag": "tag", "X-Linked-Size": "100"])
            }
        }
        #expect(said.hasSuffix("is longer than announced"))
        #expect(rawContents(folder.file("hub/models--org--name/blobs/tag.incomplete")) == [])
    }

    @Test("a part that begins elsewhere is not put behind what is there")
    func otherPart() throws {
        folder.makeFolders("hub/models--org--name/blobs")
        folder.write([7, 7, 7], to: "hub/models--org--name/blobs/tag.incomplete")
        let path = try resolve { request in
            guard request.method == "GET", request.headers["range"] != nil else { return nil }
            return SmallServer.Answer(
                status: 206,
                headers: ["Content-Range": "bytes 9223372036854775807-9223372036854775809/*"],
                body: Array(Self.weights.dropFirst(3)))
        }
        #expect(rawContents(path + "/model.safetensors") == Self.weights)
    }

    @Test("heads without end are cut off")
    func heads() {
        let said = sentence {
            try resolve { request in
                guard request.method == "HEAD" else { return nil }
                let fields = (0..<9000).map {
                    ("X-\($0)", String(repeating: "a", count: 100))
                }
                return SmallServer.Answer(headers: Dictionary(uniqueKeysWithValues: fields))
            }
        }
        #expect(said.contains("check the connection"))
    }

    @Test("a small file that is not what git's hash says is thrown away")
    func damaged() throws {
        let right = try GitBlobHash.hexadecimal(ofFile: folder.write(Self.weights, to: "w"))
        let wrong = String(repeating: "0", count: 40)
        #expect(sentence { try resolve(tag: wrong) { _ in nil } }.contains("came damaged"))
        let path = try resolve(tag: right) { _ in nil }
        #expect(rawContents(path + "/model.safetensors") == Self.weights)
    }

    @Test(
        "an answer that points to a file or to another protocol is not followed",
        arguments: ["file:///etc/hostname", "ftp://127.0.0.1/x", "dict://127.0.0.1:1/x"])
    func redirects(target: String) {
        let said = sentence {
            try resolve { request in
                guard request.method == "GET", request.path.contains("resolve") else { return nil }
                return SmallServer.Answer(status: 302, headers: ["Location": target])
            }
        }
        #expect(said.contains("Unsupported protocol"), "\(said)")
    }

    @Test("more files than any model has are refused")
    func files() {
        let said = sentence {
            try resolve { request in
                guard request.path.hasPrefix("/api") else { return nil }
                let names = (0..<2000).map { #"{"rfilename": "model-\#($0).safetensors"}"# }
                let listing =
                    #"{"sha": "c0ffee", "siblings": ["# + names.joined(separator: ",") + "]}"
                return SmallServer.Answer(body: Array(listing.utf8))
            }
        }
        #expect(said.hasSuffix("lists 2000 files, expected at most 1024"))
    }

    @Test("a server in secret leads to none in the open")
    func redirections() {
        #expect(Transfer.redirections(from: "https://a/x") == "https")
        #expect(Transfer.redirections(from: "HTTPS://a/x") == "https")
        #expect(Transfer.redirections(from: "http://a/x") == "http,https")
    }
}
