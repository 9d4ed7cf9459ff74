import CommandSupport
import FineTuning
import GGUF
import Kernels
import LoRA
import MambaLM
import ModelLoading
import Storage
import Tensors
import Tokenization

/// What there is to say about a model, an adapter, a GGUF file or a data file.
struct Inspection {
    private(set) var facts: [String] = []
    private(set) var problems: [String] = []

    /// Looks at a path.
    ///
    /// - Throws: An error if it is none of these, or cannot be read at all.
    init(path: String) throws {
        if FilePath.exists("\(path)/adapter_config.json") {
            try inspectAdapter(path)
        } else if FilePath.exists("\(path)/config.json") {
            try inspectModel(path)
        } else if GGUFFile.isOne(path) {
            try inspectGGUF(path)
        } else {
            try inspectData(path)
        }
    }

    private mutating func inspectModel(_ folder: String) throws {
        let x = try MambaConfiguration(folder: folder)
        facts += [
            "\(folder): a Mamba model",
            "  parameters    \(x.parameterCount)",
            "  layers        \(x.layers)",
            "  widths        model \(x.model), inner \(x.inner), state \(x.state), "
                + "step rank \(x.stepRank), convolution \(x.convolutionWidth)",
            "  vocabulary    \(x.vocabulary)"
                + (x.tiesEmbeddings ? ", output projection tied" : ""),
        ]
        do {
            let checkpoint = try SafetensorsCheckpoint(path: folder)
            facts.append(
                "  tensors       \(checkpoint.names.count) in \(checkpoint.files.count) file"
                    + "\(checkpoint.files.count == 1 ? "" : "s"), "
                    + Self.types(checkpoint.files.flatMap(\.tensors)))
            let (_, unused) = try MambaModel.load(
                folder: folder,
                engine: CPUEngine(threads: Processor.physicalCores, matrixKernel: .native))
            for name in unused { problems.append("tensor '\(name)' is no part of the model") }
        } catch {
            problems.append("\(error)")
        }
        try inspectTokenizer(folder, vocabulary: x.vocabulary)
        if let record = try AdapterRecord.read(folder: folder) { facts.append(Self.text(record)) }
    }

    private mutating func inspectTokenizer(_ folder: String, vocabulary: Int) throws {
        do {
            guard let loaded = try LoadedModel.tokenizer(folder: folder, isNeeded: false) else {
                facts.append("  tokenizer     none")
                return
            }
            let size = loaded.tokenizer.vocabularySize
            facts.append(
                "  tokenizer     \(size) ids" + (loaded.eosID.map { ", ends with \($0)" } ?? ""))
            if size > vocabulary {
                problems.append("tokenizer has \(size) ids, the model \(vocabulary)")
            }
        } catch {
            problems.append("\(error)")
        }
    }

    private mutating func inspectAdapter(_ folder: String) throws {
        let stem = FilePath.exists("\(folder)/adapters.safetensors") ? "adapters" : "adapter_model"
        let checkpoint = try SafetensorsCheckpoint(path: folder, stem: stem)
        let tensors = checkpoint.files.flatMap(\.tensors)
        let file = "\(folder)/adapter_config.json"
        let fields = try JSONFields(JSONValue.read(file), file: file)
        facts += [
            "\(folder): a LoRA adapter",
            "  values        \(tensors.reduce(0) { $0 + $1.count }) in \(tensors.count) tensors, "
                + Self.types(tensors),
        ]
        for (name, field) in [
            ("base model", "base_model_name_or_path"), ("rank", "r"), ("alpha", "lora_alpha"),
            ("targets", "target_modules"),
        ] where fields.isPresent(field) {
            let value = try fields.value(field)
            let text = value.stringValue ?? JSONWriter().string(value)
            facts.append("  " + name + String(repeating: " ", count: 14 - name.count) + text)
        }
        if let record = try AdapterRecord.read(folder: folder) { facts.append(Self.text(record)) }
        for tensor in tensors {
            let entry = try checkpoint.entry(tensor.name)
            if try !entry.file.floats(of: entry.tensor).allSatisfy(\.isFinite) {
                problems.append("tensor '\(tensor.name)' has values that are not finite")
            }
        }
    }

    private mutating func inspectGGUF(_ path: String) throws {
        let file = try GGUFFile(path: path)
        let kind = file.text("general.type").map { ", \($0)" } ?? ""
        let types = file.tensors.reduce(into: [:]) { $0[$1.type.name, default: 0] += 1 }
        let counts = types.sorted { $0.key < $1.key }.map { "\($0.value) in \($0.key)" }
        facts += [
            "\(path): a GGUF file",
            "  architecture  " + (file.text("general.architecture") ?? "none") + kind,
            "  values        \(file.tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }) in "
                + "\(file.tensors.count) tensors, " + counts.joined(separator: ", "),
            "  tokenizer     " + (file.text("tokenizer.ggml.model") ?? "none"),
        ]
    }

    private mutating func inspectData(_ path: String) throws {
        let files = try DataFiles(paths: [path])
        if !files.others.isEmpty {
            facts.append("not used: " + files.others.joined(separator: ", "))
        }
        for (label, group) in [
            ("training", files.training), ("validation", files.validation), ("test", files.test),
        ] where !group.isEmpty {
            do {
                let data = try InstructionData(
                    files: group, format: .auto, vocabulary: Int(Int32.max))
                facts.append(
                    "\(group.joined(separator: ", ")): \(data.records.count) \(label) records, "
                        + "format \(data.format.rawValue)")
            } catch {
                problems.append("\(error)")
            }
        }
    }

    private static func text(_ record: AdapterRecord) -> String {
        let topology = record.topology
        let tree =
            "scale \(topology.tree.scale), \(topology.tree.neighbors) neighbours, "
            + "edges weighed by the \(topology.tree.transition.rawValue)"
        return "  topology      \(topology.kind.rawValue)"
            + (topology.kind == .tree ? ", \(tree)" : ", gain \(topology.tree.chainGain)")
            + "\n  template      \(record.template)"
    }

    private static func types(_ tensors: [SafetensorsTensor]) -> String {
        Set(tensors.map(\.type.rawValue)).sorted().joined(separator: " and ")
    }
}
