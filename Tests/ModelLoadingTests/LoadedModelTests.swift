import FoundationEssentials
import MambaTreeL
import TestSupport
import Testing

@Suite("A model as it was trained")
struct LoadedModelTests {
    private static let root = String(
        Fixtures.path("").dropLast("Tests/ModelLoadingTests/Fixtures/".count))

    @Test("the demonstration's model is loaded by one call, with the flow that its record names")
    func model() throws {
        let loaded = try LoadedModel(Self.root + "data/demo/model")
        #expect(loaded.record?.topology == loaded.topology)
        #expect(loaded.adapters == nil && loaded.model.configuration.vocabulary > 0)
        let tokenizer = try #require(try loaded.tokenizer())
        #expect(
            try loaded.template(for: tokenizer).name == loaded.record?.template ?? "alpaca-short")
    }

    @Test("what is no model, and what is no adapter, is told")
    func refusals() throws {
        let folder = TemporaryFolder()
        #expect(throws: FolderError.self) { try LoadedModel(folder.path) }
        #expect(throws: HubError.noSuchFolder(model: "/no/such/model")) {
            try LoadedModel("/no/such/model")
        }
        #expect(throws: FolderError.self) {
            try LoadedModel(Self.root + "data/demo/model", adapter: folder.path)
        }
    }

    /// The code in the articles is that of programs and tests, which are built.
    @Test(
        "each article shows code that is built",
        arguments: ["FineTuneInThirtyLines", "AddATask", "AddAnEngine"])
    func articles(name: String) throws {
        let page = String(
            decoding: rawContents(Self.root + "Sources/MambaTreeL/MambaTreeL.docc/\(name).md"),
            as: UTF8.self)
        var file: Substring?
        var code: [Substring]?
        var count = 0
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("<!-- ") { file = line.dropFirst(5).dropLast(4) }
            if line == "```swift" {
                code = []
            } else if line == "```", let shown = code {
                let path = Self.root + (try #require(file))
                let source = String(decoding: rawContents(path), as: UTF8.self)
                #expect(source.contains(shown.joined(separator: "\n")), "\(path)")
                (code, count) = (nil, count + 1)
            } else {
                code?.append(line)
            }
        }
        #expect(count == 1)
    }
}
