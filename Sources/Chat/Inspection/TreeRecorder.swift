import MambaLM
import Synchronization
import Tensors

/// A flow that is another one, and remembers the trees that it builds for one sequence.
final class TreeRecorder: StateFlow {
    private let flow: any StateFlow
    private let recorded = Mutex<[[Int32]]>([])

    init(_ flow: any StateFlow) { self.flow = flow }

    /// The parents in each layer's tree, in the order of the layers; empty where there is none.
    var trees: [[Int32]] { recorded.withLock { $0 } }

    func sequences(
        of batch: TokenBatch, operands: SelectiveScan.Inputs, engine: any Engine
    ) -> [SelectiveScan.Sequence] {
        let sequences = flow.sequences(of: batch, operands: operands, engine: engine)
        recorded.withLock { $0.append(sequences.first?.tree?.parent ?? []) }
        return sequences
    }

    var hasSingleState: Bool { flow.hasSingleState }
    var dependsOnPrompt: Bool { flow.dependsOnPrompt }
    var description: String { flow.description }
}
