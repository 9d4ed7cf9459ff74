import ArgumentParser
import LoRA

/// What is trained.
struct AdapterOptions: ParsableArguments {
    private static let defaults = LoRAConfiguration()

    /// What is trained.
    enum FineTuneType: String, ExpressibleByArgument, CaseIterable {
        /// Low-rank adapters beside frozen weights.
        case lora
        /// Every weight of the model.
        case full
    }

    @Option(help: "What is trained: adapters (lora) or every weight (full).")
    var fineTuneType = FineTuneType.lora

    @Option(name: .customLong("lora-r"), help: "The rank of the adapters.")
    var loraR = defaults.rank

    @Option(help: "Numerator of the adapters' scale, which is this divided by the rank.")
    var loraAlpha = defaults.alpha

    @Option(help: "The probability with which an adapter's input is dropped, in [0, 1).")
    var loraDropout = defaults.dropout

    @Option(
        parsing: .upToNextOption,
        help: "The layers with adapters, by name, or all-linear; separated by commas or blanks.")
    var loraTargetModules: [String] = [defaults.targetModules.joined(separator: ",")]

    @Option(help: "A PEFT adapter to start from; its own rank, scale and layers are used.")
    var initAdapter: String?

    /// The configuration of fresh adapters.
    func configuration(baseModel: String) -> LoRAConfiguration {
        var x = LoRAConfiguration()
        x.rank = loraR
        x.alpha = loraAlpha
        x.dropout = loraDropout
        x.targetModules = loraTargetModules.flatMap {
            $0.split(separator: ",").map { String($0).trimmed }
        }.filter { !$0.isEmpty }
        x.baseModel = baseModel
        return x
    }

    func validate() throws {
        guard fineTuneType == .lora || initAdapter == nil else {
            throw ValidationError("--init-adapter needs --fine-tune-type lora")
        }
        do {
            try configuration(baseModel: "").check()
        } catch LoRAError.outOfRange(_, let field, let found, let expected) {
            let name = field == "r" ? "lora-r" : field.replacing("_", with: "-")
            throw ValidationError("--\(name) is \(found), expected \(expected)")
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
