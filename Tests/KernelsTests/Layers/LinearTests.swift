import Glibc
import Kernels
import Tensors
import TestSupport
import Testing

@Suite("Linear layer")
struct LinearTests {
    struct Size: CustomTestStringConvertible {
        var tokens: Int
        var inFeatures: Int
        var outFeatures: Int
        var testDescription: String { "[\(tokens), \(inFeatures)] to \(outFeatures)" }

        static let all = [
            Size(tokens: 1, inFeatures: 1, outFeatures: 1),
            Size(tokens: 13, inFeatures: 48, outFeatures: 33),
            Size(tokens: 400, inFeatures: 31, outFeatures: 270),
            Size(tokens: 7, inFeatures: 4100, outFeatures: 8),
            Size(tokens: 3, inFeatures: 267, outFeatures: 51),
            Size(tokens: 200, inFeatures: 1100, outFeatures: 140),
            // More rows than a tile takes, and more columns than one of few rows.
            Size(tokens: 2500, inFeatures: 9, outFeatures: 40),
            Size(tokens: 2, inFeatures: 40, outFeatures: 9000),
        ]
    }

    /// Sums of up to 4100 products of values in [-1, 1], each rounded.
    static let tolerance = Tolerance(absolute: 2e-4, relative: 1e-5)

    @Test("output matches the double-precision product", arguments: EngineCase.all, Size.all)
    func forward(_ way: EngineCase, _ size: Size) {
        let x = operands(size)
        let y = Tensor(shape: [size.tokens, size.outFeatures], repeating: .nan)
        way.engine.linear(x.x, weight: x.weight, bias: x.bias, adding: nil, into: y)
        let expected = reference(x)
        expectClose(y.values, expected, within: Self.tolerance)
        way.engine.linear(x.x, weight: x.weight, bias: x.bias, adding: y, into: y)
        expectClose(y.values, expected.map { 2 * $0 }, within: Self.tolerance)
        let sum = Tensor(shape: y.shape, repeating: .nan)
        let addend = Tensor(shape: y.shape, repeating: 3)
        way.engine.linear(x.x, weight: x.weight, bias: x.bias, adding: addend, into: sum)
        expectClose(sum.values, expected.map { $0 + 3 }, within: Self.tolerance)
    }

    @Test("gradients match central differences", arguments: EngineCase.all)
    func backward(_ way: EngineCase) {
        let x = operands(Size(tokens: 5, inFeatures: 7, outFeatures: 6))
        var generator = SeededGenerator(seed: 9)
        let gradY = Tensor.random([5, 6], in: -1...1, using: &generator)
        let engine = way.engine

        let gradX = Tensor(shape: x.x.shape, repeating: .nan)
        engine.linearInputGradient(gradY, weight: x.weight, adding: nil, into: gradX)
        let byX = centralDifference(at: x.x) {
            weightedSum(reference(Operands(x: $0, weight: x.weight, bias: x.bias)), gradY)
        }
        expectClose(gradX.values, byX, within: .singlePrecision)
        engine.linearInputGradient(gradY, weight: x.weight, adding: gradX, into: gradX)
        expectClose(gradX.values, byX.map { 2 * $0 }, within: .singlePrecision)

        let gradWeight = Tensor(shape: x.weight.shape, repeating: 1)
        engine.linearWeightGradient(gradY, x: x.x, into: gradWeight)
        let byWeight = centralDifference(at: x.weight) {
            weightedSum(reference(Operands(x: x.x, weight: $0, bias: x.bias)), gradY)
        }
        expectClose(gradWeight.values, byWeight.map { $0 + 1 }, within: .singlePrecision)

        let gradBias = Tensor(shape: x.bias.shape, repeating: 1)
        engine.biasGradient(gradY, into: gradBias)
        let byBias = centralDifference(at: x.bias) {
            weightedSum(reference(Operands(x: x.x, weight: x.weight, bias: $0)), gradY)
        }
        expectClose(gradBias.values, byBias.map { $0 + 1 }, within: .singlePrecision)
    }

    @Test("long and narrow weight gradients match", arguments: EngineCase.all, [17, 3])
    func longWeightGradient(_ way: EngineCase, _ columns: Int) {
        var generator = SeededGenerator(seed: 4)
        let gradY = Tensor.random([4200, 30], in: -1...1, using: &generator)
        let x = Tensor.random([4200, columns], in: -1...1, using: &generator)
        let gradient = Tensor(shape: [30, columns + 1], repeating: 7)
        way.engine.linearWeightGradient(gradY, x: x, into: gradient.columns(0..<columns))
        let (left, right) = (DoubleMatrix(gradY), DoubleMatrix(x))
        var expected = DoubleMatrix(rows: 30, columns: columns + 1)
        for o in 0..<30 {
            for i in 0...columns { expected[o, i] = 7 }
            for i in 0..<columns {
                for t in 0..<4200 { expected[o, i] += left[t, o] * right[t, i] }
            }
        }
        expectClose(gradient.values, expected.values, within: Self.tolerance)
    }

    @Test("column views of wider tensors are read and written in place", arguments: EngineCase.all)
    func views(_ way: EngineCase) {
        let size = Size(tokens: 14, inFeatures: 20, outFeatures: 40)
        let x = operands(size)
        var generator = SeededGenerator(seed: 2)
        let wideX = Tensor.random([14, 64], in: -1...1, using: &generator)
        wideX.columns(5..<25).copy(from: x.x)
        let wideY = Tensor(shape: [14, 50], repeating: 7)
        way.engine.linear(
            wideX.columns(5..<25), weight: x.weight, bias: nil, adding: nil,
            into: wideY.columns(3..<43))
        let expected = reference(Operands(x: x.x, weight: x.weight, bias: Tensor(shape: [40])))
        expectClose(wideY.columns(3..<43).copy().values, expected, within: Self.tolerance)
        #expect(wideY.columns(0..<3).copy().values.allSatisfy { $0 == 7 })
        #expect(wideY.columns(43..<50).copy().values.allSatisfy { $0 == 7 })
    }

    @Test("own kernels give the same bits whatever the threads and the rows beside")
    func bitsDoNotDependOnCompany() {
        let x = operands(Size(tokens: 300, inFeatures: 770, outFeatures: 300))
        func run(_ threads: Int, _ set: InstructionSet, rows: Range<Int>) -> [Float] {
            let y = Tensor(shape: [rows.count, 300])
            makeEngine(threads: threads, matrixKernel: .native, instructionSet: set).linear(
                x.x.rows(rows), weight: x.weight, bias: x.bias, adding: nil, into: y)
            return y.values
        }
        for set in InstructionSet.available {
            let all = run(1, set, rows: 0..<300)
            for (threads, rows) in [
                (4, 0..<300), (2, 31..<38), (1, 7..<8), (3, 8..<11), (2, 0..<12), (3, 100..<150),
            ] {
                #expect(
                    run(threads, set, rows: rows)
                        == Array(all[rows.lowerBound * 300..<rows.upperBound * 300]),
                    "\(set), \(rows)")
            }
            if set > .avx2 { #expect(all == run(1, .avx2, rows: 0..<300)) }
        }
    }

    @Test("nothing beyond the weight is read", arguments: InstructionSet.available)
    func staysInside(_ set: InstructionSet) throws {
        // The weight ends where a page ends that nobody may read.
        let (page, shape) = (Int(sysconf(Int32(_SC_PAGESIZE))), [29, 13])
        let start = mmap(
            nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        let memory = try #require(start)
        defer { munmap(memory, 2 * page) }
        #expect(mprotect(memory + page, page, PROT_NONE) == 0)
        let bytes = shape[0] * shape[1] * 4
        let weight = Tensor(
            viewing: UnsafeMutableRawBufferPointer(start: memory + page - bytes, count: bytes),
            shape: shape, owner: Owner())
        weight.fill(2)
        for tokens in [1, 4, 9, 40] {
            let engine = makeEngine(threads: 1, matrixKernel: .native, instructionSet: set)
            let x = Tensor(shape: [tokens, 13], repeating: 1)
            let y = Tensor(shape: [tokens, 29], repeating: 1)
            engine.linear(x, weight: weight, bias: nil, adding: nil, into: y)
            #expect(y.values.allSatisfy { $0 == 26 })
            engine.linearInputGradient(y, weight: weight, adding: nil, into: x)
            #expect(x.values.allSatisfy { $0 == 26 * 29 * 2 })
        }
    }

    private final class Owner {}

    @Test("an empty sum is what it is added to", arguments: EngineCase.all)
    func emptySum(_ way: EngineCase) {
        let y = Tensor(shape: [20, 5], repeating: .nan)
        let (x, weight) = (Tensor(shape: [20, 0]), Tensor(shape: [5, 0]))
        way.engine.linear(x, weight: weight, bias: nil, adding: nil, into: y)
        #expect(y.values.allSatisfy { $0 == 0 })
        let bias = Tensor([1, 2, 3, 4, 5], shape: [5])
        way.engine.linear(x, weight: weight, bias: bias, adding: nil, into: y)
        #expect(y.values == (0..<20).flatMap { _ in bias.values })
        let none = Tensor(shape: [0, 5])
        way.engine.linear(x.rows(0..<0), weight: weight, bias: bias, adding: nil, into: none)
    }

    struct Operands {
        var x: Tensor
        var weight: Tensor
        var bias: Tensor
    }

    private func operands(_ size: Size) -> Operands {
        var generator = SeededGenerator(seed: UInt64(size.tokens))
        return Operands(
            x: .random([size.tokens, size.inFeatures], in: -1...1, using: &generator),
            weight: .random([size.outFeatures, size.inFeatures], in: -1...1, using: &generator),
            bias: .random([size.outFeatures], in: -1...1, using: &generator))
    }

    private func reference(_ operands: Operands) -> [Double] {
        let (x, weight) = (DoubleMatrix(operands.x), DoubleMatrix(operands.weight))
        let bias = operands.bias.values.map(Double.init)
        var y = DoubleMatrix(rows: x.rows, columns: weight.rows)
        for row in 0..<x.rows {
            for out in 0..<weight.rows {
                y[row, out] = bias[out]
                for k in 0..<x.columns { y[row, out] += x[row, k] * weight[out, k] }
            }
        }
        return y.values
    }
}
