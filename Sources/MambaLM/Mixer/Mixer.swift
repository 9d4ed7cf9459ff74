import Kernels

/// The mixer of one block.
///
///     x, z        = split(inProj(input))                  [tokens, inner] each
///     u           = SiLU(conv1d(x))
///     dt, B, C    = split(xProj(u))                       [stepRank], [state], [state]
///     delta       = softplus(dtProj(dt))
///     y           = scan(u, delta, A = -exp(ALog), B, C, D)
///     output      = outProj(y * SiLU(z))
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
        /// `[tokens, inner]`.
        let y: Tensor
        /// `y * SiLU(z)`, `[tokens, inner]`.
        let gated: Tensor
        /// The convolution's operands.
        let convolution: CausalConvolution.Inputs
        /// The scan's operands.
        let scan: SelectiveScan.Inputs

        /// The gate, `[tokens, inner]`.
        var z: Tensor { xz.columns(xz.columns / 2..<xz.columns) }
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
    ///   - kept: The input projection of an earlier run, or memory that is to keep it; shared working
    ///     memory if `nil`.
    ///   - pass: The processor and working memory.
    ///   - flow: Describes how states flow, given the operands.
    /// - Returns: What the output projection and the backward pass need.
    func forward(
        _ x: Tensor, of batch: TokenBatch, layer: Int, keeping kept: KeptProjection?,
        in pass: Pass, flow: (SelectiveScan.Inputs) -> [SelectiveScan.Sequence]
    ) -> Activations {
        let (engine, workspace) = (pass.engine, pass.workspace)
        let wide = [x.rows, inner]
        let xz = kept?.tensor ?? workspace.tensor("mixer.xz", [x.rows, 2 * inner])
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
        let delta = workspace.tensor("mixer.delta", wide)
        dtProj.forward(projections.columns(0..<stepRank), into: delta, in: pass)
        engine.softplus(delta)

        let A = workspace.tensor("mixer.A", ALog.value.shape)
        engine.negativeExponential(ALog.value, into: A)
        var scan = SelectiveScan.Inputs(
            u: u, delta: delta, A: A, B: projections.columns(stepRank..<stepRank + state),
            C: projections.columns(stepRank + state..<stepRank + 2 * state), D: D.value,
            sequences: [])
        scan.sequences = flow(scan)
        let y = workspace.tensor("mixer.y", wide)
        engine.scan(scan, into: y)

        let activations = Activations(
            xz: xz, projections: projections, y: y, gated: workspace.tensor("mixer.gated", wide),
            convolution: convolution, scan: scan)
        engine.gate(y, z: activations.z, into: activations.gated)
        return activations
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
        _ activations: Activations, rows: [Int32]?, residual: Tensor, into output: Tensor,
        in pass: Pass
    ) {
        if let rows { pass.engine.gatherRows(rows, of: residual, into: output) }
        outProj.forward(
            gated(activations, rows: rows, in: pass), adding: rows == nil ? residual : output,
            into: output, in: pass)
    }

    /// The output projection's input, `[rows, inner]`.
    private func gated(_ activations: Activations, rows: [Int32]?, in pass: Pass) -> Tensor {
        guard let rows else { return activations.gated }
        let gathered = pass.workspace.tensor("mixer.gathered", [rows.count, inner])
        pass.engine.gatherRows(rows, of: activations.gated, into: gathered)
        return gathered
    }

    /// Runs the output projection backwards; the gradient by its input is zero in other rows.
    private func projectBackward(
        _ gradOutput: Tensor, rows: [Int32]?, activations: Activations, into gradGated: Tensor,
        in pass: Pass
    ) {
        let gated = gated(activations, rows: rows, in: pass)
        guard let rows else {
            return outProj.backward(gradOutput, x: gated, into: gradGated, in: pass)
        }
        let gradGathered = pass.workspace.tensor("mixer.gradGathered", gated.shape)
        outProj.backward(gradOutput, x: gated, into: gradGathered, in: pass)
        gradGated.fill(0)
        pass.engine.scatterAddRows(gradGathered, to: rows, of: gradGated)
    }

    /// Adds to the parameters' gradients and computes the input's.
    ///
    /// - Parameters:
    ///   - gradOutput: Gradient by the output projection's result, `[rows, model]`.
    ///   - rows: The rows that were projected; all of them if `nil`.
    ///   - x: The normalised input, `[tokens, model]`.
    ///   - activations: What the forward run computed.
    ///   - gradX: `[tokens, model]`; `nil` if nobody needs it.
    ///   - pass: The processor and working memory.
    func backward(
        _ gradOutput: Tensor, rows: [Int32]?, x: Tensor, activations: Activations,
        into gradX: Tensor?, in pass: Pass
    ) {
        let (engine, workspace) = (pass.engine, pass.workspace)
        let wide = [x.rows, inner]
        let gradY = workspace.tensor("mixer.gradY", wide)
        projectBackward(gradOutput, rows: rows, activations: activations, into: gradY, in: pass)

        let gradXZ = workspace.tensor("mixer.gradXZ", [x.rows, 2 * inner])
        engine.gateBackward(
            gradY, y: activations.y, z: activations.z, gradY: gradY,
            gradZ: gradXZ.columns(inner..<2 * inner))

        let gradU = workspace.tensor("mixer.gradU", wide)
        let gradDelta = workspace.tensor("mixer.gradDelta", wide)
        let gradProjections = workspace.tensor(
            "mixer.gradProjections", activations.projections.shape)
        let gradA = ALog.gradient.map { _ in workspace.tensor("mixer.gradA", [inner, state]) }
        gradA?.fill(0)
        engine.scanBackward(
            activations.scan, gradY: gradY,
            into: SelectiveScan.Gradients(
                u: gradU, delta: gradDelta,
                B: gradProjections.columns(stepRank..<stepRank + state),
                C: gradProjections.columns(stepRank + state..<stepRank + 2 * state), A: gradA,
                D: D.gradient))
        if let gradA, let gradALog = ALog.gradient {
            engine.negativeExponentialBackward(gradA, y: activations.scan.A, into: gradALog)
        }

        engine.softplusBackward(gradDelta, y: activations.scan.delta)
        dtProj.backward(
            gradDelta, x: activations.dt(stepRank: stepRank),
            into: gradProjections.columns(0..<stepRank), in: pass)
        xProj.backward(
            gradProjections, x: activations.scan.u, adding: gradU, into: gradU, in: pass)
        engine.convolveBackward(
            activations.convolution, gradU: gradU,
            into: CausalConvolution.Gradients(
                x: gradXZ.columns(0..<inner), weight: convolution.gradient,
                bias: convolutionBias?.gradient))
        inProj.backward(gradXZ, x: x, into: gradX, in: pass)
    }
}
