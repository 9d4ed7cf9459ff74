import FoundationEssentials
import Hub
import Storage
import TestSupport
import Testing

@Suite("Data sets of the hub")
struct HubDataSetTests {
    private let folder = TemporaryFolder()

    private func environment(_ server: SmallServer) -> HubEnvironment {
        HubEnvironment(cache: folder.file("hub"), endpoint: server.endpoint, token: "secret")
    }

    /// Answers as the hub does for a data set with these files; contents are their names.
    private static func hub(
        _ request: SmallServer.Request, _ revisions: [String: [String]]
    ) -> SmallServer.Answer {
        let api = "/api/datasets/org/name/revision/"
        if request.path.hasPrefix(api) {
            guard let names = revisions[String(request.path.dropFirst(api.count))] else {
                return SmallServer.Answer(status: 404)
            }
            let siblings = names.map { "{\"rfilename\": \"\($0)\"}" }.joined(separator: ",")
            let text = "{\"sha\": \"c\(names.count)\", \"siblings\": [\(siblings)]}"
            return SmallServer.Answer(body: Array(text.utf8))
        }
        guard request.path.hasPrefix("/datasets/org/name/resolve/c") else {
            return SmallServer.Answer(status: 404)
        }
        // Large files lie elsewhere: the hub says what they are called, and where.
        let body = Array(request.path.utf8)
        let hash = SHA256.hexadecimal(of: request.path)
        if request.method == "HEAD" {
            return SmallServer.Answer(
                status: 302,
                headers: [
                    "Location": "/elsewhere", "X-Linked-Etag": "\"\(hash)\"",
                    "X-Linked-Size": "\(body.count)",
                ])
        }
        return SmallServer.Answer(body: body)
    }

    private func find(
        _ text: String, _ splits: [String], _ revisions: [String: [String]]
    ) throws -> [String: [String]] {
        let server = SmallServer { Self.hub($0, revisions) }
        let name = try #require(HubDataSetName(text))
        let prefix = folder.file("hub/datasets--org--name/snapshots/")
        return try HubCache(environment(server)).files(of: name, splits: splits).mapValues {
            $0.map { String($0.dropFirst(prefix.count)) }
        }
    }

    @Test("names are org/name, with a configuration and a split; files are none")
    func names() throws {
        #expect(HubDataSetName("org/name")?.split == nil)
        #expect(HubDataSetName("org/name:test")?.split == "test")
        #expect(HubDataSetName("org/name/main:test")?.split == "test")
        for text in [
            "name", "data/train.jsonl", "a/b.parquet", "a/b/c/d", "a/../b", "a/b:", "a/b:c:d",
            "/a/b", "a/b:../c",
        ] { #expect(HubDataSetName(text) == nil, "\(text)") }
    }

    @Test("splits are found in the layouts of the hub, and only what is wanted is fetched")
    func layouts() throws {
        let parts = [
            "data/train-00000-of-00002-ab.parquet", "data/train-00001-of-00002-cd.parquet",
        ]
        let all = ["README.md"] + parts + ["data/validation-00000-of-00001.parquet", "x.zip"]
        let found = try find("org/name", ["train", "valid", "validation"], ["main": all])
        #expect(found["train"] == parts.map { "c5/\($0)" })
        #expect(found["validation"] == ["c5/\(all[3])"] && found["valid"] == nil)
        let path = folder.file("hub/datasets--org--name/snapshots/c5/" + parts[0])
        #expect(
            String(decoding: rawContents(path), as: UTF8.self)
                == "/datasets/org/name/resolve/c5/\(parts[0])")
        // One file without a split's name is to train on.
        #expect(
            try find("org/name", ["train"], ["main": ["alpaca.json", "dataset_infos.json"]])
                == ["train": ["c2/alpaca.json"]])
        let configurations = ["main/test.jsonl", "socratic/test.jsonl"]
        #expect(
            try find("org/name/main:test", ["test"], ["main": configurations])
                == ["test": ["c2/main/test.jsonl"]])
        #expect(
            throws: HubError.severalConfigurations(
                dataSet: "org/name", names: ["main", "socratic"])
        ) { try find("org/name:test", ["test"], ["main": configurations]) }
    }

    @Test("where there are no files of records, the hub's own Parquet copy is taken")
    func copies() throws {
        let revisions = [
            "main": ["script.py"],
            "refs%2Fconvert%2Fparquet": [
                "default/test/0000.parquet", "default/train/0000.parquet",
                "default/train/0001.parquet",
            ],
        ]
        let found = try find("org/name", ["train", "validation"], revisions)
        #expect(
            found == ["train": ["c3/default/train/0000.parquet", "c3/default/train/0001.parquet"]])
        #expect(
            rawContents(folder.file("hub/datasets--org--name/refs/refs/convert/parquet"))
                == Array("c3".utf8))
        #expect(
            throws: HubError.noSplit(
                dataSet: "org/name", split: "dev",
                files: revisions["refs%2Fconvert%2Fparquet"] ?? [])
        ) {
            try find("org/name:dev", ["dev"], revisions)
        }
    }

    @Test("what was fetched is used offline, and nothing is asked for twice")
    func cache() throws {
        let revisions = ["main": ["test.csv", "train.csv"]]
        let server = SmallServer { Self.hub($0, revisions) }
        let name = try #require(HubDataSetName("org/name"))
        var environment = environment(server)
        _ = try HubCache(environment).files(of: name, splits: ["train"])
        let asked = server.requests.count
        _ = try HubCache(environment).files(of: name, splits: ["train"])
        #expect(server.requests.count == asked + 1, "only the listing")
        environment.isOffline = true
        let files = try HubCache(environment).files(of: name, splits: ["train", "test"])
        #expect(files.keys.sorted() == ["train"])
        #expect(server.requests.count == asked + 1)
        #expect(throws: HubError.noSplit(dataSet: "org/name", split: "test", files: ["train.csv"]))
        {
            try HubCache(environment).files(of: name, splits: ["test"])
        }
        let other = try #require(HubDataSetName("org/other"))
        #expect(throws: HubError.self) {
            try HubCache(environment).files(of: other, splits: ["train"])
        }
    }

    @Test(
        "the hub's refusals are told apart",
        arguments: [
            (401, "unknown"), (404, "unknown"), (429, "run the command again in 7 s"),
            (503, "again in 7 s"),
        ])
    func refusals(status: Int, words: String) throws {
        let server = SmallServer { _ in
            SmallServer.Answer(status: status, headers: ["Retry-After": "7"])
        }
        let name = try #require(HubDataSetName("org/name"))
        #expect {
            try HubCache(environment(server)).files(of: name, splits: ["train"])
        } throws: { "\($0)".contains(words) }
    }

    @Test("hostile names of files lead nowhere")
    func hostile() throws {
        let names = [
            "../../train.csv", "/train.csv", "a/../../train.csv", "a//train.csv", ".x/train.csv",
        ]
        #expect(throws: HubError.self) { try find("org/name", ["train"], ["main": names]) }
    }
}
