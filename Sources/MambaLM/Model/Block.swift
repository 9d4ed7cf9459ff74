import Layers
import Tensors

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
        (self.layer, self.norm, self.mixer) = (layer, norm, mixer)
    }

    /// The parameters, in the order of a checkpoint.
    public var parameters: [Parameter] { [norm.weight] + mixer.parameters }

    /// Whether a backward pass has a parameter's gradient to compute.
    public var isTrainable: Bool { norm.isTrainable || mixer.isTrainable }

    /// Computes the block's output.
    ///
    /// - Parameters:
    ///   - input: `[tokens, model]`.
    ///   - batch: The sequences.
    ///   - flow: Decides how states flow.
    ///   - rows: The rows whose output is wanted; all of them if `nil`.
    ///   - output: `[rows, model]`; not the same memory as `input`.
    ///   - projection: Memory to keep the mixer's input projection in, `[tokens, 2·inner]`.
    ///   - keepingStates: Whether the state after each sequence is wanted.
    ///   - pass: The processor and working memory.
    /// - Returns: How states flowed, and the states if they were asked for.
    func forward(
        _ input: Tensor, of batch: TokenBatch, flow: any StateFlow, rows: RowIndices? = nil,
        into output: Tensor, keeping projection: Tensor? = nil, keepingStates: Bool = false,
        in pass: Pass
    ) -> (flow: [SelectiveScan.Sequence], states: [SequenceState.Layer]) {
        let normed = normalized(input, in: pass)
        let kept = projection.map { Mixer.KeptProjection(tensor: $0, isComputed: false) }
        let activations = mixer.forward(
            normed, of: batch, layer: layer, keeping: kept, in: pass
        ) { operands in
            var sequences = flow.sequences(of: batch, operands: operands, engine: pass.engine)
            for index in sequences.indices {
                sequences[index].initialState = batch.sequences[index].state?.layers[layer].state
                if keepingStates {
                    let place = batch.sequences[index].overwritesState
                    sequences[index].finalState =
                        place
                        ? sequences[index].initialState : pass.engine.tensor(operands.A.shape)
                }
            }
            return sequences
        }
        mixer.project(activations, rows: rows, residual: input, into: output, in: pass)
        guard keepingStates else { return (activations.scan.sequences, []) }
        let states = batch.sequences.indices.compactMap { index in
            activations.scan.sequences[index].finalState.map {
                SequenceState.Layer(
                    history: history(
                        after: activations.convolution.sequences[index],
                        of: activations.convolution,
                        inPlace: batch.sequences[index].overwritesState, in: pass),
                    state: $0)
            }
        }
        return (activations.scan.sequences, states)
    }

    /// Recomputes the block and adds to the gradients.
    ///
    /// - Parameters:
    ///   - input: The forward pass's input, `[tokens, model]`; used up.
    ///   - batch: The sequences.
    ///   - flow: How states flowed then: topologies are not searched again.
    ///   - projection: The mixer's input projection, if the forward pass kept it.
    ///   - rows: The rows whose output was wanted; all of them if `nil`.
    ///   - gradOutput: The gradient by the output, `[rows, model]`; not the same memory as `input`.
    ///   - needsInputGradient: Whether `input` is to be overwritten with the gradient by it.
    ///   - pass: The processor and working memory.
    func backward(
        _ input: Tensor, of batch: TokenBatch, flow: [SelectiveScan.Sequence],
        projection: Tensor?, rows: RowIndices? = nil, gradOutput: Tensor, needsInputGradient: Bool,
        in pass: Pass
    ) {
        let kept = projection.map { Mixer.KeptProjection(tensor: $0, isComputed: true) }
        var activations = mixer.operands(
            normalized(input, in: pass), of: batch, layer: layer, keeping: kept, in: pass)
        activations.scan.sequences = flow
        let gradients = mixer.scanBackward(
            gradOutput, rows: rows, activations: activations, in: pass)
        // Cheaper to compute again than to keep beside the scan's gradients.
        let normed = normalized(input, in: pass)
        let gradNormed = needsInputGradient || norm.isTrainable ? normed : nil
        mixer.backward(gradients, x: normed, activations: activations, into: gradNormed, in: pass)
        guard let gradNormed else { return }
        norm.backward(
            gradNormed, x: input, adding: rows == nil ? gradOutput : nil, into: input, in: pass)
        if let rows { pass.engine.scatterAddRows(gradOutput, to: rows, of: input) }
    }

    private func normalized(_ input: Tensor, in pass: Pass) -> Tensor {
        let normed = Mixer.inputOrGated(input.shape, in: pass)
        norm.forward(input, into: normed, in: pass)
        return normed
    }

    /// The last `width - 1` inputs of the convolution, from the history where the sequence is shorter.
    private func history(
        after sequence: CausalConvolution.Sequence, of inputs: CausalConvolution.Inputs,
        inPlace: Bool, in pass: Pass
    ) -> Tensor {
        let (engine, wanted, end) = (
            pass.engine, inputs.weight.columns - 1, sequence.rows.upperBound
        )
        let earlier = inPlace ? sequence.history : nil
        let history = earlier ?? engine.tensor([wanted, inputs.x.columns])
        let fresh = min(wanted, sequence.rows.count)
        if fresh < wanted {
            let kept = history.rows(0..<wanted - fresh)
            if let before = sequence.history {
                engine.copy(before.rows(fresh..<wanted), to: kept)
            } else {
                engine.fill(kept, with: 0)
            }
        }
        engine.copy(inputs.x.rows(end - fresh..<end), to: history.rows(wanted - fresh..<wanted))
        return history
    }
}
