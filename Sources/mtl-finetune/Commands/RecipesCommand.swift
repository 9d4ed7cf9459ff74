import ArgumentParser
import CommandSupport
import Storage

/// Settings that come with the program, by name; a test compares the list with the folder `recipes`.
enum Recipes {
    /// Flags of a run, for `--recipe`.
    static let runs: [String: [UInt8]] = [
        "alpaca-130m": PackageResources.alpaca_130m_yaml,
        "chain-gain-1.3": PackageResources.chain_gain_1_3_yaml,
        "mamba-lora": PackageResources.mamba_lora_yaml,
        "quick-300": PackageResources.quick_300_yaml,
        "tree-scale-0": PackageResources.tree_scale_0_yaml,
    ]
    /// Comparisons, for `mtl-finetune sweep`.
    static let sweeps: [String: [UInt8]] = [
        "demo-sweep": PackageResources.demo_sweep_yaml,
        "paper-sweep": PackageResources.paper_sweep_yaml,
    ]

    /// What a recipe is for: its first line, without the comment's sign; nothing if that is no comment.
    static func sentence(of text: [UInt8]) -> String {
        let line = String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return line.hasPrefix("# ") ? String(line.dropFirst(2)) : ""
    }
}

/// `mtl-finetune recipes`: what there is, or one of them.
struct RecipesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recipes",
        abstract: "List the settings that come with the program, or print one as a file.",
        discussion: """
            'mtl-finetune --recipe NAME --data FILE' trains with one; flags that are given as well \
            win, and of several recipes the last. 'mtl-finetune sweep NAME' runs those that compare.
            """
                + HelpText.examples(
                    "mtl-finetune recipes",
                    "mtl-finetune recipes demo-sweep > mine.yaml"))

    @Argument(help: "The recipe to print.")
    var name: String?

    func run() throws {
        let all = Recipes.runs.merging(Recipes.sweeps) { first, _ in first }
        guard let name else {
            let width = all.keys.map(\.count).max() ?? 0
            for (name, text) in all.sorted(by: { $0.key < $1.key }) {
                let padding = String(repeating: " ", count: width - name.count + 2)
                Terminal.printResult(name + padding + Recipes.sentence(of: text))
            }
            return
        }
        guard let text = all[name] else {
            throw ConfigurationFileError.unknownRecipe(name: name, known: all.keys.sorted())
        }
        Terminal.printResult(String(decoding: text, as: UTF8.self), terminator: "")
    }
}
