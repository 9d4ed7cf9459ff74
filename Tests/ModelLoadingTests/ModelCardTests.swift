import LoRA
import Storage
import TestSupport
import Testing

@testable import ModelLoading

@Suite("Model cards")
struct ModelCardTests {
    private let folder = TemporaryFolder()

    private func card(_ base: String, targets: [String] = ["in_proj", "out_proj"]) -> ModelCard {
        var configuration = LoRAConfiguration()
        configuration.targetModules = targets
        var card = ModelCard(
            name: "mine", kind: .adapter(configuration), baseModel: base,
            record: AdapterRecord(topology: TopologySettings(kind: .tree), template: "alpaca"))
        card.facts = [("data", "a|b.jsonl"), ("held-out loss", "1.25")]
        return card
    }

    @Test("the hub's fields name the base model only where it has a name there")
    func header() {
        let named = card("state-spaces/mamba-130m-hf").text
        #expect(
            named.hasPrefix("---\nbase_model: state-spaces/mamba-130m-hf\nlibrary_name: peft\n"))
        #expect(named.contains("- base_model:adapter:state-spaces/mamba-130m-hf\n- lora\n"))
        let snapshot = card("/c/models--state-spaces--mamba-130m-hf/snapshots/0f3a").text
        #expect(snapshot.contains("base_model: state-spaces/mamba-130m-hf\n"))
        let path = card("/home/me/model").text
        #expect(!path.contains("base_model:") && path.contains("`/home/me/model`"))
        folder.write("---\nlicense: apache-2.0\n---\n", to: "README.md")
        var licensed = card("state-spaces/mamba-130m-hf")
        licensed.baseFolder = folder.path
        licensed.data = ["tatsu-lab/alpaca:train", "more.jsonl"]
        #expect(licensed.text.contains("license: apache-2.0\ndatasets:\n- tatsu-lab/alpaca\n---\n"))
    }

    @Test("it tells of the tree, of PEFT's versions and how it was made")
    func body() {
        let text = card("state-spaces/mamba-130m-hf").text
        #expect(text.contains("Other programs run it as the chain"))
        #expect(
            text.contains(
                "PEFT up to 0.15 loads it as it is. Later ones refuse adapters of out_proj"))
        #expect(
            text.contains("| data | a\\|b.jsonl |\n| held-out loss | 1.25 |\n| topology | tree |"))
        #expect(card("a/b", targets: ["in_proj"]).text.contains("Every version of PEFT loads it."))
        #expect(
            card("a/b", targets: ["dt_proj"]).text.contains("transformers passes the adapter by"))
    }

    @Test("a card that a person has changed stays")
    func changed() throws {
        let place = folder.file(ModelCard.fileName)
        #expect(try card("a/b").write(to: folder.path))
        let first = rawContents(place)
        #expect(try card("a/c").write(to: folder.path) && rawContents(place) != first)
        folder.write(rawContents(place) + Array("More.\n".utf8), to: ModelCard.fileName)
        let changed = rawContents(place)
        #expect(try !card("a/d").write(to: folder.path) && rawContents(place) == changed)
        // A folder that takes its place gets it, too.
        folder.makeFolders("new")
        #expect(try !card("a/d").write(to: folder.file("new"), replacing: folder.path))
        #expect(rawContents(folder.file("new/README.md")) == changed)
        folder.write("Mine.\n", to: ModelCard.fileName)
        #expect(try !card("a/d").write(to: folder.path))
    }
}
