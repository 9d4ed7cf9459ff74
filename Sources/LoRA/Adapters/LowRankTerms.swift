import Layers
import Tensors

/// A low-rank term beside a linear layer.
///
///     h  = scaling * dropout(x) · loraAᵀ      [tokens, rank]
///     y += h · loraBᵀ                         [tokens, out]
///
/// Nothing is kept between the passes: `h` is computed again for the gradients, and the elements
/// dropped are the same, being a function of the pass's seed and the layer's name.
///
/// Source: Hu et al. 2021, "LoRA", equation 3; scaling and dropout as in PEFT.
public final class LoRALinear: LinearAdapter {
    /// The name of the layer, which also decides what is dropped.
    public let name: String
    /// `[rank, in]`.
    public let loraA: Parameter
    /// `[out, rank]`.
    public let loraB: Parameter
    /// What the term is multiplied by.
    public let scaling: Float
    /// The probability that an element of the input is dropped while training, in [0, 1).
    public let dropout: Float

    /// Creates a term from its parameters.
    public init(
        name: String, loraA: Parameter, loraB: Parameter, scaling: Float, dropout: Float = 0
    ) {
        precondition(
            loraA.value.rows == loraB.value.columns,
            "loraA is \(loraA.value.shape), loraB is \(loraB.value.shape)")
        self.name = name
        self.loraA = loraA
        self.loraB = loraB
        self.scaling = scaling
        self.dropout = dropout
    }

    /// `loraA`, then `loraB`.
    public var parameters: [Parameter] { [loraA, loraB] }

    /// The rank and, where something is dropped, the input's width.
    public var widths: AdapterBuffers.Widths {
        AdapterBuffers.Widths(
            hidden: loraA.value.rows, dropped: dropout > 0 ? loraA.value.columns : 0)
    }

    /// `h · loraBᵀ`.
    public func term(_ x: Tensor, in pass: Pass) -> LowRankProduct {
        LowRankProduct(
            left: hidden(dropped(x, drop: drop(in: pass), in: pass), in: pass), right: loraB.value)
    }

    /// `gradH = scaling * gradY · loraB`.
    public func gradHidden(_ gradY: Tensor, in pass: Pass) -> Tensor {
        let gradHidden = pass.buffers.gradHidden.matrix(
            rows: gradY.rows, columns: loraA.value.rows)
        pass.engine.linearInputGradient(
            gradY, weight: loraB.value, adding: nil, into: gradHidden)
        pass.engine.scale(gradHidden, by: scaling)
        return gradHidden
    }

    /// Adds to the gradients of the parameters.
    ///
    /// With `h` as in the forward pass:
    ///
    ///     gradLoraB += gradYᵀ · h
    ///     gradLoraA += gradHᵀ · dropout(x)
    public func addGradients(_ gradY: Tensor, x: Tensor, gradHidden: Tensor?, in pass: Pass) {
        guard loraA.isTrainable || loraB.isTrainable else { return }
        let dropped = dropped(x, drop: drop(in: pass), in: pass)
        if let gradient = loraB.gradient {
            pass.engine.linearWeightGradient(
                gradY, x: hidden(dropped, in: pass), into: gradient)
        }
        if let gradient = loraA.gradient {
            pass.engine.linearWeightGradient(
                gradHidden ?? self.gradHidden(gradY, in: pass), x: dropped, into: gradient)
        }
    }

    /// `gradH · loraA`, unless something is dropped.
    public func inputTerm(_ gradHidden: Tensor, in pass: Pass) -> LowRankProduct? {
        drop(in: pass) == nil ? LowRankProduct(left: gradHidden, right: loraA.value) : nil
    }

    /// Computes `gradX = addend + dropout(gradH · loraA)`.
    public func inputGradient(
        _ gradHidden: Tensor, adding addend: Tensor?, into gradX: Tensor, in pass: Pass
    ) {
        let engine = pass.engine
        guard let drop = drop(in: pass) else {
            return engine.linearInputGradient(
                gradHidden, weight: loraA.value, adding: addend, into: gradX)
        }
        let gradDropped =
            addend == nil
            ? gradX : pass.buffers.gradDropped.matrix(rows: gradX.rows, columns: gradX.columns)
        engine.linearInputGradient(
            gradHidden, weight: loraA.value, adding: nil, into: gradDropped)
        engine.drop(drop, gradDropped, into: gradDropped)
        guard let addend else { return }
        engine.add(addend, scale: 1, to: gradDropped)
        engine.copy(gradDropped, to: gradX)
    }

    private func drop(in pass: Pass) -> Dropout? {
        guard dropout > 0, let seed = pass.dropoutSeed else { return nil }
        return Dropout(probability: dropout, seed: seed, name: name)
    }

    private func dropped(_ x: Tensor, drop: Dropout?, in pass: Pass) -> Tensor {
        guard let drop else { return x }
        let dropped = pass.buffers.dropped.matrix(rows: x.rows, columns: x.columns)
        pass.engine.drop(drop, x, into: dropped)
        return dropped
    }

    private func hidden(_ x: Tensor, in pass: Pass) -> Tensor {
        let hidden = pass.buffers.hidden.matrix(rows: x.rows, columns: loraA.value.rows)
        pass.engine.linear(x, weight: loraA.value, bias: nil, adding: nil, into: hidden)
        pass.engine.scale(hidden, by: scaling)
        return hidden
    }
}

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
        self.loraA = loraA
        self.loraB = loraB
        self.scaling = scaling
    }

    /// `loraA`, then `loraB`.
    public var parameters: [Parameter] { [loraA, loraB] }

    /// The rank.
    public var widths: AdapterBuffers.Widths { AdapterBuffers.Widths(hidden: loraA.value.columns) }

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
        let gradHidden = pass.buffers.gradHidden.matrix(
            rows: tokens.count, columns: loraA.value.columns)
        engine.linearInputGradient(
            gradY, weight: loraB.value, adding: nil, into: gradHidden)
        engine.scale(gradHidden, by: scaling)
        engine.scatterAddRows(gradHidden, to: tokens, of: gradient)
    }

    private func hidden(_ tokens: RowIndices, in pass: Pass) -> Tensor {
        let hidden = pass.buffers.hidden.matrix(
            rows: tokens.count, columns: loraA.value.columns)
        pass.engine.gatherRows(tokens, of: loraA.value, into: hidden)
        pass.engine.scale(hidden, by: scaling)
        return hidden
    }
}
