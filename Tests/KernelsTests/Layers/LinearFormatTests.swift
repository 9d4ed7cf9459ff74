import Kernels
import Tensors
import TestSupport
import Testing

@Suite("Linear layer with weights in other formats")
struct LinearFormatTests {
    /// Rows of the input: few are multiplied by the weight where it lies, many by panels of it.
    static let tokens = [1, 3, 9, 40]

    @Test(
        "own kernels give the bits of the expanded weight, unless they round both factors",
        arguments: EngineCase.all.filter { $0.matrixKernel == .native },
        [WeightMatrix.Format.float32, .bfloat16])
    func bits(_ way: EngineCase, _ format: WeightMatrix.Format) {
        let engine = way.engine
        if format == .bfloat16 && engine.multipliesInBFloat16 { return }
        for (inFeatures, outFeatures) in [(48, 64), (301, 37), (16, 1)] {
            for tokens in Self.tokens {
                let x = operands(tokens, inFeatures, outFeatures, format)
                let expanded = x.weight.expanded()
                let (y, expected) = (Tensor(shape: x.gradY.shape), Tensor(shape: x.gradY.shape))
                engine.linear(x.x, weight: x.weight, bias: x.bias, adding: x.gradY, into: y)
                engine.linear(x.x, weight: expanded, bias: x.bias, adding: x.gradY, into: expected)
                #expect(y.values == expected.values)
                let (gradX, expectedX) = (Tensor(shape: x.x.shape), Tensor(shape: x.x.shape))
                engine.linearInputGradient(x.gradY, weight: x.weight, adding: nil, into: gradX)
                engine.linearInputGradient(x.gradY, weight: expanded, adding: nil, into: expectedX)
                #expect(gradX.values == expectedX.values)
            }
        }
    }

    @Test(
        "OpenBLAS multiplies by the expanded weight",
        arguments: [WeightMatrix.Format.bfloat16, .int8])
    func openBLAS(_ format: WeightMatrix.Format) {
        let engine = makeEngine(threads: 2, matrixKernel: .openblas)
        let x = operands(20, 1100, 1030, format)
        let expanded = x.weight.expanded()
        let (y, expected) = (Tensor(shape: x.gradY.shape), Tensor(shape: x.gradY.shape))
        engine.linear(x.x, weight: x.weight, bias: x.bias, adding: nil, into: y)
        engine.linear(x.x, weight: expanded, bias: x.bias, adding: nil, into: expected)
        expectClose(y.values, expected.values.map(Double.init), within: LinearTests.tolerance)
        let (gradX, expectedX) = (Tensor(shape: x.x.shape), Tensor(shape: x.x.shape))
        engine.linearInputGradient(x.gradY, weight: x.weight, adding: nil, into: gradX)
        engine.linearInputGradient(x.gradY, weight: expanded, adding: nil, into: expectedX)
        expectClose(gradX.values, expectedX.values.map(Double.init), within: LinearTests.tolerance)
    }

    /// Tokens, in and out features: more rows than are rounded at a time, an odd depth, edges everywhere.
    static let roundedSizes = [
        (1, 48, 64), (5, 302, 37), (40, 302, 37), (9, 301, 16), (2100, 16, 34), (200, 1100, 140),
    ]

    @Test(
        "where both factors are rounded, products are those of the rounded ones",
        arguments: roundingSets.flatMap { set in [1, 3].map { (set, $0) } }, roundedSizes)
    func rounded(
        _ kind: (set: InstructionSet, threads: Int),
        _ size: (tokens: Int, inFeatures: Int, outFeatures: Int)
    ) {
        let engine = makeEngine(threads: kind.threads, instructionSet: kind.set)
        let plain = makeEngine(threads: 1, instructionSet: .avx512)
        let x = operands(size.tokens, size.inFeatures, size.outFeatures, .bfloat16)
        func rounds(_ tensor: Tensor, over depth: Int) -> Tensor {
            depth % 2 == 1 ? tensor : WeightMatrix(rounding: tensor, to: .bfloat16).expanded()
        }
        let (y, expected) = (Tensor(shape: x.gradY.shape), Tensor(shape: x.gradY.shape))
        engine.linear(x.x, weight: x.weight, bias: x.bias, adding: x.gradY, into: y)
        plain.linear(
            rounds(x.x, over: size.inFeatures), weight: x.weight, bias: x.bias, adding: x.gradY,
            into: expected)
        expectClose(y.values, expected.values.map(Double.init), within: .singlePrecision)
        let (gradX, expectedX) = (Tensor(shape: x.x.shape), Tensor(shape: x.x.shape))
        engine.linearInputGradient(x.gradY, weight: x.weight, adding: x.x, into: gradX)
        plain.linearInputGradient(
            rounds(x.gradY, over: size.outFeatures), weight: x.weight, adding: x.x, into: expectedX)
        expectClose(gradX.values, expectedX.values.map(Double.init), within: .singlePrecision)
    }

    @Test(
        "where both factors are rounded, a row's bits depend neither on threads nor on the rows beside",
        arguments: roundingSets)
    func roundedBitsDoNotDependOnCompany(_ set: InstructionSet) {
        let x = operands(300, 770, 300, .bfloat16)
        func run(_ threads: Int, rows: Range<Int>) -> [Float] {
            let y = Tensor(shape: [rows.count, 300])
            makeEngine(threads: threads, instructionSet: set).linear(
                x.x.rows(rows), weight: x.weight, bias: x.bias, adding: nil, into: y)
            return y.values
        }
        let all = run(1, rows: 0..<300)
        for (threads, rows) in [(4, 0..<300), (2, 31..<38), (1, 7..<8), (3, 8..<11), (2, 0..<12)] {
            let expected = all[rows.lowerBound * 300..<rows.upperBound * 300]
            #expect(run(threads, rows: rows) == Array(expected), "\(rows)")
        }
    }

    @Test(
        "where both factors are rounded, what is no number or infinite stays so",
        arguments: roundingSets)
    func roundedKeepsWhatIsNotFinite(_ set: InstructionSet) {
        let engine = makeEngine(threads: 1, instructionSet: set)
        let weight = WeightMatrix(rounding: Tensor(shape: [3, 2], repeating: 1), to: .bfloat16)
        let x = Tensor(
            [.nan, 1, -.nan, 1, .infinity, 1, Float(bitPattern: 0x7fff_ffff), 1], shape: [4, 2])
        let y = Tensor(shape: [4, 3])
        engine.linear(x, weight: weight, bias: nil, adding: nil, into: y)
        for row in [0, 1, 3] { #expect(y.rows(row..<row + 1).values.allSatisfy { $0.isNaN }) }
        #expect(y.rows(2..<3).values.allSatisfy { $0 == .infinity })
    }

    /// The instruction sets here that round both factors.
    static let roundingSets = InstructionSet.available.filter { $0 >= .avx512bf16 }

    /// Tokens, in and out features: one stretch and several, edges of rows, columns and depth.
    static let integerSizes = [
        (1, 48, 64), (12, 302, 37), (13, 302, 37), (1, 2, 1), (70, 1100, 140), (3, 256, 16),
        (7, 770, 33),
    ]

    @Test(
        "weights in int8 are multiplied by whole numbers, to the bit",
        arguments: EngineCase.all.filter { $0.matrixKernel == .native }, integerSizes)
    func wholeNumbers(
        _ way: EngineCase, _ size: (tokens: Int, inFeatures: Int, outFeatures: Int)
    ) {
        let (tokens, depth, columns) = (size.tokens, size.inFeatures, size.outFeatures)
        let x = operands(tokens, depth, columns, .int8)
        // A few elements are much larger than the others.
        for row in 0..<tokens { x.x[row, row * 7 % depth] *= 1000 }
        let y = Tensor(shape: [tokens, columns])
        way.engine.linear(x.x, weight: x.weight, bias: x.bias, adding: x.gradY, into: y)

        let bias = x.bias.values
        var buffers: [[UInt8]] = []
        x.weight.forEachBuffer { buffers.append([UInt8]($0)) }
        let whole = buffers[0].map { Int(Int8(bitPattern: $0)) }
        let scales = buffers[1].withUnsafeBytes { [Float]($0.bindMemory(to: Float.self)) }
        var expected: [Float] = []
        for m in 0..<tokens {
            let stretches = stride(from: 0, to: depth, by: 256).map { first in
                let values = (first..<min(first + 256, depth)).map { x.x[m, $0] }
                let scale = (values.map(abs).max() ?? 0) / 32767
                return (
                    first, scale, values.map { Int(($0 / scale).rounded(.toNearestOrEven)) }
                )
            }
            for n in 0..<columns {
                var sum = x.gradY[m, n] + bias[n]
                for (first, scale, left) in stretches {
                    let product = left.enumerated().reduce(0) {
                        $0 + $1.element * whole[n * depth + first + $1.offset]
                    }
                    sum += Float(product) * (scale * scales[n])
                }
                expected.append(sum)
            }
        }
        #expect(zip(y.values, expected).allSatisfy { $0 == $1 })

        // It costs little: the product of the exact input is near.
        let exact = Tensor(shape: y.shape)
        makeEngine().linear(
            x.x, weight: x.weight.expanded(), bias: x.bias, adding: x.gradY, into: exact)
        let size = 1000 * Double(depth)
        for (a, b) in zip(y.values, exact.values) {
            #expect(abs(Double(a) - Double(b)) < 2e-5 * size.squareRoot() * 30)
        }
    }

    @Test("with int8, what is no number or infinite makes its row no number")
    func wholeNumbersKeepWhatIsNotFinite() {
        let weight = WeightMatrix(rounding: Tensor(shape: [3, 300], repeating: 1), to: .int8)
        for value in [Float.nan, .infinity, -.infinity] {
            for tokens in [3, 20] {
                let x = Tensor(shape: [tokens, 300], repeating: 1)
                x[1, 299] = value
                let y = Tensor(shape: [tokens, 3])
                makeEngine().linear(x, weight: weight, bias: nil, adding: nil, into: y)
                #expect(y.rows(1..<2).values.allSatisfy { $0.isNaN })
                #expect(y.rows(0..<1).values.allSatisfy { abs($0 - 300) < 1e-3 })
            }
        }
    }

    @Test(
        "with int8, a row's bits depend neither on threads nor on the rows beside",
        arguments: InstructionSet.available)
    func wholeNumbersDoNotDependOnCompany(_ set: InstructionSet) {
        let x = operands(300, 770, 300, .int8)
        func run(_ threads: Int, rows: Range<Int>) -> [Float] {
            let y = Tensor(shape: [rows.count, 300])
            makeEngine(threads: threads, matrixKernel: .native, instructionSet: set).linear(
                x.x.rows(rows), weight: x.weight, bias: x.bias, adding: nil, into: y)
            return y.values
        }
        let all = run(1, rows: 0..<300)
        for (threads, rows) in [(4, 0..<300), (2, 31..<38), (1, 7..<8), (3, 8..<20), (2, 0..<13)] {
            let expected = all[rows.lowerBound * 300..<rows.upperBound * 300]
            #expect(run(threads, rows: rows) == Array(expected), "\(rows)")
        }
        if set > .avx2 {
            let y = Tensor(shape: [300, 300])
            makeEngine(matrixKernel: .native, instructionSet: .avx2).linear(
                x.x, weight: x.weight, bias: x.bias, adding: nil, into: y)
            #expect(y.values == all)
        }
    }

    struct Operands {
        var x: Tensor
        var weight: WeightMatrix
        var bias: Tensor
        var gradY: Tensor
    }

    private func operands(
        _ tokens: Int, _ inFeatures: Int, _ outFeatures: Int, _ format: WeightMatrix.Format
    ) -> Operands {
        var generator = SeededGenerator(seed: UInt64(tokens))
        let weight = Tensor.random([outFeatures, inFeatures], in: -1...1, using: &generator)
        return Operands(
            x: .random([tokens, inFeatures], in: -1...1, using: &generator),
            weight: WeightMatrix(rounding: weight, to: format),
            bias: .random([outFeatures], in: -1...1, using: &generator),
            gradY: .random([tokens, outFeatures], in: -1...1, using: &generator))
    }
}
