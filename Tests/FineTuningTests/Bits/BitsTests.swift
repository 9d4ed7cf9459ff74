import Foundation
import Kernels
import LoRA
import MambaLM
import Prompting
import Storage
import Tensors
import TestSupport
import Testing
import TreeSSMText

@testable import FineTuning

/// Results to the last bit, of every form of the kernels.
///
/// `Fixtures/bits.json` holds them by the engine's own words for its kernels; forms that it does not know are left
/// out. A change that means to alter bits records them again: with `MTL_RECORD_BITS=1`, the test writes the file
/// instead of reading it.
@Suite("Bits of results")
struct BitsTests {
    private static func read() throws -> [String: [String: [String]]] {
        try JSONDecoder().decode(
            [String: [String: [String]]].self,
            from: Data(contentsOf: URL(filePath: Fixtures.path("bits.json"))))
    }

    @Test("an engine from outside, in memory that the host cannot reach, gives them too")
    func guardedMemory() throws {
        let engine = GuardedEngine(makeEngine(threads: 2, matrixKernel: .native))
        let found = try Bits.all(engine)
        guard let expected = try Self.read()[engine.summary] else { return }
        for (name, bits) in expected { #expect(found[name] == bits, "\(name)") }
    }

    @Test("after the first, decoding a token allocates nothing")
    func decoding() {
        let engine = GuardedEngine(makeEngine())
        let model = Bits.model(engine, TreeFlow())
        var settings = Generation.Settings()
        settings.limit = 12
        let generation = Generation(of: model, after: model.readPrompt([1, 2, 3, 4]), settings)
        var counts: [Int] = []
        while !generation.next().isEmpty { counts.append(engine.counts.allocations) }
        let perToken = zip(counts.dropFirst(), counts.dropFirst(2)).map { $1 - $0 }
        #expect(perToken.count > 5 && perToken.allSatisfy { $0 == 0 })
    }

    @Test("after the first, a training step allocates nothing")
    func steps() throws {
        let engine = GuardedEngine(makeEngine(threads: 2))
        let trainer = try Bits.trainer(engine, TreeFlow(), lengths: [40, 40, 40, 40, 40, 40])
        var counts: [Int] = []
        for _ in 0..<5 {
            _ = try trainer.advance()
            counts.append(engine.counts.allocations)
        }
        #expect(counts[0] > 0 && counts.allSatisfy { $0 == counts[0] })
    }

    private static var engines: [CPUEngine] {
        InstructionSet.available.map {
            makeEngine(threads: 2, matrixKernel: .native, instructionSet: $0)
        } + [
            makeEngine(threads: 2, matrixKernel: .openblas),
            makeEngine(threads: 2, matrixKernel: .openblas, scanKernel: .blas),
        ]
    }

    @Test("training, scores and texts are the recorded ones")
    func recorded() throws {
        let path = Fixtures.path("bits.json")
        let isRecording = ProcessInfo.processInfo.environment["MTL_RECORD_BITS"] != nil
        var recorded = try Self.read()
        for engine in Self.engines {
            if isRecording {
                recorded[engine.summary] = try Bits.all(engine)
            } else if let expected = recorded[engine.summary] {
                let found = try Bits.all(engine)
                for (name, bits) in expected {
                    #expect(found[name] == bits, "\(name) of \(engine.summary)")
                }
                #expect(found.count == expected.count)
            }
        }
        guard isRecording else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(recorded).write(to: URL(filePath: path))
    }
}

/// What is recorded, by name; numbers as the hexadecimal digits of their bits, many as a hash.
private enum Bits {
    static func all(_ engine: any Engine) throws -> [String: [String]] {
        var bits = ["full gradients": fullGradients(engine), "formats": try formats(engine)]
        let flows: [(String, any StateFlow)] = [
            ("chain", ChainFlow()), ("tree", TreeFlow()),
            ("child", TreeFlow(TreeSettings(transition: .child))),
        ]
        for (name, flow) in flows {
            bits["\(name) training"] = try training(engine, flow)
            bits["\(name) reading"] = reading(engine, flow)
        }
        return bits
    }

    static func model(_ engine: any Engine, _ flow: any StateFlow) -> MambaModel {
        // Rows of x and z lie further apart than they are wide, and channels are no multiple of a group.
        var configuration = MambaConfiguration()
        configuration.vocabulary = 300
        configuration.model = 48
        configuration.layers = 3
        configuration.inner = 512
        configuration.state = 5
        configuration.stepRank = 6
        var generator = SplitMix64(seed: 21)
        let model = MambaModel.random(configuration, engine: engine, using: &generator)
        model.flow = flow
        return model
    }

    private static func tokens(_ count: Int, seed: UInt64) -> [Int32] {
        var generator = SplitMix64(seed: seed)
        return (0..<count).map { _ in Int32(generator.next(below: 300)) }
    }

    /// A trainer of an adapter on every layer, with dropout, clipping and weight decay.
    static func trainer(
        _ engine: any Engine, _ flow: any StateFlow, lengths: [Int]
    ) throws -> Trainer {
        let model = model(engine, flow)
        var lora = LoRAConfiguration()
        lora.rank = 3
        lora.dropout = 0.1
        lora.targetModules = ["embeddings", "in_proj", "x_proj", "dt_proj", "out_proj", "lm_head"]
        var generator = SplitMix64(seed: 22)
        let contents = TrainedAdapter(try .attach(lora, to: model, using: &generator))
        let records = lengths.enumerated().map { index, length in
            TrainingRecord(
                tokens: tokens(length, seed: UInt64(100 + index)), promptLength: length * 3 / 5,
                origin: RecordOrigin(file: "bits", line: index + 1))
        }
        var configuration = quickConfiguration()
        configuration.weightDecay = 0.01
        configuration.maxGradientNorm = 0.5
        configuration.epochs = 3
        return try Trainer(
            model: model, contents: contents, training: records, validation: [records[2]],
            configuration: configuration, folder: TemporaryFolder().path)
    }

    /// Five steps.
    private static func training(_ engine: any Engine, _ flow: any StateFlow) throws -> [String] {
        let folder = TemporaryFolder()
        let trainer = try trainer(
            engine, flow, lengths: [310, 12, 25, 3, 41, 18, 9, 30])
        var bits: [String] = []
        for _ in 0..<5 {
            let result = try trainer.advance()
            bits += [result.loss, result.gradientNorm].map(hexadecimal)
        }
        bits.append(hexadecimal(try trainer.evaluate().loss))
        bits.append(hash(trainer.contents.parameters.map(\.value)))
        try trainer.optimizer.write(to: folder.path + "/moments")
        let moments = try SafetensorsFile(path: folder.path + "/moments")
        bits.append(
            hash(try moments.tensors.map { Tensor(try moments.floats(of: $0), shape: $0.shape) }))
        return bits
    }

    /// The gradients of all parameters of a model.
    private static func fullGradients(_ engine: any Engine) -> [String] {
        let model = model(engine, TreeFlow())
        model.parameters.forEach { $0.makeTrainable(on: model.engine) }
        model.keptBytes = 1 << 20
        let batch = TokenBatch([
            .init(tokens: tokens(290, seed: 31), promptLength: 270),
            .init(tokens: tokens(20, seed: 32), promptLength: 7),
        ])
        let scored = (0..<309).map {
            ScoredToken(row: $0, target: batch.tokens[$0 + 1], weight: 0.5)
        }
        let loss = model.accumulateGradients(of: batch, scored).value
        return [hexadecimal(loss)] + model.parameters.map { hash([$0.gradient].compactMap { $0 }) }
    }

    /// Log-probabilities of a model whose weights were saved and loaded in each format.
    private static func formats(_ engine: any Engine) throws -> [String] {
        let folder = TemporaryFolder()
        try model(engine, ChainFlow()).save(folder: folder.path)
        return try WeightMatrix.Format.allCases.map { format in
            let (model, _) = try MambaModel.load(
                folder: folder.path, engine: engine, format: format)
            return hash(model.score(text: tokens(50, seed: 48)))
        }
    }

    /// Log-probabilities, states, and greedy and sampled texts.
    private static func reading(_ engine: any Engine, _ flow: any StateFlow) -> [String] {
        let model = model(engine, flow)
        let batch = TokenBatch([
            .init(tokens: tokens(280, seed: 41), promptLength: 265),
            .init(tokens: tokens(30, seed: 42), promptLength: 11),
        ])
        let scored = (100..<305).map { ScoredToken(row: $0, target: batch.tokens[$0 + 1]) }
        var bits = [hash(model.score(batch, scored).logProbabilities)]
        bits.append(hash(model.score(text: tokens(70, seed: 43))))
        if flow.hasSingleState {
            let forest = TokenForest([
                .init(tokens: tokens(40, seed: 44), promptLength: 30),
                .init(tokens: tokens(9, seed: 45), origin: .sequence(0)),
                .init(tokens: tokens(2, seed: 46), origin: .sequence(0), keepsState: true),
            ])
            let (states, scores) = model.read(
                forest, scoring: (20..<51).map { ScoredToken(row: $0, target: Int32($0)) })
            bits.append(hash(scores.logProbabilities))
            bits.append(
                hash(states.compactMap { $0 }.flatMap(\.layers).flatMap { [$0.history, $0.state] }))
        }
        for temperature in [0, 0.8] {
            var settings = Generation.Settings()
            settings.sampling.temperature = temperature
            settings.limit = 6
            settings.keepsLogProbabilities = true
            let prompt = model.readPrompt(tokens(12, seed: 47))
            let generation = Generation(of: model, after: prompt, settings, count: 2)
            while !generation.next().isEmpty {}
            for text in generation.texts {
                bits.append(text.tokens.map(String.init).joined(separator: " "))
                bits.append(hash(text.logProbabilities))
            }
        }
        return bits
    }

    private static func hexadecimal(_ value: Double) -> String {
        String(value.bitPattern, radix: 16)
    }

    private static func hash(_ tensors: [Tensor]) -> String {
        hash(tensors.flatMap { $0.values.map { UInt64($0.bitPattern) } })
    }

    private static func hash(_ values: [Double]) -> String { hash(values.map(\.bitPattern)) }

    /// The hash FNV-1a over 64 bits at a time.
    private static func hash(_ words: [UInt64]) -> String {
        String(
            words.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ $1) &* 0x100_0000_01b3 },
            radix: 16)
    }
}
