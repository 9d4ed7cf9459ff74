import Chat
import LoRA
import MambaLM
import Prompting
import Storage
import Tensors
import TestSupport
import Tokenization
import TreeSSMText

/// The topologies that sessions are tested with.
enum Topology: String, CaseIterable, Sendable {
    case chain, tree, child

    var flow: any StateFlow {
        switch self {
        case .chain: ChainFlow()
        case .tree: TreeFlow()
        case .child: TreeFlow(TreeSettings(transition: .child))
        }
    }
}

/// A small random model over the tiny tokenizer's ids.
func tinyModel(
    _ topology: Topology = .chain, seed: UInt64 = 5, threads: Int = 1,
    generationEndTokens: [Int32] = []
) -> MambaModel {
    var configuration = MambaConfiguration()
    configuration.generationEndTokens = generationEndTokens
    (configuration.vocabulary, configuration.model, configuration.layers) = (260, 24, 2)
    (configuration.inner, configuration.state, configuration.stepRank) = (48, 8, 2)
    configuration.tiesEmbeddings = false
    var generator = SeededGenerator(seed: seed)
    let model = MambaModel.random(
        configuration, engine: makeEngine(threads: threads), using: &generator)
    // Wide enough that answers depend on what was read.
    model.lmHead.weight.replaceValue(
        .random(model.lmHead.weight.value.shape, in: -1...1, using: &generator))
    model.flow = topology.flow
    return model
}

/// A session with a small model, short answers and no end token but the tokenizer's.
func makeSession(
    _ topology: Topology = .chain, model: MambaModel? = nil, template: String = "alpaca-short",
    chatTemplate: String? = nil, merges: [(String, String)] = [("t", "h")], addsStart: Bool = false,
    system: String? = nil,
    adapters: (any AdapterControl)? = nil, inputs: [OutputRule.Input] = [],
    _ change: (inout ChatSettings) -> Void = { _ in }
) throws -> ChatSession {
    let tokenizer = try TinyTokenizer.make(
        merges: merges, chatTemplate: chatTemplate, addsStart: addsStart)
    var settings = ChatSettings()
    settings.maxTokens = 12
    change(&settings)
    return try ChatSession(
        model: model ?? tinyModel(topology), tokenizer: tokenizer,
        template: PromptTemplate(name: template, tokenizer: tokenizer.configuration),
        settings: settings, system: system, adapters: adapters, inputs: inputs)
}

/// A template of conversations, with the tiny tokenizer's end token.
let turnsTemplate = """
    {% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}\
    {% if add_generation_prompt %}<assistant>{% endif %}
    """

/// What takes the pieces of answers, each with its answer's place, and goes on.
func collecting(_ take: @escaping (Int, String) -> Void) -> (ReplyEvent) -> Bool {
    { event in
        if case .text(let piece, let answer) = event { take(answer, piece) }
        return true
    }
}
