import Layers
import LoRA
import MambaLM
import Tensors
import TestSupport
import Testing

/// Sizes of one term.
struct LinearCase: CustomTestStringConvertible {
    let tokens, inFeatures, outFeatures, rank: Int
    var dropout: Float = 0

    static let all = [
        LinearCase(tokens: 1, inFeatures: 1, outFeatures: 1, rank: 1),
        LinearCase(tokens: 5, inFeatures: 7, outFeatures: 3, rank: 2),
        LinearCase(tokens: 20, inFeatures: 6, outFeatures: 9, rank: 8),
        LinearCase(tokens: 20, inFeatures: 6, outFeatures: 9, rank: 3, dropout: 0.4),
    ]

    var testDescription: String {
        "[\(tokens), \(inFeatures), \(outFeatures), \(rank)] dropping \(dropout)"
    }
}

/// What a gradient is taken by.
enum LinearOperand: CaseIterable { case x, loraA, loraB }

@Suite("Adapter of a linear layer")
struct LoRALinearTests {
    private let scaling: Float = 1.75
    private let seed: UInt64 = 11
    private let engine = makeEngine(threads: 2)
    private let buffers: AdapterBuffers

    init() { buffers = AdapterBuffers(of: engine) }

    private func pass(dropoutSeed: UInt64?) -> Pass {
        Pass(engine: engine, buffers: buffers, dropoutSeed: dropoutSeed)
    }

    /// A term and its operands; the input is a column block of something wider, as in the mixer.
    private struct Setup {
        let adapter: LoRALinear
        let x, y, gradY: Tensor

        init(_ sizes: LinearCase, scaling: Float) {
            var generator = SeededGenerator(seed: 3)
            func random(_ shape: [Int]) -> Tensor {
                .random(shape, in: -1...1, using: &generator)
            }
            adapter = LoRALinear(
                name: "layer",
                loraA: Parameter(name: "A", value: random([sizes.rank, sizes.inFeatures])),
                loraB: Parameter(name: "B", value: random([sizes.outFeatures, sizes.rank])),
                scaling: scaling, dropout: sizes.dropout)
            x = random([sizes.tokens, sizes.inFeatures + 3]).columns(2..<2 + sizes.inFeatures)
            y = random([sizes.tokens, sizes.outFeatures])
            gradY = random([sizes.tokens, sizes.outFeatures])
        }
    }

    /// What an element of the input is multiplied by before it enters the term.
    private func factors(_ setup: Setup) -> Tensor {
        let ones = Tensor(shape: setup.x.shape, repeating: 1)
        let probability = setup.adapter.dropout
        engine.drop(Dropout(probability: probability, seed: seed, name: "layer"), ones, into: ones)
        return ones
    }

    @Test("the output grows by the term", arguments: LinearCase.all)
    func forward(sizes: LinearCase) {
        let setup = Setup(sizes, scaling: scaling)
        let before = setup.y.values
        setup.adapter.add(setup.x, to: setup.y, in: pass(dropoutSeed: seed))
        let term = LoRAReference.linear(
            x: setup.x, factors: factors(setup), loraA: setup.adapter.loraA.value,
            loraB: setup.adapter.loraB.value, scaling: Double(scaling))
        expectClose(
            setup.y.values, zip(before, term).map { Double($0) + $1 }, within: .singlePrecision)
    }

    @Test("one value by hand: 2 + 0.5 * (3 * 4 + 5 * 6) * 7")
    func byHand() {
        let adapter = LoRALinear(
            name: "layer", loraA: Parameter(name: "A", value: Tensor([4, 6], shape: [1, 2])),
            loraB: Parameter(name: "B", value: Tensor([7], shape: [1, 1])), scaling: 0.5)
        let y = Tensor([2], shape: [1, 1])
        adapter.add(Tensor([3, 5], shape: [1, 2]), to: y, in: pass(dropoutSeed: nil))
        #expect(y.values == [149])
    }

    @Test(
        "gradients are added and are those of the reference", arguments: LinearCase.all,
        LinearOperand.allCases)
    func gradients(sizes: LinearCase, operand: LinearOperand) throws {
        let setup = Setup(sizes, scaling: scaling)
        let adapter = setup.adapter
        let factors = factors(setup)
        func loss(x: Tensor, loraA: Tensor, loraB: Tensor) -> Double {
            weightedSum(
                LoRAReference.linear(
                    x: x, factors: factors, loraA: loraA, loraB: loraB, scaling: Double(scaling)),
                setup.gradY)
        }
        let (loraA, loraB) = (adapter.loraA.value, adapter.loraB.value)
        let expected =
            switch operand {
            case .x:
                centralDifference(at: setup.x) { loss(x: $0, loraA: loraA, loraB: loraB) }
            case .loraA:
                centralDifference(at: loraA) { loss(x: setup.x, loraA: $0, loraB: loraB) }
            case .loraB:
                centralDifference(at: loraB) { loss(x: setup.x, loraA: loraA, loraB: $0) }
            }

        for parameter in adapter.parameters {
            parameter.makeTrainable(on: engine)
            parameter.gradient?.fill(1)
        }
        let gradX = Tensor(shape: setup.x.shape, repeating: 1)
        adapter.backward(
            setup.gradY, x: setup.x, adding: gradX, into: gradX, in: pass(dropoutSeed: seed))
        let gradient: Tensor? =
            switch operand {
            case .x: gradX
            case .loraA: adapter.loraA.gradient
            case .loraB: adapter.loraB.gradient
            }
        expectClose(
            try #require(gradient).values, expected.map { $0 + 1 }, within: .singlePrecision)
    }

    @Test("a gradient is the same whichever others are wanted", arguments: LinearCase.all)
    func partialGradients(sizes: LinearCase) {
        /// The gradients by `x`, `loraA` and `loraB`, of those that are wanted.
        func gradients(_ wanted: Set<LinearOperand>) -> [[Float]?] {
            let setup = Setup(sizes, scaling: scaling)
            if wanted.contains(.loraA) { setup.adapter.loraA.makeTrainable(on: engine) }
            if wanted.contains(.loraB) { setup.adapter.loraB.makeTrainable(on: engine) }
            let gradX = wanted.contains(.x) ? Tensor(shape: setup.x.shape) : nil
            setup.adapter.backward(
                setup.gradY, x: setup.x, adding: nil, into: gradX, in: pass(dropoutSeed: seed))
            return [
                gradX?.values, setup.adapter.loraA.gradient?.values,
                setup.adapter.loraB.gradient?.values,
            ]
        }
        let all = gradients([.x, .loraA, .loraB])
        for (index, operand) in LinearOperand.allCases.enumerated() {
            let alone = gradients([operand])
            #expect(alone[index] == all[index])
            #expect(alone.count { $0 == nil } == 2)
        }
        let setup = Setup(sizes, scaling: scaling)
        let gradX = Tensor(shape: setup.x.shape)
        let gradHidden = setup.adapter.gradHidden(setup.gradY, in: pass(dropoutSeed: seed))
        setup.adapter.inputGradient(
            gradHidden, adding: gradX, into: gradX, in: pass(dropoutSeed: seed))
        #expect(gradX.values == all[0])
        for parameter in setup.adapter.parameters { parameter.makeTrainable(on: engine) }
        setup.adapter.backward(
            setup.gradY, x: setup.x, adding: nil, into: setup.x, in: pass(dropoutSeed: seed))
        #expect(
            [setup.x.values] + setup.adapter.parameters.map { $0.gradient?.values ?? [] } == all)
    }

    @Test("a pass that is run again drops the same, another seed drops other elements")
    func recomputation() {
        func output(dropoutSeed: UInt64?) -> [Float] {
            let setup = Setup(LinearCase.all[3], scaling: scaling)
            setup.adapter.add(setup.x, to: setup.y, in: pass(dropoutSeed: dropoutSeed))
            return setup.y.values
        }
        #expect(output(dropoutSeed: 5) == output(dropoutSeed: 5))
        #expect(output(dropoutSeed: 5) != output(dropoutSeed: 6))
        let setup = Setup(
            LinearCase(tokens: 20, inFeatures: 6, outFeatures: 9, rank: 3), scaling: scaling)
        setup.adapter.add(setup.x, to: setup.y, in: pass(dropoutSeed: 5))
        #expect(output(dropoutSeed: nil) == setup.y.values)
    }

    @Test("no memory is taken after the first pass")
    func steadyState() {
        let setup = Setup(LinearCase.all[3], scaling: scaling)
        for parameter in setup.adapter.parameters { parameter.makeTrainable(on: engine) }
        func run() {
            let pass = pass(dropoutSeed: seed)
            setup.adapter.add(setup.x, to: setup.y, in: pass)
            setup.adapter.backward(
                setup.gradY, x: setup.x, adding: nil, into: Tensor(shape: setup.x.shape), in: pass)
        }
        run()
        let bytes = buffers.byteCount
        run()
        #expect(buffers.byteCount == bytes)
        #expect(bytes > 0)
    }
}

/// The parts as a layer whose weight is zero puts them together.
extension LoRALinear {
    fileprivate func add(_ x: Tensor, to y: Tensor, in pass: Pass) {
        let term = self.term(x, in: pass)
        pass.engine.linear(term.left, weight: term.right, bias: nil, adding: y, into: y)
    }

    fileprivate func backward(
        _ gradY: Tensor, x: Tensor, adding addend: Tensor?, into gradX: Tensor?, in pass: Pass
    ) {
        let gradHidden = gradX.map { _ in self.gradHidden(gradY, in: pass) }
        addGradients(gradY, x: x, gradHidden: gradHidden, in: pass)
        guard let gradX, let gradHidden else { return }
        inputGradient(gradHidden, adding: addend, into: gradX, in: pass)
    }
}
