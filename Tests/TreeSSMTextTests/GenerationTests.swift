import MambaLM
import Tensors
import TestSupport
import Testing
import TreeSSMText
import TreeTopology

@Suite("Generation with the tree")
struct GenerationTests {
    private func model(_ transition: EdgeTransition) -> MambaModel {
        var configuration = MambaConfiguration()
        (configuration.vocabulary, configuration.model, configuration.layers) = (70, 40, 3)
        (configuration.inner, configuration.state, configuration.stepRank) = (80, 16, 3)
        var generator = SeededGenerator(seed: 5)
        let model = MambaModel.random(
            configuration, engine: makeEngine(threads: 2), using: &generator)
        model.flow = TreeFlow(TreeSettings(transition: transition))
        return model
    }

    private let prompt = (0..<30).map { Int32($0 * $0 * 7 % 70) }

    private func texts(_ model: MambaModel, count: Int) -> [Generation.Text] {
        var settings = Generation.Settings()
        (settings.sampling.temperature, settings.limit, settings.seed) = (1, 25, 11)
        settings.keepsLogProbabilities = true
        let generation = Generation(
            of: model, after: model.readPrompt(prompt), settings, count: count)
        while !generation.next().isEmpty {}
        return generation.texts
    }

    @Test(
        "tokens and log-probabilities are those of scoring the whole text, bit for bit",
        arguments: EdgeTransition.allCases)
    func equalsRecomputation(transition: EdgeTransition) {
        let model = model(transition)
        let texts = texts(model, count: 3)
        #expect(Set(texts.map(\.tokens)).count == 3)
        for text in texts {
            #expect((text.state == nil) == (transition == .child))
            let whole = prompt + text.tokens
            let batch = TokenBatch([.init(tokens: whole, promptLength: prompt.count)])
            let scored = (prompt.count..<whole.count).map {
                ScoredToken(row: $0 - 1, target: whole[$0])
            }
            #expect(model.score(batch, scored).logProbabilities == text.logProbabilities)
        }
        // Greedily, every token is the one that the whole text makes most likely.
        var greedy = Generation.Settings()
        (greedy.sampling.temperature, greedy.limit) = (0, 25)
        (greedy.sampling.repetitionPenalty, greedy.keepsLogProbabilities) = (1, true)
        let generation = Generation(of: model, after: model.readPrompt(prompt), greedy)
        while !generation.next().isEmpty {}
        let whole = prompt + generation.texts[0].tokens
        let scored = (prompt.count..<whole.count).map {
            ScoredToken(row: $0 - 1, target: whole[$0])
        }
        let batch = TokenBatch([.init(tokens: whole, promptLength: prompt.count)])
        #expect(model.score(batch, scored).isGreedy.allSatisfy { $0 })
    }

    @Test(
        "prompts that go on from a state have trees of their own, beside the chain of everything",
        arguments: [EdgeTransition.successor, .parent], [Float(1), 0.7])
    func carriedPrompts(transition: EdgeTransition, chainGain: Float) throws {
        var configuration = MambaConfiguration()
        (configuration.vocabulary, configuration.model, configuration.layers) = (70, 12, 2)
        (configuration.inner, configuration.state, configuration.stepRank) = (24, 4, 2)
        var generator = SeededGenerator(seed: 3)
        let model = MambaModel.random(
            configuration, engine: makeEngine(threads: 1), using: &generator)
        // Fresh weights let little through the states: widen them, and let decays matter.
        for block in model.blocks {
            for linear in block.mixer.linears {
                linear.weight.replaceValue(
                    .random(linear.weight.value.shape, in: -0.6...0.6, using: &generator))
            }
            let bias = try #require(block.mixer.dtProj.bias)
            bias.replaceValue(
                .random(bias.value.shape, in: -1...0.5, using: &generator))
        }
        let settings = TreeSettings(scale: 0.6, transition: transition, chainGain: chainGain)
        model.flow = TreeFlow(settings)
        func tokens(_ count: Int) -> [Int32] {
            (0..<count).map { _ in Int32(generator.next() % 70) }
        }
        let reference = ConversationReference(
            model: model, settings: settings,
            turns: [(9, 4), (2, 3), (7, 0), (1, 2), (12, 1)].map {
                .init(prompt: tokens($0), answer: tokens($1))
            })
        let expected = reference.logProbabilities()

        var found: [Double] = []
        var state: SequenceState?
        let parts = reference.turns.flatMap { [($0.prompt, true), ($0.answer, false)] }
        for (part, isPrompt) in parts where !part.isEmpty {
            let next = reference.tokens.dropFirst(found.count + 1).prefix(part.count)
            let sequence = TokenForest.Sequence(
                tokens: part, promptLength: isPrompt ? part.count : 0,
                origin: state.map { .state($0) } ?? .start, keepsState: true)
            let reading = model.read(
                TokenForest([sequence]),
                scoring: next.enumerated().map { ScoredToken(row: $0, target: $1) })
            found += reading.scores.logProbabilities
            state = reading.states[0]
        }
        expectClose(
            found.map { Float($0) }, expected, within: Tolerance(absolute: 2e-5, relative: 0))
        // The same conversation as one prompt, or as a chain, is something else.
        #expect(state?.position == reference.tokens.count)
        let batch = TokenBatch([.init(tokens: reference.tokens)])
        let scored = expected.indices.map {
            ScoredToken(row: $0, target: reference.tokens[$0 + 1])
        }
        let chain = model.score(batch, scored).logProbabilities
        #expect(zip(chain, expected).count { abs($0 - $1) > 1e-2 } > 20)
    }
}
