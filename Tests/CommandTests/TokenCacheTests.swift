import FoundationEssentials
import Storage
import TestSupport
import Testing

@Suite("Token cache of mtl-finetune")
struct TokenCacheTests {
    private let adapter = "adapter_model.safetensors"

    @Test("a second run takes the tokens from the cache and ends with the same bytes")
    func secondRunIsTheSame() throws {
        let workshop = try CommandWorkshop()
        for output in ["a", "b"] {
            let run = try workshop.train(to: output, cache: "cache")
            try #require(run.status == 0, "\(run.errors)")
            #expect(!run.errors.contains("damaged"))
        }
        #expect(try FolderTree.names(in: workshop("cache/mambatreel/tokens")).count == 1)
        #expect(try workshop.bytes("a/\(adapter)") == workshop.bytes("b/\(adapter)"))
    }

    @Test("a damaged cache is warned of, and changes nothing")
    func damage() throws {
        let workshop = try CommandWorkshop()
        let first = try workshop.train(to: "a", cache: "cache")
        try #require(first.status == 0, "\(first.errors)")
        let folder = workshop("cache/mambatreel/tokens")
        let name = try FolderTree.names(in: folder).first ?? ""
        var bytes = try workshop.bytes("cache/mambatreel/tokens/\(name)")
        bytes[bytes.count - 40] ^= 1
        try bytes.write(to: URL(filePath: "\(folder)/\(name)"))
        let second = try workshop.train(to: "b", cache: "cache")
        try #require(second.status == 0, "\(second.errors)")
        #expect(second.errors.contains("its checksum does not match; its records are encoded anew"))
        #expect(try workshop.bytes("a/\(adapter)") == workshop.bytes("b/\(adapter)"))
    }

    @Test("--no-cache leaves no file behind")
    func noCache() throws {
        let workshop = try CommandWorkshop()
        let run = try workshop.train(to: "a", ["--no-cache"], cache: "cache")
        try #require(run.status == 0, "\(run.errors)")
        #expect(!FilePath.exists(workshop("cache")))
    }
}
