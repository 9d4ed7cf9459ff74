import MambaLM
import Storage
import Tensors
import TestSupport
import Testing

@Suite("Gradients of the model")
struct GradientTests {
    /// PyTorch's gradients were computed in double precision, so the difference is our rounding,
    /// in units of each tensor's largest gradient.
    static let relativeToLargest = 2e-5

    @Test("every parameter's gradient is PyTorch's", arguments: ["plain", "odd"])
    func gradientsMatch(name: String) throws {
        let batch = try GradientBatch(model: name)
        let model = try MambaModel.load(
            folder: Fixtures.path(name), engine: makeEngine(threads: 2)
        ).model
        for parameter in model.parameters { parameter.makeTrainable(on: model.engine) }
        let loss = model.accumulateGradients(of: batch.tokens, batch.scored).value
        #expect(abs(loss - batch.loss) < 1e-5)
        for parameter in model.parameters {
            let expected = try batch.gradient(of: parameter.name)
            let scale = expected.map(abs).max() ?? 0
            expectClose(
                parameter.gradient?.values ?? [], expected,
                within: Tolerance(absolute: Self.relativeToLargest * scale, relative: 0))
        }
    }

    @Test("frozen parameters change no other gradient and get none")
    func frozenParametersGetNone() throws {
        let batch = try GradientBatch(model: "plain")
        func run(training names: Set<String>?) throws -> [String: [Float]] {
            let model = try MambaModel.load(
                folder: Fixtures.path("plain"), engine: makeEngine(threads: 1)
            ).model
            for parameter in model.parameters where names?.contains(parameter.name) ?? true {
                parameter.makeTrainable(on: model.engine)
            }
            _ = model.accumulateGradients(of: batch.tokens, batch.scored)
            return Dictionary(
                uniqueKeysWithValues: model.parameters.compactMap { parameter in
                    parameter.gradient.map { (parameter.name, $0.values) }
                })
        }
        let all = try run(training: nil)
        let some: Set<String> = [
            "backbone.layers.1.mixer.x_proj.weight", "backbone.layers.1.mixer.D",
        ]
        let few = try run(training: some)
        #expect(Set(few.keys) == some)
        for name in some { #expect(few[name] == all[name]) }
    }

    @Test("keeping projections, all of them, some or none, changes no bit")
    func keptProjectionsChangeNothing() throws {
        let batch = try GradientBatch(model: "plain")
        let gradients = try [0, 1 << 15, 1 << 30].map { bytes in
            let model = try MambaModel.load(
                folder: Fixtures.path("plain"), engine: makeEngine(threads: 2)
            ).model
            model.keptBytes = bytes
            for parameter in model.parameters { parameter.makeTrainable(on: model.engine) }
            _ = model.accumulateGradients(of: batch.tokens, batch.scored)
            return model.parameters.map { $0.gradient?.values ?? [] }
        }
        #expect(gradients[1] == gradients[0])
        #expect(gradients[2] == gradients[0])
    }

    @Test("gradients add up over calls, whatever is computed between them")
    func gradientsAddUp() throws {
        let batch = try GradientBatch(model: "plain")
        let model = try MambaModel.load(
            folder: Fixtures.path("plain"), engine: makeEngine(threads: 2)
        ).model
        let parameter = model.blocks[0].mixer.inProj.weight
        parameter.makeTrainable(on: model.engine)
        _ = model.accumulateGradients(of: batch.tokens, batch.scored)
        let once = try #require(parameter.gradient).values
        _ = model.score(batch.tokens, batch.scored)
        _ = model.accumulateGradients(of: batch.tokens, batch.scored)
        expectClose(
            try #require(parameter.gradient).values, once.map { 2 * Double($0) },
            within: .singlePrecision)
    }

    @Test("where rows lie further apart than they are wide, gradients are those that BLAS finds")
    func wideRows() throws {
        var configuration = MambaConfiguration()
        (configuration.vocabulary, configuration.model, configuration.layers) = (30, 512, 2)
        (configuration.inner, configuration.state, configuration.stepRank) = (1024, 4, 8)
        #expect(
            Buffer(of: makeEngine(), columns: configuration.inner).matrix(rows: 2).rowStride > 1024)
        let batch = TokenBatch([
            .init(tokens: [3, 1, 4, 1, 5, 9, 2, 6]), .init(tokens: [2, 7, 1]),
        ])
        let scored = (0..<10).map { ScoredToken(row: $0, target: Int32($0), weight: 0.1) }
        let engines = [
            makeEngine(threads: 2),
            makeEngine(threads: 1, matrixKernel: .openblas, scanKernel: .blas),
        ]
        let gradients = engines.map { engine in
            var generator = SeededGenerator(seed: 6)
            let model = MambaModel.random(configuration, engine: engine, using: &generator)
            for parameter in model.parameters { parameter.makeTrainable(on: model.engine) }
            _ = model.accumulateGradients(of: batch, scored).value
            return model.parameters.map { $0.gradient?.values ?? [] }
        }
        for (own, blas) in zip(gradients[0], gradients[1]) {
            let largest = blas.map { Double(abs($0)) }.max() ?? 0
            expectClose(
                own, blas.map(Double.init), within: Tolerance(absolute: 1e-4 * largest, relative: 0)
            )
        }
    }
}

/// Records with prompts, their loss and its gradients, from the fixtures.
private struct GradientBatch {
    let tokens: TokenBatch
    let scored: [ScoredToken]
    let loss: Double
    private let gradients: SafetensorsFile

    init(model: String) throws {
        let file = Fixtures.path("gradients.json")
        let batches = try JSONFields(JSONValue.read(file), file: file).objects("batches")
        guard let batch = try batches.first(where: { try $0.string("model") == model }) else {
            throw JSONError.missingField(place: file, field: model)
        }
        loss = try batch.number("loss")
        gradients = try SafetensorsFile(path: Fixtures.path(try batch.string("file")))
        let sequences = try batch.objects("records").map {
            TokenBatch.Sequence(
                tokens: try $0.integers("ids").map { Int32($0) },
                promptLength: try $0.integer("promptLength"))
        }
        tokens = TokenBatch(sequences)
        let count = sequences.reduce(0) { $0 + $1.tokens.count - $1.promptLength }
        scored = zip(sequences, tokens.rows).flatMap { sequence, rows in
            (sequence.promptLength..<sequence.tokens.count).map {
                ScoredToken(
                    row: rows.lowerBound + $0 - 1, target: sequence.tokens[$0],
                    weight: 1 / Float(count))
            }
        }
    }

    func gradient(of name: String) throws -> [Double] {
        try gradients.floats(of: try gradients.tensor(name)).map(Double.init)
    }
}
