import Layers
import Tensors

/// The mixer of one block.
///
///     x, z        = split(inProj(input))                  [tokens, inner] each
///     u           = SiLU(conv1d(x))
///     dt, B, C    = split(xProj(u))                       [stepRank], [state], [state]
///     gated       = scan(u, step = dtProj(dt), z, A = -exp(ALog), B, C, D)
///     output      = outProj(gated)
///
/// Source: Gu and Dao 2023, "Mamba", section 3.4; names as in the checkpoint.
public final class Mixer {
    /// `[2·inner, model]`: the scan's input, then the gate.
    public let inProj: Linear
    /// `[inner, 1, convolutionWidth]`.
    public let convolution: Parameter
    /// `[inner]`.
    public let convolutionBias: Parameter?
    /// `[stepRank + 2·state, inner]`.
    public let xProj: Linear
    /// `[inner, stepRank]`.
    public let dtProj: Linear
    /// `[inner, state]`.
    public let ALog: Parameter
    /// `[inner]`.
    public let D: Parameter
    /// `[model, inner]`.
    public let outProj: Linear

    /// Creates a mixer from its layers.
    public init(
        inProj: Linear, convolution: Parameter, convolutionBias: Parameter?, xProj: Linear,
        dtProj: Linear, ALog: Parameter, D: Parameter, outProj: Linear
    ) {
        (self.inProj, self.convolution, self.convolutionBias) = (
            inProj, convolution, convolutionBias
        )
        (self.xProj, self.dtProj, self.ALog) = (xProj, dtProj, ALog)
        (self.D, self.outProj) = (D, outProj)
    }

    /// The parameters, in the order of a checkpoint.
    public var parameters: [Parameter] {
        [
            ALog, D, convolution, convolutionBias, inProj.weight, inProj.bias, xProj.weight,
            dtProj.weight, dtProj.bias, outProj.weight, outProj.bias,
        ].compactMap { $0 }
    }

    /// The linear layers, by the names adapters use.
    public var linears: [Linear] { [inProj, xProj, dtProj, outProj] }

    /// Whether a backward pass has a parameter's gradient to compute.
    public var isTrainable: Bool {
        parameters.contains { $0.isTrainable } || linears.contains { $0.isTrainable }
    }

    /// The result of the input projection, kept from the forward pass to the backward pass.
    struct KeptProjection {
        /// `[tokens, 2·inner]`.
        let tensor: Tensor
        /// Whether the forward pass has filled it.
        let isComputed: Bool
    }

    /// What one run of a mixer computed; lives in the workspace until the next run.
    struct Activations {
        /// `x` and `z`, `[tokens, 2·inner]`.
        let xz: Tensor
        /// `dt`, `B` and `C`, `[tokens, stepRank + 2·state]`.
        let projections: Tensor
        /// The convolution's operands.
        let convolution: CausalConvolution.Inputs
        /// The scan's operands.
        var scan: SelectiveScan.Inputs
        /// The scan's result, `[tokens, inner]`, in the memory of its `step`.
        var gated: Tensor { scan.step }

        /// The step projection's input, `[tokens, stepRank]`.
        func dt(stepRank: Int) -> Tensor { projections.columns(0..<stepRank) }
    }

    private var inner: Int { D.value.count }
    private var state: Int { ALog.value.columns }
    private var stepRank: Int { dtProj.inFeatures }

    /// Computes everything up to the output projection.
    ///
    /// - Parameters:
    ///   - x: The normalised input, `[tokens, model]`.
    ///   - batch: The sequences.
    ///   - layer: The block's number, to find its part of the sequences' states.
    ///   - kept: Memory that is to keep the input projection; shared working memory if `nil`.
    ///   - pass: The processor and working memory.
    ///   - flow: Describes how states flow, given the operands.
    /// - Returns: What the output projection needs.
    func forward(
        _ x: Tensor, of batch: TokenBatch, layer: Int, keeping kept: KeptProjection?,
        in pass: Pass, flow: (SelectiveScan.Inputs) -> [SelectiveScan.Sequence]
    ) -> Activations {
        var activations = operands(x, of: batch, layer: layer, keeping: kept, in: pass)
        activations.scan.sequences = flow(activations.scan)
        pass.engine.scan(activations.scan, into: activations.gated)
        return activations
    }

    /// Computes everything up to the scan.
    ///
    /// - Parameters:
    ///   - x: The normalised input, `[tokens, model]`.
    ///   - batch: The sequences.
    ///   - layer: The block's number, to find its part of the sequences' states.
    ///   - kept: The input projection of an earlier run, or memory that is to keep it; shared working
    ///     memory if `nil`.
    ///   - pass: The processor and working memory.
    /// - Returns: The operands of the scan, whose sequences are not set yet.
    func operands(
        _ x: Tensor, of batch: TokenBatch, layer: Int, keeping kept: KeptProjection?,
        in pass: Pass
    ) -> Activations {
        let (engine, workspace) = (pass.engine, pass.workspace)
        let wide = [x.rows, inner]
        let xz = kept?.tensor ?? sharedProjection(tokens: x.rows, in: pass)
        if kept?.isComputed != true { inProj.forward(x, into: xz, in: pass) }

        let convolution = CausalConvolution.Inputs(
            x: xz.columns(0..<inner), weight: self.convolution.value, bias: convolutionBias?.value,
            sequences: zip(batch.rows, batch.sequences).map {
                CausalConvolution.Sequence(rows: $0, history: $1.state?.layers[layer].history)
            })
        let u = workspace.tensor("mixer.u", wide)
        engine.convolve(convolution, into: u)

        let projections = workspace.tensor("mixer.projections", [x.rows, stepRank + 2 * state])
        xProj.forward(u, into: projections, in: pass)
        let step = workspace.tensor("mixer.step", wide)
        dtProj.forward(projections.columns(0..<stepRank), into: step, in: pass)

        return Activations(
            xz: xz, projections: projections, convolution: convolution,
            scan: SelectiveScan.Inputs(
                u: u, step: step, z: xz.columns(inner..<2 * inner), A: stateMatrix(in: pass),
                B: projections.columns(stepRank..<stepRank + state),
                C: projections.columns(stepRank + state..<stepRank + 2 * state), D: D.value,
                sequences: []))
    }

    /// `A`, `[state, inner]`: computed once while `ALog` is frozen, as decoding has little else to do.
    private func stateMatrix(in pass: Pass) -> Tensor {
        ALog.derived {
            let shape = [state, inner]
            let A =
                ALog.isTrainable
                ? pass.workspace.tensor("mixer.A", shape) : pass.engine.tensor(shape)
            pass.engine.stateMatrix(ALog.value, into: A)
            return A
        }
    }

    /// Computes the residual stream after the output projection.
    ///
    /// - Parameters:
    ///   - activations: What ``forward(_:of:layer:keeping:in:flow:)`` computed.
    ///   - rows: The rows to project; all of them if `nil`.
    ///   - residual: What the projection is added to, `[tokens, model]`.
    ///   - output: `[rows, model]`.
    ///   - pass: The processor and working memory.
    func project(
        _ activations: Activations, rows: RowIndices?, residual: Tensor, into output: Tensor,
        in pass: Pass
    ) {
        let gated = gathered(activations.gated, rows: rows, into: activations.scan.u, in: pass)
        if let rows { pass.engine.gatherRows(rows, of: residual, into: output) }
        outProj.forward(gated, adding: rows == nil ? residual : output, into: output, in: pass)
    }

    /// Some rows of the output projection's input, in other memory; all of them, where they are, if `rows`
    /// is `nil`.
    private func gathered(
        _ gated: Tensor, rows: RowIndices?, into memory: Tensor, in pass: Pass
    ) -> Tensor {
        guard let rows else { return gated }
        let gathered = memory.rows(0..<rows.count)
        pass.engine.gatherRows(rows, of: gated, into: gathered)
        return gathered
    }

    /// Memory for the input projection of the block that runs, which stays there until the next one runs.
    func sharedProjection(tokens: Int, in pass: Pass) -> Tensor {
        pass.workspace.tensor("mixer.xz", [tokens, 2 * inner])
    }

    /// Memory for the normalised input, and in between for the scan's result in the backward pass.
    static func inputOrGated(_ shape: [Int], in pass: Pass) -> Tensor {
        pass.workspace.tensor("mixer.inputOrGated", shape)
    }

    /// What goes on backwards from the scan.
    struct ScanGradients {
        /// By the convolution's result, as far as the scan has it, `[tokens, inner]`.
        let u: Tensor
        /// By `dt`, `B` and `C`, `[tokens, stepRank + 2·state]`.
        let projections: Tensor
    }

    /// Runs the output projection backwards; the gradient by its input is zero in other rows.
    private func projectBackward(
        _ gradOutput: Tensor, rows: RowIndices?, into gradGated: Tensor, in pass: Pass
    ) {
        guard let rows else {
            return outProj.inputGradient(gradOutput, into: gradGated, in: pass)
        }
        let gradGathered = Self.inputOrGated([rows.count, inner], in: pass)
        outProj.inputGradient(gradOutput, into: gradGathered, in: pass)
        pass.engine.fill(gradGated, with: 0)
        pass.engine.scatterAddRows(gradGathered, to: rows, of: gradGated)
    }

    /// Goes backwards to the scan's operands and adds to the gradients of the parameters on the way.
    ///
    /// Gradients take the memory of what they are the last to need: that of `u` the scan's gradient's,
    /// those of `step`, `x` and `z` their own. Needs the memory of the normalised input.
    ///
    /// - Parameters:
    ///   - gradOutput: Gradient by the output projection's result, `[rows, model]`.
    ///   - rows: The rows that were projected; all of them if `nil`.
    ///   - activations: The operands of the forward run, with its sequences; `z` becomes its gradient.
    ///   - pass: The processor and working memory.
    /// - Returns: The gradients that ``backward(_:x:activations:into:in:)`` goes on from.
    func scanBackward(
        _ gradOutput: Tensor, rows: RowIndices?, activations: Activations, in pass: Pass
    ) -> ScanGradients {
        let (engine, workspace, scan) = (pass.engine, pass.workspace, activations.scan)
        let gradGated = workspace.tensor("mixer.gradGated", scan.u.shape)
        projectBackward(gradOutput, rows: rows, into: gradGated, in: pass)

        let gradProjections = workspace.tensor(
            "mixer.gradProjections", activations.projections.shape)
        let gradA = ALog.gradient.map { _ in workspace.tensor("mixer.gradA", scan.A.shape) }
        if let gradA { engine.fill(gradA, with: 0) }
        let gradients = SelectiveScan.Gradients(
            u: gradGated, step: scan.step, z: scan.z,
            gated: outProj.isTrainable ? Self.inputOrGated(scan.u.shape, in: pass) : nil,
            B: gradProjections.columns(stepRank..<stepRank + state),
            C: gradProjections.columns(stepRank + state..<stepRank + 2 * state), A: gradA,
            D: D.gradient)
        engine.scanBackward(scan, gradResult: gradGated, into: gradients)
        if let gradA, let gradALog = ALog.gradient {
            engine.stateMatrixBackward(gradA, A: scan.A, into: gradALog)
        }

        dtProj.backward(
            gradients.step, x: activations.dt(stepRank: stepRank),
            into: gradProjections.columns(0..<stepRank), in: pass)
        if let gated = gradients.gated {
            outProj.parameterGradients(
                gradOutput, x: gathered(gated, rows: rows, into: gradients.step, in: pass), in: pass
            )
        }
        return ScanGradients(u: gradients.u, projections: gradProjections)
    }

    /// Goes backwards from the scan's operands and adds to the gradients of the parameters on the way.
    ///
    /// - Parameters:
    ///   - gradients: What ``scanBackward(_:rows:activations:in:)`` returned; used up.
    ///   - x: The normalised input, `[tokens, model]`.
    ///   - activations: The operands as that left them; used up.
    ///   - gradX: `[tokens, model]`, may be `x`; `nil` if nobody needs it.
    ///   - pass: The processor and working memory.
    func backward(
        _ gradients: ScanGradients, x: Tensor, activations: Activations, into gradX: Tensor?,
        in pass: Pass
    ) {
        xProj.backward(
            gradients.projections, x: activations.scan.u, adding: gradients.u, into: gradients.u,
            in: pass)
        pass.engine.convolveBackward(
            activations.convolution, gradU: gradients.u,
            into: CausalConvolution.Gradients(
                x: activations.convolution.x, weight: convolution.gradient,
                bias: convolutionBias?.gradient))
        inProj.backward(activations.xz, x: x, into: gradX, in: pass)
    }
}
