import Kernels
import Tensors
import TestSupport
import Testing

@Suite("Weights in other formats")
struct WeightMatrixTests {
    @Test("bfloat16 is the nearest pattern, of two equally near the even one")
    func roundsToBFloat16() {
        let halves: [(Float, Float)] = [
            (1, 1), (0, 0), (-0.0, -0.0), (1 + 0x1p-8, 1), (1 + 0x1p-8 + 0x1p-20, 1 + 0x1p-7),
            (1 + 0x3p-8, 1 + 0x1p-6), (-1 - 0x3p-8, -1 - 0x1p-6), (0x1p-133, 0x1p-133),
            (0x1p-134, 0), (0x1.fep127, 0x1.fep127), (.greatestFiniteMagnitude, .infinity),
        ]
        let matrix = WeightMatrix(
            rounding: Tensor(halves.map(\.0), shape: [1, halves.count]), to: .bfloat16)
        #expect(
            matrix.expanded().values.map(\.bitPattern) == halves.map(\.1).map(\.bitPattern))
        var generator = SeededGenerator(seed: 3)
        let values = Tensor.random([7, 37], in: -100...100, using: &generator)
        let rounded = WeightMatrix(rounding: values, to: .bfloat16).expanded().values
        for (value, result) in zip(values.values, rounded) {
            #expect(result.bitPattern & 0xFFFF == 0)
            // Eight bits of significand: half a unit in the last place at most.
            #expect(abs(result - value) <= value.ulp * 0x1p15)
        }
    }

    @Test("int8 is within half a scale, and the greatest value of a row is 127 scales")
    func roundsToInt8() {
        var generator = SeededGenerator(seed: 4)
        let values = Tensor.random([6, 53], in: -2...2, using: &generator)
        values.rows(4..<5).fill(0)
        values.rows(5..<6).fill(0x1p-149)
        values[2, 52] = -9
        let rounded = WeightMatrix(rounding: values, to: .int8)
        for row in 0..<6 {
            let greatest = (0..<53).map { abs(values[row, $0]) }.max() ?? 0
            for column in 0..<53 {
                let (value, result) = (values[row, column], rounded[row, column])
                // A row so small that its scale is zero becomes zero.
                #expect(abs(result - value) <= greatest / 127 * 0.501 + 0x1p-149)
                if abs(value) == greatest, row < 5 {
                    #expect(abs(result - value) <= value.ulp)
                }
            }
        }
        // Twice 0.5 is halfway between two wholes: the even one is taken.
        let halfway = WeightMatrix(
            rounding: Tensor([127, 0.5, 1.5, -0.5, -2.5], shape: [1, 5]), to: .int8)
        #expect(halfway.expanded().values == [127, 0, 2, 0, -2])
    }

    @Test("formats take the memory they should, and float32 is viewed", arguments: [1, 17])
    func memory(_ columns: Int) {
        let tensor = Tensor(shape: [3, columns], repeating: 0.5)
        let bytes = WeightMatrix.Format.allCases.map {
            WeightMatrix(rounding: tensor, to: $0).byteCount
        }
        #expect(bytes == [12 * columns, 6 * columns, 3 * columns + 12])
        let viewed = WeightMatrix(rounding: tensor, to: .float32)
        tensor.fill(2)
        #expect(viewed.tensor?.values == tensor.values && viewed[1, 0] == 2)
        #expect(WeightMatrix(rounding: tensor, to: .bfloat16).tensor == nil)
    }

    @Test("patterns in memory of others are used where they lie")
    func viewedPatterns() throws {
        let memory = Owner([0x3F80, 0x4000, 0xC040, 0x0000, 0x3F00, 0x4248])
        let matrix = WeightMatrix(
            viewingBFloat16: UnsafeRawBufferPointer(memory.patterns), shape: [2, 3], owner: memory)
        #expect(matrix.expanded().values == [1, 2, -3, 0, 0.5, 50])
        memory.patterns[1] = 0x3F80
        #expect(matrix[0, 1] == 1)
    }

    @Test(
        "rows are gathered and squares summed as of the expanded matrix",
        arguments: InstructionSet.available, WeightMatrix.Format.allCases)
    func rows(_ set: InstructionSet, _ format: WeightMatrix.Format) {
        let engine = makeEngine(threads: 2, instructionSet: set)
        var generator = SeededGenerator(seed: 5)
        for columns in [1, 16, 37, 70_000] {
            let tensor = Tensor.random([9, columns], in: -1...1, using: &generator)
            let matrix = WeightMatrix(rounding: tensor, to: format)
            let expanded = matrix.expanded()
            let gathered = Tensor(shape: [3, columns + 1], repeating: 7)
            engine.gatherRows([8, 0, 8], of: matrix, into: gathered.columns(0..<columns))
            for (row, index) in [8, 0, 8].enumerated() {
                let values = gathered.rows(row..<row + 1).values
                #expect(values.dropLast() == expanded.rows(index..<index + 1).values[...])
                #expect(values.last == 7)
            }
            let sum = expanded.values.reduce(0.0) { $0 + Double($1) * Double($1) }
            // Short stretches are summed in single precision.
            #expect(abs(engine.sumOfSquares(matrix) - sum) <= 1e-6 * sum)
        }
    }

    private final class Owner {
        let patterns: UnsafeMutableBufferPointer<UInt16>

        init(_ values: [UInt16]) {
            patterns = .allocate(capacity: values.count)
            _ = patterns.initialize(from: values)
        }

        deinit { patterns.deallocate() }
    }
}
