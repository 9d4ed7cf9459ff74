import Layers
import Tensors

/// The sequences of a batch as one block sees them.
struct BlockSequences {
    /// Where they lie and how states flow in them, the same in every block.
    let layout: BatchLayout
    /// What the block keeps of earlier tokens of each sequence, `nil` at the start of a text; none at all where every
    /// sequence begins one.
    var before: [SequenceState.Layer?] = []
    /// Where it leaves what it keeps of each sequence, which may be the memory of ``before``; none at all where that
    /// is not wanted.
    var after: [SequenceState.Layer] = []
}

/// One block of the residual stream: `output = input + mixer(norm(input))`.
public final class Block {
    /// The block's number, from 0.
    public let layer: Int
    /// `[model]`.
    public let norm: Normalization
    /// The mixer.
    public let mixer: Mixer

    /// Creates a block from its parts.
    public init(layer: Int, norm: Normalization, mixer: Mixer) {
        self.layer = layer
        self.norm = norm
        self.mixer = mixer
    }

    /// The parameters, in the order of a checkpoint.
    public var parameters: [Parameter] { [norm.weight] + mixer.parameters }

    /// Whether a backward pass has a parameter's gradient to compute.
    public var isTrainable: Bool { norm.isTrainable || mixer.isTrainable }

    /// Computes the block's output.
    ///
    /// - Parameters:
    ///   - input: `[tokens, model]`.
    ///   - sequences: The sequences, and what this block keeps of them.
    ///   - rows: The rows whose output is wanted; all of them if `nil`.
    ///   - output: `[rows, model]`; not the same memory as `input`.
    ///   - projection: Memory to keep the mixer's input projection in, `[tokens, 2·inner]`.
    ///   - buffers: Working memory.
    ///   - pass: The processor.
    /// - Returns: The trees along which states flowed.
    func forward(
        _ input: Tensor, of sequences: BlockSequences, rows: RowIndices? = nil,
        into output: Tensor, keeping projection: Tensor? = nil, using buffers: MixerBuffers,
        in pass: Pass
    ) -> [ScanTree?] {
        let kept = projection.map { Mixer.KeptProjection(tensor: $0, isComputed: false) }
        let activations = mixer.forward(
            normalized(input, using: buffers, in: pass), of: sequences, keeping: kept,
            using: buffers, in: pass)
        mixer.project(activations, rows: rows, residual: input, into: output, in: pass)
        for (index, after) in sequences.after.enumerated() {
            keepHistory(
                of: index, of: activations.convolution, into: after.history, on: pass.engine)
        }
        return activations.scan.trees
    }

    /// Recomputes the block and adds to the gradients.
    ///
    /// - Parameters:
    ///   - input: The forward pass's input, `[tokens, model]`; used up.
    ///   - sequences: The sequences.
    ///   - trees: The trees of the forward pass, which are not searched again.
    ///   - projection: The mixer's input projection, if the forward pass kept it.
    ///   - rows: The rows whose output was wanted; all of them if `nil`.
    ///   - gradOutput: The gradient by the output, `[rows, model]`; not the same memory as `input`.
    ///   - needsInputGradient: Whether `input` is to be overwritten with the gradient by it.
    ///   - buffers: Working memory.
    ///   - pass: The processor.
    func backward(
        _ input: Tensor, of sequences: BlockSequences, trees: [ScanTree?], projection: Tensor?,
        rows: RowIndices? = nil, gradOutput: Tensor, needsInputGradient: Bool,
        using buffers: MixerBuffers, in pass: Pass
    ) {
        let kept = projection.map { Mixer.KeptProjection(tensor: $0, isComputed: true) }
        var activations = mixer.operands(
            normalized(input, using: buffers, in: pass), of: sequences, keeping: kept,
            using: buffers, in: pass)
        activations.scan.trees = trees
        let gradients = mixer.scanBackward(
            gradOutput, rows: rows, activations: activations, using: buffers, in: pass)
        // Cheaper to compute again than to keep beside the scan's gradients.
        let normed = normalized(input, using: buffers, in: pass)
        let gradNormed = needsInputGradient || norm.isTrainable ? normed : nil
        mixer.backward(gradients, x: normed, activations: activations, into: gradNormed, in: pass)
        guard let gradNormed else { return }
        norm.backward(
            gradNormed, x: input, adding: rows == nil ? gradOutput : nil, into: input, in: pass)
        if let rows { pass.engine.scatterAddRows(gradOutput, to: rows, of: input) }
    }

    /// The operands of the block's scan, in buffers that the next run uses again.
    ///
    /// - Parameters:
    ///   - input: `[tokens, model]`.
    ///   - sequences: The sequences, and what this block keeps of them.
    ///   - buffers: Working memory.
    ///   - pass: The processor.
    /// - Returns: The operands; their trees are not searched.
    func scanOperands(
        _ input: Tensor, of sequences: BlockSequences, using buffers: MixerBuffers, in pass: Pass
    ) -> SelectiveScan.Inputs {
        mixer.operands(
            normalized(input, using: buffers, in: pass), of: sequences, keeping: nil,
            using: buffers, in: pass
        ).scan
    }

    private func normalized(
        _ input: Tensor, using buffers: MixerBuffers, in pass: Pass
    ) -> Tensor {
        let normed = buffers.inputOrGated.matrix(rows: input.rows, columns: input.columns)
        norm.forward(input, into: normed, in: pass)
        return normed
    }

    /// Keeps the last `width - 1` inputs of the convolution, those before the sequence where it is shorter.
    private func keepHistory(
        of index: Int, of inputs: CausalConvolution.Inputs, into history: Tensor,
        on engine: any Engine
    ) {
        let (wanted, rows) = (history.rows, inputs.layout.rows[index])
        let fresh = min(wanted, rows.count)
        if fresh < wanted {
            let kept = history.rows(0..<wanted - fresh)
            if let before = inputs.history(of: index) {
                engine.copy(before.rows(fresh..<wanted), to: kept)
            } else {
                engine.fill(kept, with: 0)
            }
        }
        engine.copy(
            inputs.x.rows(rows.upperBound - fresh..<rows.upperBound),
            to: history.rows(wanted - fresh..<wanted))
    }
}
