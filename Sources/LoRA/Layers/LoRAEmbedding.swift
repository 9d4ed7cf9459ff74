import Layers
import Tensors

/// A low-rank term beside the rows that an embedding looks up.
///
///     h[i]  = scaling * loraA[tokens[i]]      [tokens, rank]
///     y    += h · loraBᵀ                      [tokens, model]
///
/// It acts on the look-up alone, never on an output projection that shares the table, and drops
/// nothing; both as in PEFT. `loraA` is held as `[vocabulary, rank]`, the transpose of what PEFT
/// files hold, so that a token's values lie side by side; reading and writing transpose it. Its
/// gradient has all rows, so an optimizer with moments moves rows that a batch does not name.
///
/// Source: Hu et al. 2021, "LoRA", equation 3, with the one-hot token as input.
public final class LoRAEmbedding: EmbeddingAdapter {
    /// `[vocabulary, rank]`.
    public let loraA: Parameter
    /// `[model, rank]`.
    public let loraB: Parameter
    /// What the term is multiplied by.
    public let scaling: Float

    /// Creates a term from its parameters.
    public init(loraA: Parameter, loraB: Parameter, scaling: Float) {
        precondition(
            loraA.value.columns == loraB.value.columns,
            "loraA is \(loraA.value.shape), loraB is \(loraB.value.shape)")
        (self.loraA, self.loraB, self.scaling) = (loraA, loraB, scaling)
    }

    /// `loraA`, then `loraB`.
    public var parameters: [Parameter] { [loraA, loraB] }

    /// Adds the term to the rows of `tokens`.
    public func add(_ tokens: RowIndices, to y: Tensor, in pass: Pass) {
        pass.engine.linear(
            hidden(tokens, in: pass), weight: loraB.value, bias: nil, adding: y, into: y)
    }

    /// Adds to the gradients of the parameters.
    ///
    ///     gradLoraB            += gradYᵀ · h
    ///     gradLoraA[tokens[i]] += scaling * gradY[i] · loraB
    public func backward(_ gradY: Tensor, tokens: RowIndices, in pass: Pass) {
        let engine = pass.engine
        if let gradient = loraB.gradient {
            engine.linearWeightGradient(gradY, x: hidden(tokens, in: pass), into: gradient)
        }
        guard let gradient = loraA.gradient else { return }
        let gradHidden = pass.workspace.tensor(
            "lora.gradHidden", [tokens.count, loraA.value.columns])
        engine.linearInputGradient(
            gradY, weight: loraB.value, adding: nil, into: gradHidden)
        engine.scale(gradHidden, by: scaling)
        engine.scatterAddRows(gradHidden, to: tokens, of: gradient)
    }

    private func hidden(_ tokens: RowIndices, in pass: Pass) -> Tensor {
        let hidden = pass.workspace.tensor("lora.hidden", [tokens.count, loraA.value.columns])
        pass.engine.gatherRows(tokens, of: loraA.value, into: hidden)
        pass.engine.scale(hidden, by: scaling)
        return hidden
    }
}
