import ModelLoading
import TestSupport
import Testing
import TreeSSMText

@testable import CommandSupport

@Suite("Folders of models and adapters")
struct ModelFolderTests {
    private let folder = TemporaryFolder()

    private func sentence(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch { return "\(error)" }
    }

    @Test("an adapter given as a model is named as what it is, with its base model")
    func adapterAsModel() {
        folder.write(#"{"base_model_name_or_path": "org/base"}"#, to: "adapter_config.json")
        #expect(
            sentence { try FolderContents.requireModel(folder.path) }
                == "\(folder.path): is an adapter, expected a model's folder; give it with --adapter, "
                + "its base model 'org/base' with --model")
        #expect(sentence { try FolderContents.requireAdapter(folder.path) } == nil)
    }

    @Test("a model, a file and an empty folder are no adapters")
    func modelAsAdapter() {
        #expect(
            sentence { try FolderContents.requireAdapter(folder.path) }?
                .hasSuffix("is an empty folder, expected an adapter's folder") == true)
        folder.write("{}", to: "config.json")
        #expect(sentence { try FolderContents.requireModel(folder.path) } == nil)
        #expect(
            sentence { try FolderContents.requireAdapter(folder.path) }?
                .hasSuffix(
                    "is a model, expected an adapter's folder; a model is given with --model")
                == true)
        #expect(
            sentence { try FolderContents.requireAdapter(folder.file("config.json")) }?
                .hasSuffix("is a file, expected an adapter's folder") == true)
    }

    @Test("an adapter's record reads back as it was written")
    func recordReadsBack() throws {
        var tree = TreeSettings()
        tree.scale = 0.1
        tree.neighbors = 5
        let record = AdapterRecord(
            topology: TopologySettings(kind: .tree, tree: tree), template: "t.jinja",
            templateSource: "{{ é }}")
        #expect(try AdapterRecord.read(folder: folder.path) == nil)
        folder.write(record.text, to: AdapterRecord.fileName)
        #expect(try AdapterRecord.read(folder: folder.path) == record)
        folder.write(#"{"topology": "ring"}"#, to: AdapterRecord.fileName)
        #expect(
            throws: AdapterRecordError.choice(
                file: folder.file(AdapterRecord.fileName), field: "topology", found: "ring",
                expected: ["tree", "chain"])
        ) { try AdapterRecord.read(folder: folder.path) }
    }

    @Test("the cache is where the user's variables say, if that is an absolute path")
    func cacheFolder() {
        func folder(_ variables: [String: String]) -> String? {
            UserCache.folder { variables[$0] }
        }
        #expect(folder(["XDG_CACHE_HOME": "/c", "HOME": "/h"]) == "/c/mambatreel")
        #expect(folder(["XDG_CACHE_HOME": "c", "HOME": "/h"]) == "/h/.cache/mambatreel")
        #expect(folder([:]) == nil)
    }

    @Test(
        "durations read as people say them",
        arguments: [(42, "42 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (-3, "0 s")])
    func durations(_ seconds: Int, _ text: String) {
        #expect(ProgressLine.text(.seconds(seconds)) == text)
    }
}
