import MambaLM
import Tensors
import TestSupport
import Testing

@testable import LoRA

@Suite("Attaching adapters")
struct AttachingTests {
    private func attach(
        to model: MambaModel = TinyModel.make(), seed: UInt64 = 1,
        _ change: (inout LoRAConfiguration) -> Void = { _ in }
    ) throws -> LoRAAdapterSet {
        var generator = SeededGenerator(seed: seed)
        var configuration = LoRAConfiguration()
        change(&configuration)
        return try LoRAAdapterSet.attach(configuration, to: model, using: &generator)
    }

    @Test("the default targets give the tensors of the released adapter, in order")
    func defaultTargets() throws {
        let adapters = try attach { $0.rank = 2 }
        let layer = "base_model.model.backbone.layers."
        let embedding = "base_model.model.backbone.embeddings."
        let expected: [(String, [Int])] = [
            (embedding + "lora_embedding_A", [2, 11]), (embedding + "lora_embedding_B", [6, 2]),
            (layer + "0.mixer.in_proj.lora_A.weight", [2, 6]),
            (layer + "0.mixer.in_proj.lora_B.weight", [16, 2]),
            (layer + "0.mixer.x_proj.lora_A.weight", [2, 8]),
            (layer + "0.mixer.x_proj.lora_B.weight", [8, 2]),
            (layer + "0.mixer.out_proj.lora_A.weight", [2, 8]),
            (layer + "0.mixer.out_proj.lora_B.weight", [6, 2]),
        ]
        let stored = adapters.storedTensors
        #expect(stored.map(\.name).prefix(8) == expected.map(\.0)[...])
        #expect(stored.map(\.shape).prefix(8) == expected.map(\.1)[...])
        #expect(stored.count == 14)
        #expect(adapters.parameters.map(\.name) == stored.map(\.name))
        #expect(adapters.parameterCount == stored.reduce(0) { $0 + $1.count })
        // [vocabulary, rank], the one shape that differs from the file's.
        #expect(adapters.parameters[0].value.shape == [11, 2])
    }

    @Test(
        "targets are short names, ends of names, full names or all-linear",
        arguments: [
            (["in_proj"], ["0.in_proj", "1.in_proj"]),
            (["1.mixer.x_proj", "dt_proj"], ["0.dt_proj", "1.x_proj", "1.dt_proj"]),
            (["backbone.layers.0.mixer.out_proj"], ["0.out_proj"]),
            (
                ["all-linear"],
                ["0", "1"].flatMap { layer in
                    ["in_proj", "x_proj", "dt_proj", "out_proj"].map { "\(layer).\($0)" }
                }
            ),
            (["lm_head", "embeddings"], ["embeddings", "lm_head"]),
        ])
    func targets(names: [String], expected: [String]) throws {
        let adapters = try attach { $0.targetModules = names }
        let found = adapters.attachments.map {
            $0.name.split(separator: ".").filter { !["backbone", "layers", "mixer"].contains($0) }
                .joined(separator: ".")
        }
        #expect(found == expected)
    }

    @Test(
        "a target that is no whole component fits nothing",
        arguments: ["proj", "q_proj", "", "mixer"])
    func unknownTarget(name: String) {
        let error = LoRAError.unknownTarget(
            file: nil, name: name,
            available: ["embeddings", "in_proj", "x_proj", "dt_proj", "out_proj", "lm_head"])
        let model = TinyModel.make()
        #expect(throws: error) { try attach(to: model) { $0.targetModules = ["in_proj", name] } }
        #expect(model.blocks[0].mixer.inProj.adapter == nil)
    }

    @Test("no target at all is an error")
    func noTarget() {
        let available = ["embeddings", "in_proj", "x_proj", "dt_proj", "out_proj", "lm_head"]
        #expect(throws: LoRAError.noTargets(file: nil, available: available)) {
            try attach { $0.targetModules = [] }
        }
    }

    @Test("a pattern that fits no adapted layer is an error")
    func unknownPattern() {
        #expect(throws: LoRAError.unknownPattern(file: nil, name: "dt_proj")) {
            try attach { $0.rankPattern = [.init(module: "dt_proj", value: 2)] }
        }
    }

    @Test(
        "numbers out of range are refused",
        arguments: [
            { $0.rank = 0 }, { $0.rank = 65537 }, { $0.alpha = .infinity }, { $0.alpha = 1e39 },
            { $0.dropout = 1 }, { $0.dropout = 1 - 1e-12 }, { $0.dropout = -0.1 },
            { $0.dropout = .nan }, { $0.rankPattern = [.init(module: "in_proj", value: -1)] },
            { $0.alphaPattern = [.init(module: "in_proj", value: .nan)] },
        ] as [@Sendable (inout LoRAConfiguration) -> Void])
    func ranges(change: @Sendable (inout LoRAConfiguration) -> Void) {
        #expect {
            try attach { change(&$0) }
        } throws: { error in
            if case LoRAError.outOfRange = error { true } else { false }
        }
    }

    @Test("patterns change rank and alpha of the layers they fit, the first one counting")
    func patterns() throws {
        let adapters = try attach {
            $0.targetModules = ["in_proj", "x_proj"]
            ($0.rank, $0.alpha) = (4, 8)
            $0.rankPattern = [
                .init(module: "layers.0.mixer.in_proj", value: 2),
                .init(module: "in_proj", value: 3),
            ]
            $0.alphaPattern = [.init(module: "x_proj", value: 6)]
        }
        let linears = adapters.attachments.compactMap {
            if case .linear(let adapter, _) = $0.adapter { adapter } else { nil }
        }
        #expect(linears.map { $0.loraA.value.rows } == [2, 4, 3, 4])
        #expect(linears.map(\.scaling) == [4, 1.5, Float(8.0 / 3), 1.5])
    }

    @Test("the scaling is alpha / rank, or alpha / √rank")
    func scaling() {
        var configuration = LoRAConfiguration()
        (configuration.rank, configuration.alpha) = (4, 6)
        #expect(configuration.scaling(of: "lm_head") == 1.5)
        configuration.usesRSLoRA = true
        #expect(configuration.scaling(of: "lm_head") == 3)
    }

    @Test("fresh adapters change nothing: one factor is zero, the other as PEFT draws it")
    func initialization() throws {
        let adapters = try attach { $0.rank = 1000 }
        guard case .embedding(let embedding, _) = adapters.attachments[0].adapter,
            case .linear(let linear, _) = adapters.attachments[1].adapter
        else {
            Issue.record("no adapters of the embedding and a linear layer")
            return
        }
        #expect(embedding.loraA.value.values.allSatisfy { $0 == 0 })
        #expect(linear.loraB.value.values.allSatisfy { $0 == 0 })

        // Six thousand draws each: five standard errors of mean and variance.
        let normal = moments(embedding.loraB.value.values)
        #expect(abs(normal.mean) < 5 / 6000.0.squareRoot())
        #expect(abs(normal.variance - 1) < 5 * (2 / 6000.0).squareRoot())
        let tail = embedding.loraB.value.values.count { abs($0) > 1.96 }
        #expect((220...380).contains(tail))

        let bound = 1 / 6.0.squareRoot()
        let even = moments(linear.loraA.value.values)
        #expect(linear.loraA.value.values.allSatisfy { abs(Double($0)) <= bound })
        #expect(linear.loraA.value.values.contains { Double($0) > 0.99 * bound })
        #expect(abs(even.mean) < 5 * bound / (3 * 6000.0).squareRoot())
        #expect(abs(even.variance / (bound * bound / 3) - 1) < 5 * (0.8 / 6000).squareRoot())
    }

    private func moments(_ values: [Float]) -> (mean: Double, variance: Double) {
        let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
        let squares = values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        return (mean, squares / Double(values.count))
    }

    @Test("the same seed gives the same values, another seed others")
    func seeds() throws {
        func values(_ seed: UInt64) throws -> [[Float]] {
            try attach(seed: seed).parameters.map(\.value.values)
        }
        #expect(try values(1) == values(1))
        #expect(try values(1) != values(2))
    }

    @Test("adapters are frozen until made trainable; detaching leaves the model as it was")
    func detaching() throws {
        let model = TinyModel.make()
        let adapters = try attach(to: model)
        #expect(!model.embeddings.isTrainable && !model.blocks[1].isTrainable)
        adapters.makeTrainable()
        #expect(model.embeddings.isTrainable && model.blocks.allSatisfy(\.isTrainable))
        #expect(model.parameters.allSatisfy { !$0.isTrainable })
        adapters.detach()
        #expect(!model.embeddings.isTrainable && model.blocks.allSatisfy { !$0.isTrainable })
        #expect(model.embeddings.adapter == nil)
        _ = try attach(to: model)
        // A set that is no longer attached takes nothing away.
        adapters.detach()
        #expect(model.embeddings.adapter != nil)
    }

    @Test("adapters that were taken away can be given back")
    func attachingAgain() throws {
        let model = TinyModel.make()
        let adapters = try attach(to: model)
        func attached() -> [ObjectIdentifier?] {
            [model.embeddings.adapter.map { ObjectIdentifier($0) }]
                + model.blocks.flatMap(\.mixer.linears).map {
                    $0.adapter.map { ObjectIdentifier($0) }
                }
        }
        let before = attached()
        adapters.detach()
        #expect(attached().allSatisfy { $0 == nil })
        adapters.attach()
        #expect(attached() == before)
    }
}
