/// What a model's layers ask of a processor.
///
/// An engine gives the memory that tensors are in. Every other requirement is one operation of a layer, forward or
/// backward, over row-major tensors whose first axis is the tokens of a batch; sequences lie one after the other,
/// without padding. An engine for another processor implements these and nothing else changes.
///
/// Operations take effect in the order in which they are asked for; they may still be under way when a requirement
/// returns. Reading ``Tensor/values`` or ``Deferred/value`` waits.
///
/// Results depend on the operands alone: not on the number of threads, and a token's result not on
/// the other sequences of its batch. Gradients are *added to* their targets unless the operation
/// says otherwise; a gradient that nobody needs is passed as `nil` and costs nothing.
public protocol Engine: AnyObject {
    /// The processor, the kernels in use and the number of threads, in a few words.
    var summary: String { get }

    /// Gives memory in which operations find their operands; values are undefined.
    func allocate(bytes: Int) -> Memory

    /// How far apart the rows of a matrix for intermediate results lie best, in elements; at least `columns`.
    func rowStride(columns: Int) -> Int

    /// The same matrix where operations find it: itself, unless it is in memory that they cannot reach.
    func reachable(_ x: WeightMatrix) -> WeightMatrix

    /// Rounds a tensor of finite values to a format, the nearest value of it, of two equally near the even one;
    /// views it if the format is single precision.
    ///
    /// - Parameters:
    ///   - x: The values.
    ///   - format: With int8, a row's scale is its greatest magnitude over 127.
    /// - Returns: The rounded values.
    func rounded(_ x: Tensor, to format: WeightMatrix.Format) -> WeightMatrix

    /// The memory that products by weights of a format take beside their operands, in bytes.
    ///
    /// - Parameters:
    ///   - rows: The rows of the other factor.
    ///   - depth: What is summed over.
    ///   - format: Of the weights.
    /// - Returns: The bytes; 0 where it is not worth counting.
    func productBytes(rows: Int, depth: Int, format: WeightMatrix.Format) -> Int

    /// The memory that products by a frozen weight come to keep beside it, in bytes: the weight in other orders.
    ///
    /// - Parameter weight: A weight by which a model is run forwards and backwards.
    /// - Returns: The bytes at most.
    func keptBytes(beside weight: WeightMatrix) -> Int

    /// Copies the elements of a tensor to one of the same shape; either may be in the host's memory.
    ///
    /// As if row after row: rows of `y` may be memory of earlier rows of `x`.
    func copy(_ x: Tensor, to y: Tensor)

    /// Sets every element.
    func fill(_ x: Tensor, with value: Float)

    /// Waits until all that was asked for is done.
    func finish()

    /// Computes `y = x · weightᵀ + left · rightᵀ + bias + addend`.
    ///
    /// - Parameters:
    ///   - x: `[tokens, in]`.
    ///   - weight: `[out, in]`, in any format.
    ///   - term: Its left factor is `[tokens, rank]`, its right one `[out, rank]`; `nil` for nothing.
    ///   - bias: `[out]`.
    ///   - addend: `[tokens, out]`; `nil` for nothing. May be `y` itself.
    ///   - y: `[tokens, out]`.
    func linear(
        _ x: Tensor, weight: WeightMatrix, plus term: LowRankProduct?, bias: Tensor?,
        adding addend: Tensor?, into y: Tensor)

    /// Computes `gradX = gradY · weight + left · right + addend`; the addend may be `gradX` itself.
    ///
    /// The term's left factor is `[tokens, rank]`, its right one `[rank, in]`.
    func linearInputGradient(
        _ gradY: Tensor, weight: WeightMatrix, plus term: LowRankProduct?, adding addend: Tensor?,
        into gradX: Tensor)

    /// Whether a product by a weight takes one of low rank along, which then costs little; else both are computed one
    /// after the other.
    func fusesLowRankProducts(by weight: WeightMatrix) -> Bool

    /// Adds `gradYᵀ · x` to `gradWeight`, `[out, in]`.
    func linearWeightGradient(_ gradY: Tensor, x: Tensor, into gradWeight: Tensor)

    /// Adds the sum of the rows of `gradY` to `gradBias`.
    func biasGradient(_ gradY: Tensor, into gradBias: Tensor)

    /// Copies row `indices.values[i]` of `table`, `[entries, width]`, to row `i` of `y`.
    func gatherRows(_ indices: RowIndices, of table: WeightMatrix, into y: Tensor)

    /// Adds row `i` of `gradY` to row `indices.values[i]` of `gradTable`, in rising order of `i`.
    func scatterAddRows(_ gradY: Tensor, to indices: RowIndices, of gradTable: Tensor)

    /// Adds `scale · x` to `y`; both have the same shape.
    func add(_ x: Tensor, scale: Float, to y: Tensor)

    /// Multiplies every element.
    func scale(_ x: Tensor, by factor: Float)

    /// Computes `y` from `x` with some elements dropped; `y` may be the same tensor.
    func drop(_ dropout: Dropout, _ x: Tensor, into y: Tensor)

    /// See ``RMSNorm``.
    func normalize(_ x: RMSNorm.Inputs, into y: Tensor)
    /// See ``RMSNorm``; `addend`, `[rows, width]`, is added to the gradient by `x`.
    func normalizeBackward(
        _ x: RMSNorm.Inputs, gradY: Tensor, adding addend: Tensor?,
        into gradients: RMSNorm.Gradients)

    /// See ``CausalConvolution``.
    func convolve(_ x: CausalConvolution.Inputs, into u: Tensor)
    /// See ``CausalConvolution``.
    func convolveBackward(
        _ x: CausalConvolution.Inputs, gradU: Tensor, into gradients: CausalConvolution.Gradients)

    /// Computes the state matrix from its logarithm, `A = -exp(ALog)ᵀ`.
    ///
    /// - Parameters:
    ///   - ALog: `[inner, state]`.
    ///   - A: `[state, inner]`, as the scan reads it.
    func stateMatrix(_ ALog: Tensor, into A: Tensor)
    /// Adds `(gradA · A)ᵀ` to `gradALog`: the gradient of ``stateMatrix(_:into:)``.
    func stateMatrixBackward(_ gradA: Tensor, A: Tensor, into gradALog: Tensor)

    /// See ``SelectiveScan``; `result` may be the memory of `u`, `step` or `z`.
    func scan(_ x: SelectiveScan.Inputs, into result: Tensor)
    /// See ``SelectiveScan``.
    ///
    /// - Parameters:
    ///   - x: The operands of the forward scan, which need not have been run.
    ///   - gradResult: The gradient by its result, `[tokens, inner]`.
    ///   - gradients: Where the gradients go.
    func scanBackward(
        _ x: SelectiveScan.Inputs, gradResult: Tensor, into gradients: SelectiveScan.Gradients)

    /// How alike the state inputs of tokens are: see ``spanningTrees(_:)``.
    ///
    /// - Parameters:
    ///   - x: The operands; of them `u`, `step` and `B` are read.
    ///   - edges: Pairs of rows of the batch.
    /// - Returns: One cosine a pair.
    func stateInputCosines(
        _ x: SelectiveScan.Inputs, edges: [(Int32, Int32)]
    ) -> [Float]

    /// The minimum spanning trees of a layout's graphs, each rooted where the layout says.
    ///
    /// An edge weighs `exp(-cos(X[a], X[b]))` with the state inputs `X[t] = delta[t] * u[t] * B[t]` and
    /// `delta = log(1 + exp(step))`. The outer product factorises, so
    /// `cos(X[a], X[b]) = cos(v[a], v[b]) * cos(B[a], B[b])` with `v = delta * u`, and `X` is never formed. A
    /// zero vector has cosine 0 with any other.
    ///
    /// - Parameter x: The operands; of them `u`, `step`, `B` and the layout are read. Graphs must be connected.
    /// - Returns: A tree a sequence, `nil` where it has no graph; none at all where none has.
    func spanningTrees(_ x: SelectiveScan.Inputs) -> [ScanTree?]

    /// See ``CrossEntropy``.
    func crossEntropy(_ logits: Tensor, _ x: CrossEntropy.Inputs) -> Deferred<CrossEntropy.Result>

    /// See ``AdamW``.
    func adamW(_ step: AdamW, parameter: Tensor, gradient: Tensor, moments: AdamW.Moments)

    /// The sum of the squares of all elements of contiguous tensors.
    ///
    /// Those of each tensor are added up first, then the tensors' sums in order, in double precision.
    func sumOfSquares(_ tensors: [Tensor]) -> Deferred<Double>
}

extension Engine {
    /// None worth counting.
    public func productBytes(rows: Int, depth: Int, format: WeightMatrix.Format) -> Int { 0 }

    /// None.
    public func keptBytes(beside weight: WeightMatrix) -> Int { 0 }

    /// Allocates a tensor whose values are undefined until written.
    public func tensor(_ shape: [Int]) -> Tensor {
        Tensor(
            viewing: allocate(bytes: shape.reduce(1, *) * MemoryLayout<Float>.stride), shape: shape)
    }

    /// Allocates a tensor of equal values.
    public func tensor(_ shape: [Int], repeating value: Float) -> Tensor {
        let tensor = tensor(shape)
        fill(tensor, with: value)
        return tensor
    }

    /// A contiguous copy in memory of its own.
    public func copy(_ x: Tensor) -> Tensor {
        let result = tensor(x.shape)
        copy(x, to: result)
        return result
    }

    /// The same tensor where operations find it: itself, unless it is in memory that they cannot reach.
    public func reachable(_ x: Tensor) -> Tensor { reachable(WeightMatrix(x)).tensor ?? x }

    /// The values of a matrix in single precision, in memory of their own.
    public func expanded(_ x: WeightMatrix) -> Tensor {
        let result = tensor([x.rows, x.columns])
        gatherRows(RowIndices((0..<Int32(x.rows)).map { $0 }), of: x, into: result)
        return result.reshaped(x.shape)
    }

    /// Nothing is fused.
    public func fusesLowRankProducts(by weight: WeightMatrix) -> Bool { false }

    /// Computes `y = x · weightᵀ + bias + addend`.
    public func linear(
        _ x: Tensor, weight: WeightMatrix, bias: Tensor?, adding addend: Tensor?, into y: Tensor
    ) {
        linear(x, weight: weight, plus: nil, bias: bias, adding: addend, into: y)
    }

    /// Computes `y = x · weightᵀ + bias + addend` with a weight in single precision.
    public func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor?, adding addend: Tensor?, into y: Tensor
    ) {
        linear(x, weight: WeightMatrix(weight), bias: bias, adding: addend, into: y)
    }

    /// Computes `gradX = gradY · weight + addend`.
    public func linearInputGradient(
        _ gradY: Tensor, weight: WeightMatrix, adding addend: Tensor?, into gradX: Tensor
    ) {
        linearInputGradient(gradY, weight: weight, plus: nil, adding: addend, into: gradX)
    }

    /// Computes `gradX = gradY · weight + addend` with a weight in single precision.
    public func linearInputGradient(
        _ gradY: Tensor, weight: Tensor, adding addend: Tensor?, into gradX: Tensor
    ) {
        linearInputGradient(gradY, weight: WeightMatrix(weight), adding: addend, into: gradX)
    }

    /// Copies rows of a table in single precision.
    public func gatherRows(_ indices: RowIndices, of table: Tensor, into y: Tensor) {
        gatherRows(indices, of: WeightMatrix(table), into: y)
    }

    /// The sum of the squares of all elements.
    ///
    /// - Parameter x: A matrix in any format; rows are expanded a few at a time.
    /// - Returns: The sum; not finite if an element is not.
    public func sumOfSquares(_ x: WeightMatrix) -> Double {
        if let tensor = x.tensor { return sumOfSquares([tensor]).value }
        let height = min(x.rows, max(1, (1 << 18) / max(x.columns, 1)))
        let part = tensor([height, x.columns])
        return stride(from: 0, to: x.rows, by: height).reduce(0) { sum, first in
            let indices = (first..<min(first + height, x.rows)).map(Int32.init)
            let rows = part.rows(0..<indices.count)
            gatherRows(RowIndices(indices), of: x, into: rows)
            return sum + sumOfSquares([rows]).value
        }
    }
}

/// A result that an engine may still be computing; whoever reads it waits.
public final class Deferred<Value> {
    private var known: Value?
    private let wait: () -> Value

    /// A result that is there.
    public init(_ value: Value) {
        known = value
        wait = { value }
    }

    /// A result that is waited for at the first reading.
    public init(wait: @escaping () -> Value) { self.wait = wait }

    /// The result.
    public var value: Value {
        if let known { return known }
        let value = wait()
        known = value
        return value
    }
}
