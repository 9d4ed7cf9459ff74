import MambaLM

/// What runs of the whole model need at least.
///
/// Only what a result depends on counts: nothing is computed twice, logits exist for scored tokens
/// alone. For each token, with the weights of a block's linear layers `W`, all blocks together:
///
///     forward   2·W + 8 FLOP a channel and state + 2·width·inner a block
///     step      twice that, for the gradient by the input costs as much again,
///               + 6·rank·(in + out) for every adapted layer
///     head      2·model·vocabulary for a scored token, twice that in a step
///
/// Memory counts in decoding alone: every weight once a token.
struct ModelWork {
    let configuration: MambaConfiguration
    let rank = 8

    private var linear: Double {
        let (model, inner) = (Double(configuration.model), Double(configuration.inner))
        let projections = Double(configuration.projections)
        return Double(configuration.layers)
            * (3 * model * inner + projections * inner + inner * Double(configuration.stepRank))
    }

    private var recurrence: Double {
        Double(configuration.layers * configuration.inner)
            * (8 * Double(configuration.state) + 2 * Double(configuration.convolutionWidth))
    }

    private var head: Double { 2 * Double(configuration.model * configuration.vocabulary) }

    /// The adapters of in_proj, x_proj, out_proj and embeddings.
    private var adapters: Double {
        let (model, inner) = (configuration.model, configuration.inner)
        let widths = 3 * inner + 2 * model + inner + configuration.projections
        return 6 * Double(rank) * Double(configuration.layers * widths + model)
    }

    /// Operations of a token without its logits, and of the logits, forward.
    var forward: Double { 2 * linear + recurrence }

    /// A training step, of whose tokens some are scored.
    func step(tokens: Int, scored: Int) -> Work {
        Work(flops: Double(tokens) * (2 * forward + adapters) + Double(scored) * 2 * head)
    }

    /// Reading a text, with the logits of some tokens.
    func reading(tokens: Int, scored: Int) -> Work {
        Work(flops: Double(tokens) * forward + Double(scored) * head)
    }

    /// One more token of a text.
    func decoding(bytesAWeight: Double) -> Work {
        Work(
            flops: forward + head,
            bytes: bytesAWeight * Double(configuration.parameterCount))
    }
}
