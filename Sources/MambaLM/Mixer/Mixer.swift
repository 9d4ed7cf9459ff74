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
        self.inProj = inProj
        self.convolution = convolution
        self.convolutionBias = convolutionBias
        self.xProj = xProj
        self.dtProj = dtProj
        self.ALog = ALog
        self.D = D
        self.outProj = outProj
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

    /// What one run of a mixer computed; lives in the buffers until the next run.
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
    ///   - sequences: The sequences, and what this block keeps of them.
    ///   - kept: Memory that is to keep the input projection; shared working memory if `nil`.
    ///   - buffers: Working memory.
    ///   - pass: The processor.
    /// - Returns: What the output projection needs.
    func forward(
        _ x: Tensor, of sequences: BlockSequences, keeping kept: KeptProjection?,
        using buffers: MixerBuffers, in pass: Pass
    ) -> Activations {
        var activations = operands(x, of: sequences, keeping: kept, using: buffers, in: pass)
        activations.scan.trees = pass.engine.spanningTrees(activations.scan)
        pass.engine.scan(activations.scan, into: activations.gated)
        return activations
    }

    /// Computes everything up to the scan.
    ///
    /// - Parameters:
    ///   - x: The normalised input, `[tokens, model]`.
    ///   - sequences: The sequences, and what this block keeps of them.
    ///   - kept: The input projection of an earlier run, or memory that is to keep it; shared working
    ///     memory if `nil`.
    ///   - buffers: Working memory.
    ///   - pass: The processor.
    /// - Returns: The operands of the scan, whose trees are not there yet.
    func operands(
        _ x: Tensor, of sequences: BlockSequences, keeping kept: KeptProjection?,
        using buffers: MixerBuffers, in pass: Pass
    ) -> Activations {
        let xz = kept?.tensor ?? buffers.xz.matrix(rows: x.rows)
        if kept?.isComputed != true { inProj.forward(x, into: xz, in: pass) }

        let convolution = CausalConvolution.Inputs(
            x: xz.columns(0..<inner), weight: self.convolution.value, bias: convolutionBias?.value,
            layout: sequences.layout, histories: sequences.before.map { $0?.history })
        let u = buffers.u.matrix(rows: x.rows)
        pass.engine.convolve(convolution, into: u)

        let projections = buffers.projections.matrix(rows: x.rows)
        xProj.forward(u, into: projections, in: pass)
        let step = buffers.step.matrix(rows: x.rows)
        dtProj.forward(projections.columns(0..<stepRank), into: step, in: pass)

        return Activations(
            xz: xz, projections: projections, convolution: convolution,
            scan: SelectiveScan.Inputs(
                u: u, step: step, z: xz.columns(inner..<2 * inner),
                A: stateMatrix(using: buffers, in: pass),
                B: projections.columns(stepRank..<stepRank + state),
                C: projections.columns(stepRank + state..<stepRank + 2 * state), D: D.value,
                layout: sequences.layout, initialStates: sequences.before.map { $0?.state },
                finalStates: sequences.after.map(\.state)))
    }

    /// `A`, `[state, inner]`: computed once while `ALog` is frozen, as decoding has little else to do.
    private func stateMatrix(using buffers: MixerBuffers, in pass: Pass) -> Tensor {
        ALog.derived {
            let A =
                ALog.isTrainable
                ? buffers.A.matrix(rows: state) : pass.engine.tensor([state, inner])
            pass.engine.stateMatrix(ALog.value, into: A)
            return A
        }
    }

    /// Computes the residual stream after the output projection.
    ///
    /// - Parameters:
    ///   - activations: What ``forward(_:of:keeping:using:in:)`` computed.
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

    /// What goes on backwards from the scan.
    struct ScanGradients {
        /// By the convolution's result, as far as the scan has it, `[tokens, inner]`.
        let u: Tensor
        /// By `dt`, `B` and `C`, `[tokens, stepRank + 2·state]`.
        let projections: Tensor
    }

    /// Runs the output projection backwards; the gradient by its input is zero in other rows.
    private func projectBackward(
        _ gradOutput: Tensor, rows: RowIndices?, into gradGated: Tensor,
        using buffers: MixerBuffers, in pass: Pass
    ) {
        guard let rows else {
            return outProj.inputGradient(gradOutput, into: gradGated, in: pass)
        }
        let gradGathered = buffers.inputOrGated.matrix(rows: rows.count)
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
    ///   - buffers: Working memory.
    ///   - pass: The processor.
    /// - Returns: The gradients that ``backward(_:x:activations:into:in:)`` goes on from.
    func scanBackward(
        _ gradOutput: Tensor, rows: RowIndices?, activations: Activations,
        using buffers: MixerBuffers, in pass: Pass
    ) -> ScanGradients {
        let (engine, scan) = (pass.engine, activations.scan)
        let gradGated = buffers.gradGated.matrix(rows: scan.u.rows)
        projectBackward(gradOutput, rows: rows, into: gradGated, using: buffers, in: pass)

        let gradProjections = buffers.gradProjections.matrix(rows: scan.u.rows)
        let gradA = ALog.gradient.map { _ in buffers.gradA.matrix(rows: state) }
        if let gradA { engine.fill(gradA, with: 0) }
        let gradients = SelectiveScan.Gradients(
            u: gradGated, step: scan.step, z: scan.z,
            gated: outProj.isTrainable ? buffers.inputOrGated.matrix(rows: scan.u.rows) : nil,
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
    ///   - gradients: What ``scanBackward(_:rows:activations:using:in:)`` returned; used up.
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

/// Working memory of the mixers, which all blocks share, one after the other.
struct MixerBuffers {
    /// The input projection, `[tokens, 2·inner]`, of a block that has no memory of its own for it.
    let xz: Buffer
    /// The convolution's result, `[tokens, inner]`.
    let u: Buffer
    /// `dt`, `B` and `C`, `[tokens, stepRank + 2·state]`.
    let projections: Buffer
    /// The step before softplus, then the scan's result, `[tokens, inner]`.
    let step: Buffer
    /// The normalised input, `[tokens, model]`, and in between the scan's result in the backward pass,
    /// `[tokens, inner]`.
    let inputOrGated: Buffer
    /// The gradient by the scan's result, `[tokens, inner]`.
    let gradGated: Buffer
    /// The gradient by ``projections``.
    let gradProjections: Buffer
    /// The state matrix where its logarithm is trained, `[state, inner]`.
    let A: Buffer
    /// The gradient by ``A``.
    let gradA: Buffer
    private let states: Int

    /// Creates buffers that hold nothing yet.
    init(_ x: MambaConfiguration, engine: any Engine) {
        xz = Buffer(of: engine, columns: 2 * x.inner)
        u = Buffer(of: engine, columns: x.inner)
        projections = Buffer(of: engine, columns: x.projections)
        step = Buffer(of: engine, columns: x.inner)
        inputOrGated = Buffer(of: engine, columns: x.inner)
        gradGated = Buffer(of: engine, columns: x.inner)
        gradProjections = Buffer(of: engine, columns: x.projections)
        A = Buffer(of: engine, columns: x.inner)
        gradA = Buffer(of: engine, columns: x.inner)
        states = x.state
    }

    private var ofTokens: [Buffer] {
        [xz, u, projections, step, inputOrGated, gradGated, gradProjections]
    }

    /// The memory that they hold, in bytes.
    var byteCount: Int { (ofTokens + [A, gradA]).reduce(0) { $0 + $1.byteCount } }

    /// The memory that they hold at most after a training pass, in bytes.
    func byteCount(tokens: Int, trainsStates: Bool) -> Int {
        ofTokens.reduce(0) { $0 + $1.byteCount(rows: tokens) }
            + (trainsStates ? A.byteCount(rows: states) + gradA.byteCount(rows: states) : 0)
    }
}
