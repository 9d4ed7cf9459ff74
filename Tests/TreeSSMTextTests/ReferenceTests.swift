import Kernels
import MambaLM
import Storage
import Tensors
import TestSupport
import Testing
import TreeSSMText
import TreeTopology

/// Results of the PyTorch reference; see scripts/reference.
@Suite("Tree mixer against PyTorch")
struct ReferenceTests {
    /// Log-probabilities of a tiny model in single precision, by two programs.
    static let logProbability = Tolerance(absolute: 2e-5, relative: 0)
    /// Gradients, in units of each tensor's largest; the reference's were computed in double.
    static let relativeToLargest = 2e-5

    @Test("log-probabilities and trees are PyTorch's", arguments: ["plain", "odd"])
    func outputsMatch(name: String) throws {
        let file = Fixtures.path("\(name)-trees.json")
        let fields = try JSONFields(JSONValue.read(file), file: file)
        let sequences = try fields.array("sequences").map { $0.tokenIDs }
        let model = try MambaModel.load(
            folder: Fixtures.path(name), engine: makeEngine(threads: 2)
        ).model
        for value in try fields.array("cases") {
            let reference = try JSONFields(value, file: file)
            let ids = sequences[try reference.integer("sequence")]
            model.flow = TreeFlow(try TreeSettings(reference))
            let promptLength = try reference.integer("promptLength")
            let batch = TokenBatch([.init(tokens: ids, promptLength: promptLength)])
            let scored = ids.indices.dropFirst().map {
                ScoredToken(row: $0 - 1, target: ids[$0])
            }
            let result = model.score(batch, scored)
            expectClose(
                result.logProbabilities.map { Float($0) },
                try reference.array("logProbabilities").compactMap(\.numberValue),
                within: Self.logProbability)
            let expected = try reference.array("parents").map { $0.tokenIDs }
            let trees = model.trees(over: ids, promptLength: promptLength)
            // The plain model's are not written down.
            if !expected.isEmpty {
                #expect(trees.map { $0.parents.map { Int32($0) } } == expected)
            }
        }
    }

    @Test("every parameter's gradient is PyTorch's", arguments: ["successor", "parent", "child"])
    func gradientsMatch(rule: String) throws {
        let file = Fixtures.path("gradients.json")
        let batches = try JSONFields(JSONValue.read(file), file: file).array("batches")
        let fields = try #require(
            try batches.map { try JSONFields($0, file: file) }.first {
                try $0.string("edgeRule") == rule
            })
        let model = try MambaModel.load(
            folder: Fixtures.path(try fields.string("model")), engine: makeEngine(threads: 2)
        ).model
        model.flow = TreeFlow(try TreeSettings(fields))
        let sequences = try fields.array("records").map { value in
            let record = try JSONFields(value, file: file)
            return TokenBatch.Sequence(
                tokens: try record.array("ids").map { Int32($0.integerValue ?? 0) },
                promptLength: try record.integer("promptLength"))
        }
        let batch = TokenBatch(sequences)
        let count = sequences.reduce(0) { $0 + $1.tokens.count - $1.promptLength }
        let scored = zip(sequences, batch.rows).flatMap { sequence, rows in
            (sequence.promptLength..<sequence.tokens.count).map {
                ScoredToken(
                    row: rows.lowerBound + $0 - 1, target: sequence.tokens[$0],
                    weight: 1 / Float(count))
            }
        }
        for parameter in model.parameters { parameter.makeTrainable(on: model.engine) }
        let loss = model.accumulateGradients(of: batch, scored).value
        #expect(abs(loss - (try fields.number("loss"))) < 1e-5)
        let gradients = try SafetensorsFile(path: Fixtures.path(try fields.string("file")))
        for parameter in model.parameters {
            let expected = try gradients.floats(of: try gradients.tensor(parameter.name))
            let scale = expected.map { Double(abs($0)) }.max() ?? 0
            expectClose(
                parameter.gradient?.values ?? [], expected.map(Double.init),
                within: Tolerance(absolute: Self.relativeToLargest * scale, relative: 0))
        }
    }

    @Test("the BLAS form of the scan gives the same numbers")
    func blasFormAgrees() throws {
        let ids = (0..<40).map { Int32($0 * 7 % 290) }
        let scores = try CPUEngine.ScanKernel.allCases.map { kernel in
            let model = try MambaModel.load(
                folder: Fixtures.path("plain"), engine: makeEngine(threads: 1, scanKernel: kernel)
            ).model
            model.flow = TreeFlow(TreeSettings(transition: .parent))
            let scored = ids.indices.dropFirst().map {
                ScoredToken(row: $0 - 1, target: ids[$0])
            }
            return model.score(
                TokenBatch([.init(tokens: ids, promptLength: 25)]), scored
            ).logProbabilities
        }
        expectClose(scores[0].map { Float($0) }, scores[1], within: Self.logProbability)
    }

    @Test("one state after the prompt is enough: reading on equals reading at once")
    func oneStateIsEnough() throws {
        let ids = (0..<60).map { Int32($0 * 11 % 290) }
        let model = try MambaModel.load(
            folder: Fixtures.path("plain"), engine: makeEngine(threads: 2)
        ).model
        model.flow = TreeFlow()
        for promptLength in [1, 2, 3, 30, 60] {
            let whole = model.read(TokenBatch([.init(tokens: ids, promptLength: promptLength)]))
            let expected = whole.logits.values.map(Double.init)
            let prompt = model.read(
                TokenBatch([
                    .init(tokens: Array(ids[..<promptLength]), promptLength: promptLength)
                ]))
            guard promptLength < ids.count else {
                #expect(prompt.logits.values == expected.map { Float($0) })
                continue
            }
            let rest = TokenBatch.Sequence(
                tokens: Array(ids[promptLength...]), state: prompt.states[0])
            let reading = model.read(TokenBatch([rest]))
            expectClose(
                reading.logits.values, expected, within: Tolerance(absolute: 5e-5, relative: 0))
        }
    }
}

extension TreeSettings {
    fileprivate init(_ fields: JSONFields) throws {
        self.init(
            scale: Float(try fields.number("treeScale")),
            neighbors: try fields.integer("neighbors"),
            transition: try #require(EdgeTransition(rawValue: try fields.string("edgeRule"))),
            chainGain: Float(try fields.number("chainGain")))
    }
}

extension JSONValue {
    fileprivate var tokenIDs: [Int32] {
        (arrayValue ?? []).compactMap(\.integerValue).map { Int32($0) }
    }
}
