import Tensors

/// The tree along which states flowed in a layer.
public struct LayerTree: Equatable, Sendable {
    /// The place of each token's parent, where its state flows; -1 for the last token.
    public let parents: [Int]
    /// How alike the state inputs of each token and its parent are; 1 for the last token.
    public let cosines: [Float]
}

extension MambaModel {
    /// The tree that each layer builds over a prompt, then the chain; the chain alone where the flow builds none.
    ///
    /// - Parameters:
    ///   - tokens: At least one.
    ///   - promptLength: How many of them are the prompt; all if `nil`.
    ///   - state: Where it goes on from; `nil` at the start of a text. Then the flow must have a single
    ///     state.
    /// - Returns: One tree a layer.
    public func trees(
        over tokens: [Int32], promptLength: Int? = nil, after state: SequenceState? = nil
    ) -> [LayerTree] {
        let sequence = TokenBatch.Sequence(
            tokens: tokens, promptLength: promptLength ?? tokens.count, state: state)
        let run = BlockRun(TokenBatch([sequence]), flow: flow, rows: [], keepsStates: false)
        let pass = pass()
        var trees: [LayerTree] = []
        // The scan's operands are gone after the block.
        _ = hiddenStates(of: run, in: pass) { layer in
            let operands = blocks[layer].scanOperands(
                blockInput(layer, tokens: tokens.count),
                of: blockSequences(run.parts[0], of: run, layer: layer), using: buffers.mixer,
                in: pass)
            trees.append(LayerTree(of: operands, on: engine))
        }
        return trees
    }
}

extension LayerTree {
    /// The tree of the one sequence of a batch.
    fileprivate init(of operands: SelectiveScan.Inputs, on engine: any Engine) {
        let tree = engine.spanningTrees(operands).first??.tree
        let chain = (1..<operands.u.rows).map { $0 } + [-1]
        let spanned = tree.map { $0.parent.dropLast().map { Int($0) } } ?? []
        parents = spanned + chain[spanned.count...]
        let cosines = engine.stateInputCosines(
            operands, edges: parents.dropLast().enumerated().map { (Int32($0), Int32($1)) })
        self.cosines = cosines + [1]
    }
}
