import LoRA
import Storage

/// What people and the Hugging Face hub are told of a model or an adapter: `README.md` in its folder.
///
/// A card that a person has changed is never written over: the last line holds a hash of what stands before it.
public struct ModelCard {
    /// The file's name.
    public static let fileName = OwnFiles.cardName

    /// What the folder holds.
    public enum Kind: Sendable {
        /// An adapter.
        case adapter(LoRAConfiguration)
        /// A model with an adapter in its weights.
        case merged
        /// A model all of whose weights were trained.
        case full
    }

    /// What it is called.
    public var name: String
    /// What the folder holds.
    public var kind: Kind
    /// The model that it was made from: a path, or `org/name`.
    public var baseModel: String
    /// How states flow, and the template.
    public var record: AdapterRecord?
    /// What it was trained on, as the user gave it.
    public var data: [String] = []
    /// Settings and results, as rows of a table.
    public var facts: [(name: String, value: String)] = []
    /// The base model's folder, whose card may name a licence.
    public var baseFolder: String?

    /// Describes a folder.
    public init(name: String, kind: Kind, baseModel: String, record: AdapterRecord?) {
        (self.name, self.kind, self.baseModel, self.record) = (name, kind, baseModel, record)
    }

    /// Writes the card into a folder, unless a person has changed the one that is there.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - earlier: A folder that the new one takes the place of, whose card may have been changed.
    /// - Returns: Whether it was written.
    /// - Throws: `FileError`.
    @discardableResult
    public func write(to folder: String, replacing earlier: String? = nil) throws -> Bool {
        let place = FilePath.join(folder, Self.fileName)
        if let kept = try Self.changed(in: earlier ?? folder) {
            if earlier != nil { try AtomicFile.write(to: place) { try $0.write(kept) } }
            return false
        }
        try AtomicFile.write(Self.marked(text), to: place)
        return true
    }

    /// The card of a folder, if a person has changed it.
    private static func changed(in folder: String) throws -> [UInt8]? {
        let path = FilePath.join(folder, fileName)
        guard FilePath.exists(path) else { return nil }
        let bytes = try ByteStream.contents(of: path)
        let text = String(decoding: bytes, as: UTF8.self)
        guard let mark = text.range(of: markStart, from: text.endIndex),
            marked(String(text[..<mark])) == text
        else { return bytes }
        return nil
    }

    private static let markStart = "<!-- mambatreel wrote this; "

    private static func marked(_ text: String) -> String {
        let hash = SHA256.hexadecimal(of: text).prefix(16)
        return text + markStart + "a card that is changed stays as it is: \(hash) -->\n"
    }

    // MARK: The text

    /// The card without the mark.
    var text: String { (header + body).joined(separator: "\n") + "\n" }

    private var isAdapter: Bool {
        if case .adapter = kind { true } else { false }
    }

    /// The base model's name on the hub; a path would be refused there.
    private var baseName: String? {
        if let name = Self.hubName(baseModel) { return name }
        // A snapshot of the hub's cache: …/models--org--name/snapshots/COMMIT.
        let parts = baseModel.split(separator: "/")
        guard let place = parts.lastIndex(of: "snapshots"), place > 0 else { return nil }
        let words = String(parts[place - 1]).split(separator: "-", omittingEmptySubsequences: false)
        guard words.count >= 5, words[0] == "models", words[1].isEmpty,
            let gap = words[3...].firstIndex(of: "")
        else { return nil }
        return words[2..<gap].joined(separator: "-") + "/"
            + words[(gap + 1)...].joined(separator: "-")
    }

    /// A text if it is `org/name` and nothing that is here.
    private static func hubName(_ text: String) -> String? {
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !FilePath.exists(text),
            parts.allSatisfy({ !$0.isEmpty && $0.first != "." && $0.allSatisfy(plain.contains) })
        else { return nil }
        return text
    }

    /// The licence that the base model's card names.
    private var licence: String? {
        guard let baseFolder,
            let text = try? ByteStream.text(of: FilePath.join(baseFolder, Self.fileName)),
            text.hasPrefix("---\n")
        else { return nil }
        let lines = text.dropFirst(4).split(separator: "\n").prefix { $0 != "---" }
        let value = lines.first { $0.hasPrefix("license: ") }?.dropFirst("license: ".count)
        let plain = Set("abcdefghijklmnopqrstuvwxyz0123456789-._")
        return value.flatMap { $0.allSatisfy(plain.contains) && !$0.isEmpty ? String($0) : nil }
    }

    private var header: [String] {
        var lines = ["---"]
        if let baseName {
            lines.append("base_model: \(baseName)")
        }
        lines += [
            "library_name: \(isAdapter ? "peft" : "transformers")",
            "pipeline_tag: text-generation", "tags:",
        ]
        if let baseName {
            lines.append("- base_model:\(isAdapter ? "adapter" : "finetune"):\(baseName)")
        }
        lines += (isAdapter ? ["lora", "transformers"] : []).map { "- \($0)" }
        lines += ["- mamba", "- mambatreel"]
        if let licence { lines.append("license: \(licence)") }
        let sets = data.compactMap { path in
            Self.hubName(String(path.split(separator: ":").first ?? ""))
        }
        if !sets.isEmpty { lines += ["datasets:"] + sets.map { "- \($0)" } }
        return lines + ["---", ""]
    }

    private var body: [String] {
        let base =
            baseName.map { "[\($0)](https://huggingface.co/\($0))" } ?? "`\(oneLine(baseModel))`"
        let isTree = record?.topology.kind == .tree
        var lines = ["# \(oneLine(name))", ""]
        switch kind {
        case .adapter: lines.append("A LoRA adapter for \(base), trained with MambaTreeL.")
        case .merged:
            lines.append("\(base) with a LoRA adapter in its weights, made by MambaTreeL.")
        case .full: lines.append("\(base), all of whose weights were trained with MambaTreeL.")
        }
        lines += ["", "## Use", "", "```console"]
        let model = oneLine(baseName ?? baseModel)
        let words = isAdapter ? "--model \(model) --adapter FOLDER" : "--model FOLDER"
        lines += ["$ mtl-chat \(words)", "$ mtl-eval \(words) --tasks arc_easy"]
        if isAdapter { lines.append("$ mtl-finetune merge \(words) --output merged") }
        lines += ["```", ""]
        if isTree {
            lines += [
                "It was trained with the tree over each prompt, which MambaTreeL takes from `mambatreel.json`. "
                    + "Other programs run it as the chain, and so answer differently.", "",
            ]
        }
        if case .adapter(let configuration) = kind { lines += python(configuration) }
        if !facts.isEmpty || record != nil {
            lines += ["## How it was made", "", "| | |", "|---|---|"]
            var rows = facts
            if let record {
                rows.append(("topology", record.topology.kind.rawValue))
                rows.append(("template", record.template))
            }
            rows.append(("made by", "MambaTreeL \(Release.version)"))
            lines += rows.map { "| \($0.name) | \(Self.cell($0.value)) |" } + [""]
        }
        return lines
    }

    private static func cell(_ text: String) -> String {
        oneLine(text).split(separator: "|", omittingEmptySubsequences: false)
            .joined(separator: "\\|")
    }

    /// How Python loads the adapter, and which of PEFT's versions do.
    private func python(_ configuration: LoRAConfiguration) -> [String] {
        let refused = configuration.targetModules.filter { ["out_proj", "conv1d"].contains($0) }
        var lines = ["```python"]
        if !refused.isEmpty {
            lines += [
                "from peft.tuners import tuners_utils",
                "tuners_utils._check_lora_target_modules_mamba = lambda *a: None  # PEFT 0.16 and later",
            ]
        }
        lines += [
            "from peft import PeftModel", "from transformers import AutoModelForCausalLM",
            "model = AutoModelForCausalLM.from_pretrained(\"\(baseName ?? "BASE MODEL")\")",
            "model = PeftModel.from_pretrained(model, \"FOLDER\")", "```", "",
        ]
        if refused.isEmpty {
            lines.append("Every version of PEFT loads it.")
        } else {
            lines.append(
                "PEFT up to 0.15 loads it as it is. Later ones refuse adapters of \(refused.joined(separator: ", ")) on "
                    + "Mamba unless the two lines above come first; a merged model needs neither.")
        }
        if configuration.targetModules.contains("dt_proj") {
            lines.append(
                "On `dt_proj`, transformers passes the adapter by; merge it for these weights to count."
            )
        }
        return lines + [""]
    }
}

extension String {
    /// The last place of a text before an index.
    fileprivate func range(of mark: String, from end: String.Index) -> String.Index? {
        var place = end
        while place > startIndex {
            place = index(before: place)
            if self[place...].hasPrefix(mark) { return place }
        }
        return nil
    }
}
