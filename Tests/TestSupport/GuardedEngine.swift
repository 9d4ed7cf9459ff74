import Tensors

/// An engine that computes as another does, in memory that the host must not touch.
///
/// Its memory says that the host cannot reach it, so whoever goes round ``Tensor/values`` is stopped; and so is
/// who gives an operation a tensor of other memory. What it gives and what is read from it is counted.
public final class GuardedEngine: Engine {
    /// What happened to an engine's memory.
    public struct Counts: Equatable {
        /// How often memory was given.
        public var allocations = 0
        /// How often the host read from it.
        public var readings = 0
    }

    private final class Counter { var counts = Counts() }

    private let engine: any Engine
    private let counter = Counter()

    /// Wraps an engine whose memory is the host's.
    public init(_ engine: any Engine) { self.engine = engine }

    /// What happened so far.
    public var counts: Counts { counter.counts }

    /// The other engine's.
    public var summary: String { engine.summary }

    /// Memory of the other engine that says it is out of reach.
    public func allocate(bytes: Int) -> Memory {
        counter.counts.allocations += 1
        let memory = engine.allocate(bytes: bytes)
        return Memory(
            address: memory.address, byteCount: bytes,
            transfer: Memory.Transfer(
                read: { [counter] address, target in
                    counter.counts.readings += 1
                    target.copyMemory(
                        from: UnsafeRawBufferPointer(start: address, count: target.count))
                },
                write: { address, source in
                    guard let start = source.baseAddress else { return }
                    address.copyMemory(from: start, byteCount: source.count)
                })
        ) { _ in withExtendedLifetime(memory) {} }
    }

    /// The other engine's.
    public func rowStride(columns: Int) -> Int { engine.rowStride(columns: columns) }

    /// A copy of what is in memory of the host.
    public func reachable(_ x: WeightMatrix) -> WeightMatrix {
        func moved(_ memory: Memory, _ bytes: Int) -> Memory {
            guard memory.isHost else { return memory }
            let own = allocate(bytes: bytes)
            own.address.copyMemory(from: memory.address, byteCount: bytes)
            return own
        }
        switch x.elements {
        case .float32(let x):
            guard x.memory.isHost else { return WeightMatrix(x) }
            let own = tensor(x.shape)
            engine.copy(x, to: own)
            return WeightMatrix(own)
        case .bfloat16(let memory):
            return WeightMatrix(elements: .bfloat16(moved(memory, 2 * x.count)), shape: x.shape)
        case .int8(let memory, let scales):
            let scales = reachable(WeightMatrix(scales)).tensor ?? scales
            return WeightMatrix(
                elements: .int8(moved(memory, x.count), scales: scales), shape: x.shape)
        }
    }

    /// As the other engine, in memory of its own.
    public func rounded(_ x: Tensor, to format: WeightMatrix.Format) -> WeightMatrix {
        reachable(engine.rounded(own(x), to: format))
    }

    /// As the other engine, in memory of its own.
    public func copy(_ x: Tensor, to y: Tensor) { engine.copy(x, to: y) }
    /// As the other engine, in memory of its own.
    public func fill(_ x: Tensor, with value: Float) { engine.fill(own(x), with: value) }
    /// As the other engine, in memory of its own.
    public func finish() { engine.finish() }

    /// As the other engine, in memory of its own.
    public func linear(
        _ x: Tensor, weight: WeightMatrix, plus term: LowRankProduct?, bias: Tensor?,
        adding addend: Tensor?, into y: Tensor
    ) {
        engine.linear(
            own(x), weight: own(weight), plus: own(term), bias: own(bias), adding: own(addend),
            into: own(y))
    }

    /// As the other engine, in memory of its own.
    public func linearInputGradient(
        _ gradY: Tensor, weight: WeightMatrix, plus term: LowRankProduct?, adding addend: Tensor?,
        into gradX: Tensor
    ) {
        engine.linearInputGradient(
            own(gradY), weight: own(weight), plus: own(term), adding: own(addend), into: own(gradX))
    }

    /// As the other engine.
    public func fusesLowRankProducts(by weight: WeightMatrix) -> Bool {
        engine.fusesLowRankProducts(by: own(weight))
    }

    private func own(_ term: LowRankProduct?) -> LowRankProduct? {
        term.map { LowRankProduct(left: own($0.left), right: own($0.right)) }
    }

    /// As the other engine, in memory of its own.
    public func linearWeightGradient(_ gradY: Tensor, x: Tensor, into gradWeight: Tensor) {
        engine.linearWeightGradient(own(gradY), x: own(x), into: own(gradWeight))
    }

    /// As the other engine, in memory of its own.
    public func biasGradient(_ gradY: Tensor, into gradBias: Tensor) {
        engine.biasGradient(own(gradY), into: own(gradBias))
    }

    /// As the other engine, in memory of its own.
    public func gatherRows(_ indices: RowIndices, of table: WeightMatrix, into y: Tensor) {
        engine.gatherRows(indices, of: own(table), into: own(y))
    }

    /// As the other engine, in memory of its own.
    public func scatterAddRows(_ gradY: Tensor, to indices: RowIndices, of gradTable: Tensor) {
        engine.scatterAddRows(own(gradY), to: indices, of: own(gradTable))
    }

    /// As the other engine, in memory of its own.
    public func add(_ x: Tensor, scale: Float, to y: Tensor) {
        engine.add(own(x), scale: scale, to: own(y))
    }

    /// As the other engine, in memory of its own.
    public func scale(_ x: Tensor, by factor: Float) { engine.scale(own(x), by: factor) }

    /// As the other engine, in memory of its own.
    public func drop(_ dropout: Dropout, _ x: Tensor, into y: Tensor) {
        engine.drop(dropout, own(x), into: own(y))
    }

    /// As the other engine, in memory of its own.
    public func normalize(_ x: RMSNorm.Inputs, into y: Tensor) {
        engine.normalize(own(x), into: own(y))
    }

    /// As the other engine, in memory of its own.
    public func normalizeBackward(
        _ x: RMSNorm.Inputs, gradY: Tensor, adding addend: Tensor?,
        into gradients: RMSNorm.Gradients
    ) {
        own([gradients.x, gradients.weight])
        engine.normalizeBackward(
            own(x), gradY: own(gradY), adding: own(addend), into: gradients)
    }

    /// As the other engine, in memory of its own.
    public func convolve(_ x: CausalConvolution.Inputs, into u: Tensor) {
        engine.convolve(own(x), into: own(u))
    }

    /// As the other engine, in memory of its own.
    public func convolveBackward(
        _ x: CausalConvolution.Inputs, gradU: Tensor, into gradients: CausalConvolution.Gradients
    ) {
        own([gradients.x, gradients.weight, gradients.bias])
        engine.convolveBackward(own(x), gradU: own(gradU), into: gradients)
    }

    /// As the other engine, in memory of its own.
    public func stateMatrix(_ ALog: Tensor, into A: Tensor) {
        engine.stateMatrix(own(ALog), into: own(A))
    }

    /// As the other engine, in memory of its own.
    public func stateMatrixBackward(_ gradA: Tensor, A: Tensor, into gradALog: Tensor) {
        engine.stateMatrixBackward(own(gradA), A: own(A), into: own(gradALog))
    }

    /// As the other engine, in memory of its own.
    public func scan(_ x: SelectiveScan.Inputs, into result: Tensor) {
        engine.scan(own(x), into: own(result))
    }

    /// As the other engine, in memory of its own.
    public func scanBackward(
        _ x: SelectiveScan.Inputs, gradResult: Tensor, into gradients: SelectiveScan.Gradients
    ) {
        let x = own(x)
        own([
            gradients.u, gradients.step, gradients.z, gradients.gated, gradients.B, gradients.C,
            gradients.A, gradients.D,
        ])
        engine.scanBackward(x, gradResult: own(gradResult), into: gradients)
    }

    /// As the other engine, in memory of its own.
    public func stateInputCosines(
        _ x: SelectiveScan.Inputs, edges: [(Int32, Int32)]
    ) -> [Float] {
        engine.stateInputCosines(own(x), edges: edges)
    }

    /// As the other engine, in memory of its own.
    public func spanningTrees(_ x: SelectiveScan.Inputs) -> [ScanTree?] {
        engine.spanningTrees(own(x))
    }

    /// As the other engine, in memory of its own.
    public func crossEntropy(
        _ logits: Tensor, _ x: CrossEntropy.Inputs
    ) -> Deferred<CrossEntropy.Result> {
        let result = engine.crossEntropy(own(logits), x)
        return Deferred { result.value }
    }

    /// As the other engine, in memory of its own.
    public func adamW(
        _ step: AdamW, parameter: Tensor, gradient: Tensor, moments: AdamW.Moments
    ) {
        own([moments.first, moments.second])
        engine.adamW(step, parameter: own(parameter), gradient: own(gradient), moments: moments)
    }

    /// As the other engine, in memory of its own.
    public func sumOfSquares(_ tensors: [Tensor]) -> Deferred<Double> {
        own(tensors)
        let sum = engine.sumOfSquares(tensors)
        return Deferred { sum.value }
    }

    // MARK: - Guards

    private func own(_ x: Tensor) -> Tensor {
        precondition(!x.memory.isHost, "an operand \(x.shape) is in memory of the host")
        return x
    }

    private func own(_ x: Tensor?) -> Tensor? { x.map { own($0) } }

    private func own(_ tensors: [Tensor?]) {
        for case let tensor? in tensors { _ = own(tensor) }
    }

    private func own(_ x: WeightMatrix) -> WeightMatrix {
        switch x.elements {
        case .float32(let tensor): own([tensor])
        case .bfloat16(let memory), .int8(let memory, scales: _):
            precondition(!memory.isHost, "a matrix \(x.shape) is in memory of the host")
        }
        return x
    }

    private func own(_ x: RMSNorm.Inputs) -> RMSNorm.Inputs {
        own([x.x, x.weight])
        return x
    }

    private func own(_ x: CausalConvolution.Inputs) -> CausalConvolution.Inputs {
        own([x.x, x.weight, x.bias] + x.histories)
        return x
    }

    private func own(_ x: SelectiveScan.Inputs) -> SelectiveScan.Inputs {
        own([x.u, x.step, x.z, x.A, x.B, x.C, x.D])
        own(x.initialStates + x.finalStates)
        return x
    }
}
