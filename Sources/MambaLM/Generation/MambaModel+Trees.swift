import Synchronization
import Tensors

/// The tree that a layer built over a prompt.
public struct LayerTree: Equatable, Sendable {
    /// The place of each token's parent; -1 for the root, the last token.
    public let parents: [Int]
    /// How alike the state inputs of each token and its parent are; 1 for the root.
    public let cosines: [Float]
}

extension MambaModel {
    /// The tree that each layer builds over a prompt; where the flow builds none, the chain.
    ///
    /// - Parameters:
    ///   - prompt: At least one token.
    ///   - state: Where it goes on from; `nil` at the start of a text. Then the flow must have a single
    ///     state.
    /// - Returns: One tree a layer.
    public func trees(over prompt: [Int32], after state: SequenceState? = nil) -> [LayerTree] {
        let recorder = TreeRecorder(flow)
        let flow = flow
        defer { self.flow = flow }
        self.flow = recorder
        _ = read(
            TokenBatch([.init(tokens: prompt, promptLength: prompt.count, state: state)]),
            keepingStates: false)
        return recorder.trees
    }
}

/// A flow that is another one, and remembers the trees that it builds for one sequence.
private final class TreeRecorder: StateFlow {
    private let flow: any StateFlow
    private let recorded = Mutex<[LayerTree]>([])

    init(_ flow: any StateFlow) { self.flow = flow }

    /// The trees in the order of the layers.
    var trees: [LayerTree] { recorded.withLock { $0 } }

    func sequences(
        of batch: TokenBatch, operands: SelectiveScan.Inputs, engine: any Engine
    ) -> [SelectiveScan.Sequence] {
        let sequences = flow.sequences(of: batch, operands: operands, engine: engine)
        let count = Int32(batch.tokens.count)
        let chain = Array(1..<count) + [-1]
        let parents = sequences[0].tree?.parent ?? chain
        let edges = parents.enumerated().filter { $0.element >= 0 }
        let cosines = engine.stateInputCosines(
            operands, edges: edges.map { (Int32($0.offset), $0.element) })
        var tree = [Float](repeating: 1, count: parents.count)
        for (edge, cosine) in zip(edges, cosines) { tree[edge.offset] = cosine }
        recorded.withLock {
            $0.append(LayerTree(parents: parents.map { Int($0) }, cosines: tree))
        }
        return sequences
    }

    var hasSingleState: Bool { flow.hasSingleState }
    var dependsOnPrompt: Bool { flow.dependsOnPrompt }
    var description: String { flow.description }
}
