import Glibc
import Kernels
import MambaLM
import Storage
import Tensors
import TestSupport
import Testing

@Suite("Model checkpoints")
struct CheckpointTests {
    private let folder = TemporaryFolder()
    private let engine = makeEngine(threads: 1)

    private var configuration: MambaConfiguration {
        var x = MambaConfiguration()
        (x.vocabulary, x.model, x.layers, x.inner) = (19, 6, 2, 10)
        (x.state, x.convolutionWidth, x.stepRank) = (3, 2, 2)
        return x
    }

    /// Writes a fresh model, its tensors changed by `edit`.
    @discardableResult
    private func write(
        _ x: MambaConfiguration, type: ElementType = .float32,
        _ edit: (inout [String: Tensor]) -> Void = { _ in }
    ) throws -> MambaModel {
        var generator = SeededGenerator(seed: 3)
        let model = MambaModel.random(x, engine: engine, using: &generator)
        var tensors = Dictionary(
            uniqueKeysWithValues: model.parameters.map { ($0.name, $0.value) })
        edit(&tensors)
        let specs = tensors.sorted { $0.key < $1.key }.map {
            SafetensorsWriter.Spec(name: $0.key, type: type, shape: $0.value.shape)
        }
        try SafetensorsWriter.write(specs, to: folder.file("model.safetensors")) { spec, sink in
            try sink.write(floats: tensors[spec.name]?.values ?? [])
        }
        folder.write(JSONWriter().string(.object(x.json)), to: "config.json")
        return model
    }

    private func load(
        _ format: WeightMatrix.Format = .float32, on set: InstructionSet = .best
    ) throws -> (model: MambaModel, unused: [String]) {
        try MambaModel.load(
            folder: folder.path, engine: makeEngine(threads: 1, instructionSet: set), format: format
        )
    }

    @Test("a saved model loads with the same bits")
    func roundTrip() throws {
        var x = configuration
        (x.hasBias, x.tiesEmbeddings) = (true, false)
        var generator = SeededGenerator(seed: 3)
        let model = MambaModel.random(x, engine: engine, using: &generator)
        try model.save(folder: folder.path)
        let (loaded, unused) = try load()
        #expect(unused.isEmpty)
        var configuration = loaded.configuration
        configuration.origin = nil
        #expect(configuration == x)
        #expect(loaded.parameters.map(\.name) == model.parameters.map(\.name))
        for (one, other) in zip(loaded.parameters, model.parameters) {
            #expect(one.value.values == other.value.values)
        }
    }

    @Test("bfloat16 weights are widened")
    func widening() throws {
        let model = try write(configuration, type: .bfloat16)
        for (one, other) in zip(try load().model.parameters, model.parameters) {
            expectClose(
                one.value.values, other.value.values.map(Double.init),
                within: Tolerance(absolute: 0, relative: 1.0 / 256))
        }
    }

    @Test("making a mapped parameter trainable leaves the file as it is")
    func trainableIsACopy() throws {
        try write(configuration)
        let before = rawContents(folder.file("model.safetensors"))
        let parameter = try load().model.embeddings.weight
        parameter.makeTrainable(on: engine)
        parameter.value.fill(9)
        #expect(rawContents(folder.file("model.safetensors")) == before)
        #expect(try load().model.embeddings.weight.value.values[0] != 9)
    }

    @Test("a head beside a tied embedding may repeat it, and must not differ")
    func tiedHead() throws {
        try write(configuration) { $0["lm_head.weight"] = $0["backbone.embeddings.weight"] }
        #expect(try load().model.isTied)
        try write(configuration) { tensors in
            tensors["lm_head.weight"] = Tensor(shape: [19, 6], repeating: 0.5)
        }
        #expect(
            throws: MambaModelError.differentHead(file: folder.file("model.safetensors"))
        ) { try load() }
    }

    @Test(
        "a model in another format does what one with rounded weights does",
        arguments: [WeightMatrix.Format.bfloat16, .int8], [true, false])
    func formats(_ format: WeightMatrix.Format, _ isTied: Bool) throws {
        var x = configuration
        (x.hasBias, x.tiesEmbeddings) = (true, isTied)
        try write(x)
        // Instructions that multiply bfloat16 as it is would round the other factor, too.
        let set = min(InstructionSet.best, .avx512)
        let (exact, reduced) = (try load(on: set).model, try load(format, on: set).model)
        let others = Set(exact.parameters.map(\.name)).subtracting(
            (exact.blocks.flatMap(\.mixer.linears).map(\.weight)
                + [exact.embeddings.weight, exact.lmHead.weight]).map(\.name))
        for (one, other) in zip(exact.parameters, reduced.parameters) {
            #expect(other.matrix.format == (others.contains(one.name) ? .float32 : format))
            one.replaceValue(other.matrix.expanded())
        }
        let batch = TokenBatch([.init(tokens: [3, 1, 4, 1, 5, 9, 2, 6])])
        let scored = (0..<8).map { ScoredToken(row: $0, target: Int32($0)) }
        let expected = exact.score(batch, scored).logProbabilities
        let found = reduced.score(batch, scored).logProbabilities
        // Beside int8 the other factor is rounded, too: to 16 bits.
        let allowed = format == .int8 ? 5e-5 : 0
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= allowed })
        // Equal values give equal results, but not under every instruction set.
        #expect(exact.fingerprint != reduced.fingerprint)
        #expect(try load(format).model.fingerprint == reduced.fingerprint)
    }

    @Test("a bfloat16 file loads as the float32 file that it was rounded from")
    func bfloat16File() throws {
        try write(configuration)
        let rounded = try load(.bfloat16).model
        // The norms and the other tensors that stay in single precision are rounded by the file.
        try write(configuration, type: .bfloat16)
        let viewed = try load(.bfloat16).model
        for (one, other) in zip(rounded.parameters, viewed.parameters)
        where one.matrix.format == .bfloat16 {
            #expect(one.matrix.expanded().values == other.matrix.expanded().values)
        }
        #expect(try load(.int8).model.embeddings.weight.matrix.format == .int8)
        #expect(try load().model.embeddings.weight.value.count == 19 * 6)
    }

    @Test("tensors that are no part of the model are listed")
    func unusedTensors() throws {
        try write(configuration) { $0["extra"] = Tensor(shape: [2]) }
        #expect(try load().unused == ["extra"])
    }

    @Test("a wrong shape, a missing tensor and values that are no numbers are named")
    func faults() throws {
        let name = "backbone.layers.1.mixer.x_proj.weight"
        let file = folder.file("model.safetensors")
        try write(configuration) { $0[name] = Tensor(shape: [7, 10]) }
        #expect(
            throws: MambaModelError.shape(
                file: file, tensor: name, found: [7, 10], expected: [8, 10])
        ) { try load() }
        try write(configuration) { $0[name] = nil }
        #expect(throws: SafetensorsError.missingTensor(file: file, name: name)) { try load() }
        for value in [Float.nan, .infinity] {
            try write(configuration) { tensors in
                tensors[name] = Tensor(shape: [8, 10], repeating: value)
            }
            for format in WeightMatrix.Format.allCases {
                #expect(throws: MambaModelError.notFinite(file: file, tensor: name)) {
                    try load(format)
                }
            }
        }
    }

    @Test("fresh weights follow the official initialisation")
    func initialisation() throws {
        var x = configuration
        (x.vocabulary, x.model, x.inner, x.stepRank, x.state) = (400, 64, 128, 16, 16)
        var generator = SeededGenerator(seed: 11)
        let model = MambaModel.random(x, engine: engine, using: &generator)
        let mixer = model.blocks[1].mixer
        #expect(mixer.ALog.value.values.prefix(16).elementsEqual((1...16).map { log(Float($0)) }))
        #expect(mixer.D.value.values.allSatisfy { $0 == 1 })
        #expect(model.normF.weight.value.values.allSatisfy { $0 == 1 })
        let bound = 1 / Float(64).squareRoot()
        let weights = mixer.inProj.weight.value.values
        #expect(weights.allSatisfy { abs($0) <= bound })
        #expect(weights.contains { $0 > 0.95 * bound } && weights.contains { $0 < -0.95 * bound })
        let steps = (mixer.dtProj.bias?.value.values ?? []).map { log1p(exp(Double($0))) }
        #expect(steps.allSatisfy { (0.00099...0.1001).contains($0) })
        let embedding = model.embeddings.weight.value.values.map(Double.init)
        let variance = embedding.reduce(0) { $0 + $1 * $1 } / Double(embedding.count)
        #expect(abs(variance.squareRoot() - 0.1) < 0.002)
    }
}
