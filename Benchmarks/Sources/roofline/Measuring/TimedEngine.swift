import Kernels
import Tensors
import TreeTopology

/// An engine that passes everything on to another one and notes how long each operation takes.
final class TimedEngine: Engine {
    /// How often an operation was called and how long all calls took, in seconds.
    struct Calls {
        var count = 0
        var seconds = 0.0
    }

    /// By the operation's name.
    var calls: [String: Calls] = [:]
    private let engine: any Engine
    private let clock = ContinuousClock()

    init(_ engine: any Engine) { self.engine = engine }

    var summary: String { engine.summary }

    private func timed<Value>(_ name: String, _ body: () -> Value) -> Value {
        let start = clock.now
        defer {
            let taken = start.duration(to: clock.now).components
            calls[name, default: Calls()].count += 1
            calls[name, default: Calls()].seconds +=
                Double(taken.seconds) + Double(taken.attoseconds) * 1e-18
        }
        return body()
    }

    // MARK: - Memory

    func allocate(bytes: Int) -> Memory { engine.allocate(bytes: bytes) }
    func rowStride(columns: Int) -> Int { engine.rowStride(columns: columns) }
    func reachable(_ x: WeightMatrix) -> WeightMatrix { engine.reachable(x) }
    func finish() { engine.finish() }

    func rounded(_ x: Tensor, to format: WeightMatrix.Format) -> WeightMatrix {
        engine.rounded(x, to: format)
    }

    func copy(_ x: Tensor, to y: Tensor) { timed("copy, fill") { engine.copy(x, to: y) } }

    func fill(_ x: Tensor, with value: Float) {
        timed("copy, fill") { engine.fill(x, with: value) }
    }

    // MARK: - Matrix products

    func linear(
        _ x: Tensor, weight: WeightMatrix, plus term: LowRankProduct?, bias: Tensor?,
        adding addend: Tensor?, into y: Tensor
    ) {
        timed("linear") {
            engine.linear(x, weight: weight, plus: term, bias: bias, adding: addend, into: y)
        }
    }

    func linearInputGradient(
        _ gradY: Tensor, weight: WeightMatrix, plus term: LowRankProduct?, adding addend: Tensor?,
        into gradX: Tensor
    ) {
        timed("linear, gradient by input") {
            engine.linearInputGradient(
                gradY, weight: weight, plus: term, adding: addend, into: gradX)
        }
    }

    func fusesLowRankProducts(by weight: WeightMatrix) -> Bool {
        engine.fusesLowRankProducts(by: weight)
    }

    func linearWeightGradient(_ gradY: Tensor, x: Tensor, into gradWeight: Tensor) {
        timed("linear, gradient by weight") {
            engine.linearWeightGradient(gradY, x: x, into: gradWeight)
        }
    }

    func biasGradient(_ gradY: Tensor, into gradBias: Tensor) {
        timed("bias gradient") { engine.biasGradient(gradY, into: gradBias) }
    }

    // MARK: - Rows and elements

    func gatherRows(_ indices: RowIndices, of table: WeightMatrix, into y: Tensor) {
        timed("rows") { engine.gatherRows(indices, of: table, into: y) }
    }

    func scatterAddRows(_ gradY: Tensor, to indices: RowIndices, of gradTable: Tensor) {
        timed("rows") { engine.scatterAddRows(gradY, to: indices, of: gradTable) }
    }

    func add(_ x: Tensor, scale: Float, to y: Tensor) {
        timed("add, scale") { engine.add(x, scale: scale, to: y) }
    }

    func scale(_ x: Tensor, by factor: Float) {
        timed("add, scale") { engine.scale(x, by: factor) }
    }

    func drop(_ dropout: Dropout, _ x: Tensor, into y: Tensor) {
        timed("dropout") { engine.drop(dropout, x, into: y) }
    }

    func normalize(_ x: RMSNorm.Inputs, into y: Tensor) {
        timed("RMSNorm") { engine.normalize(x, into: y) }
    }

    func normalizeBackward(
        _ x: RMSNorm.Inputs, gradY: Tensor, adding addend: Tensor?,
        into gradients: RMSNorm.Gradients
    ) {
        timed("RMSNorm, gradient") {
            engine.normalizeBackward(x, gradY: gradY, adding: addend, into: gradients)
        }
    }

    func stateMatrix(_ ALog: Tensor, into A: Tensor) {
        timed("A") { engine.stateMatrix(ALog, into: A) }
    }

    func stateMatrixBackward(_ gradA: Tensor, A: Tensor, into gradALog: Tensor) {
        timed("A") { engine.stateMatrixBackward(gradA, A: A, into: gradALog) }
    }

    // MARK: - Sequences

    func convolve(_ x: CausalConvolution.Inputs, into u: Tensor) {
        timed("convolution") { engine.convolve(x, into: u) }
    }

    func convolveBackward(
        _ x: CausalConvolution.Inputs, gradU: Tensor, into gradients: CausalConvolution.Gradients
    ) {
        timed("convolution, gradient") {
            engine.convolveBackward(x, gradU: gradU, into: gradients)
        }
    }

    func scan(_ x: SelectiveScan.Inputs, into result: Tensor) {
        timed("scan") { engine.scan(x, into: result) }
    }

    func scanBackward(
        _ x: SelectiveScan.Inputs, gradResult: Tensor, into gradients: SelectiveScan.Gradients
    ) {
        timed("scan, gradient") {
            engine.scanBackward(x, gradResult: gradResult, into: gradients)
        }
    }

    func stateInputCosines(
        _ x: SelectiveScan.Inputs, edges: [(Int32, Int32)]
    ) -> [Float] {
        timed("trees") { engine.stateInputCosines(x, edges: edges) }
    }

    func spanningTrees(_ x: SelectiveScan.Inputs) -> [ScanTree?] {
        timed("trees") { engine.spanningTrees(x) }
    }

    // MARK: - Loss and optimiser

    func crossEntropy(
        _ logits: Tensor, _ x: CrossEntropy.Inputs
    ) -> Deferred<CrossEntropy.Result> {
        timed("cross-entropy") { engine.crossEntropy(logits, x) }
    }

    func adamW(_ step: AdamW, parameter: Tensor, gradient: Tensor, moments: AdamW.Moments) {
        timed("optimiser") {
            engine.adamW(step, parameter: parameter, gradient: gradient, moments: moments)
        }
    }

    func sumOfSquares(_ tensors: [Tensor]) -> Deferred<Double> {
        timed("optimiser") { engine.sumOfSquares(tensors) }
    }
}
