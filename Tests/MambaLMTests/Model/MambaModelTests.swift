import MambaLM
import Tensors
import TestSupport
import Testing

@Suite("Mamba model")
struct MambaModelTests {
    private func expectScores(
        of sequence: ReferenceSequence, by model: MambaModel,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let batch = TokenBatch([.init(tokens: sequence.ids)])
        let result = model.score(batch, sequence.scored(at: batch.rows[0]))
        expectClose(
            result.logProbabilities.map { Float($0) }, sequence.logProbabilities,
            within: .logProbability, sourceLocation: sourceLocation)
    }

    @Test("log-probabilities are PyTorch's", arguments: ReferenceModel.allCases)
    func logProbabilitiesMatch(_ reference: ReferenceModel) throws {
        let model = try reference.load()
        for sequence in try reference.sequences() {
            expectScores(of: sequence, by: model)
        }
    }

    @Test(
        "a batch gives the bits of its sequences alone, for any number of threads",
        arguments: [1, 3])
    func batchesDoNotMatter(threads: Int) throws {
        let sequences = try ReferenceModel.plain.sequences()
        let model = try ReferenceModel.plain.load(threads: threads)
        let batch = TokenBatch(sequences.map { .init(tokens: $0.ids) })
        let together = model.score(
            batch, zip(sequences, batch.rows).flatMap { $0.scored(at: $1) })
        let single = try ReferenceModel.plain.load(threads: 1)
        let alone = sequences.flatMap { sequence in
            let batch = TokenBatch([.init(tokens: sequence.ids)])
            return single.score(batch, sequence.scored(at: batch.rows[0])).logProbabilities
        }
        #expect(together.logProbabilities == alone)
    }

    @Test("OpenBLAS gives the same numbers to rounding")
    func openBLASAgrees() throws {
        let sequence = try #require(try ReferenceModel.odd.sequences().last)
        let model = try ReferenceModel.odd.load(matrixKernel: .openblas)
        expectScores(of: sequence, by: model)
    }

    @Test(
        "a text read in pieces leaves the state of the whole, to rounding",
        arguments: [ReferenceModel.plain, .odd], [1, 2, 7])
    func statesContinue(_ reference: ReferenceModel, piece: Int) throws {
        let ids = try #require(try reference.sequences().last).ids
        let model = try reference.load()
        let whole = model.read(TokenBatch([.init(tokens: ids)]))
        let expected = whole.logits.values.map(Double.init)
        var state: SequenceState?
        var logits: [Float] = []
        for start in stride(from: 0, to: ids.count, by: piece) {
            let tokens = Array(ids[start..<min(start + piece, ids.count)])
            let reading = model.read(TokenBatch([.init(tokens: tokens, state: state)]))
            state = reading.states[0]
            logits = reading.logits.values
        }
        #expect(state?.position == ids.count)
        expectClose(logits, expected, within: Tolerance(absolute: 5e-5, relative: 0))
    }

    @Test("one state serves many continuations and is not changed by them")
    func statesAreValues() throws {
        let model = try ReferenceModel.plain.load()
        let state = model.read(TokenBatch([.init(tokens: [1, 2, 3, 4])])).states[0]
        let first = model.read(TokenBatch([.init(tokens: [5, 6], state: state)])).logits.values
        let batch = TokenBatch([
            .init(tokens: [9], state: state), .init(tokens: [5, 6], state: state),
        ])
        let both = model.read(batch).logits.values
        #expect(Array(both[model.configuration.vocabulary...]) == first)
    }

    @Test("greedy generation is PyTorch's", arguments: [ReferenceModel.plain, .odd])
    func greedyGeneration(_ reference: ReferenceModel) throws {
        let model = try reference.load()
        var settings = Generation.Settings()
        settings.sampling.temperature = 0
        settings.sampling.repetitionPenalty = 1
        for sequence in try reference.sequences() where !sequence.greedy.isEmpty {
            settings.limit = sequence.greedy.count
            let generation = Generation(
                of: model, after: model.readPrompt(sequence.ids), settings)
            while !generation.next().isEmpty {}
            #expect(generation.texts[0].tokens == sequence.greedy)
            #expect(generation.texts[0].stopReason == .length)
        }
    }
}
