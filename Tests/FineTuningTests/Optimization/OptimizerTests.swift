import Layers
import MambaLM
import Tensors
import TestSupport
import Testing

@testable import FineTuning

@Suite("Optimizer")
struct OptimizerTests {
    /// AdamW with clipping in double precision, one line of code a line of the equations.
    private struct Reference {
        var values: [[Double]]
        var first: [[Double]]
        var second: [[Double]]
        var step = 0.0

        init(_ values: [[Double]]) {
            self.values = values
            first = values.map { $0.map { _ in 0 } }
            second = first
        }

        mutating func update(_ gradients: [[Double]], rate: Double, decays: [Double], limit: Double)
        {
            step += 1
            var sum = 0.0
            for g in gradients.joined() { sum += g * g }
            let scale = limit > 0 ? min(1, limit / (sum.squareRoot() + 1e-6)) : 1
            for p in values.indices {
                for i in values[p].indices {
                    let g = gradients[p][i] * scale
                    values[p][i] *= 1 - rate * decays[p]
                    first[p][i] = 0.9 * first[p][i] + 0.1 * g
                    second[p][i] = 0.99 * second[p][i] + 0.01 * g * g
                    var (power1, power2) = (1.0, 1.0)
                    for _ in 0..<Int(step) { (power1, power2) = (power1 * 0.9, power2 * 0.99) }
                    let m = first[p][i] / (1 - power1)
                    let v = second[p][i] / (1 - power2)
                    values[p][i] -= rate * m / (v.squareRoot() + 1e-6)
                }
            }
        }
    }

    @Test("five steps equal AdamW in double precision", arguments: [0, 0.5, 100])
    func equalsReference(limit: Double) throws {
        var configuration = TrainingConfiguration()
        configuration.adamBeta2 = 0.99
        configuration.adamEpsilon = 1e-6
        configuration.weightDecay = 0.1
        configuration.maxGradientNorm = limit
        var generator = SeededGenerator(seed: 3)
        let parameters = [Parameter.Role.weight, .scale].map {
            Parameter(
                name: "\($0)", role: $0, value: .random([3, 5], in: -1...1, using: &generator))
        }
        let optimizer = Optimizer(
            parameters, configuration: configuration, engine: makeEngine(threads: 1))
        var reference = Reference(parameters.map { $0.value.values.map(Double.init) })
        for step in 0..<5 {
            optimizer.clearGradients()
            for parameter in parameters {
                let gradient = try #require(parameter.gradient)
                gradient.copy(from: .random([3, 5], in: -2...2, using: &generator))
            }
            let gradients = parameters.map { ($0.gradient?.values ?? []).map(Double.init) }
            let rate = 0.01 * Double(step)
            let norm = optimizer.gradientNorm().value
            let expected = gradients.joined().reduce(0) { $0 + $1 * $1 }.squareRoot()
            // The kernel squares in single precision before it adds in double.
            #expect(abs(norm - expected) < 1e-7 * expected)
            optimizer.update(learningRate: rate, norm: norm)
            // The norm layer's weight is spared by weight decay.
            reference.update(gradients, rate: rate, decays: [0.1, 0], limit: limit)
        }
        for (parameter, values) in zip(parameters, reference.values) {
            expectClose(parameter.value.values, values, within: .singlePrecision)
        }
    }

    @Test("moments come back bit for bit; foreign and misshapen ones are refused")
    func momentsComeBack() throws {
        func parameters(_ names: [String], _ shape: [Int]) -> [Parameter] {
            names.map { Parameter(name: $0, value: Tensor(shape: shape, repeating: 1)) }
        }
        func optimizer(_ parameters: [Parameter]) -> Optimizer {
            Optimizer(
                parameters, configuration: TrainingConfiguration(), engine: makeEngine(threads: 1))
        }
        let folder = TemporaryFolder()
        let file = folder.path + "/optimizer.safetensors"
        let trained = optimizer(parameters(["a", "b"], [2, 3]))
        trained.parameters.forEach { $0.gradient?.fill(0.3) }
        trained.update(learningRate: 0.1, norm: trained.gradientNorm().value)
        try trained.write(to: file)

        let other = optimizer(parameters(["a", "b"], [2, 3]))
        try other.read(from: file, steps: 1)
        #expect(other.steps == 1)
        try other.write(to: folder.path + "/again.safetensors")
        #expect(rawContents(file) == (rawContents(folder.path + "/again.safetensors")))

        #expect(throws: CheckpointError.unknownTensor(file: file, name: "b.exp_avg")) {
            try optimizer(parameters(["a"], [2, 3])).read(from: file, steps: 1)
        }
        #expect(
            throws: CheckpointError.shape(
                file: file, name: "a.exp_avg", found: [2, 3], expected: [3, 2])
        ) {
            try optimizer(parameters(["a", "b"], [3, 2])).read(from: file, steps: 1)
        }
    }
}
