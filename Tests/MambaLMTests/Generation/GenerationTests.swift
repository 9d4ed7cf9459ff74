import MambaLM
import Tensors
import TestSupport
import Testing

@Suite("Generation")
struct GenerationTests {
    private func model(threads: Int = 2) -> MambaModel {
        var configuration = MambaConfiguration()
        (configuration.vocabulary, configuration.model, configuration.layers) = (70, 40, 3)
        (configuration.inner, configuration.state, configuration.stepRank) = (80, 16, 3)
        var generator = SeededGenerator(seed: 5)
        return .random(configuration, engine: makeEngine(threads: threads), using: &generator)
    }

    private let prompt: [Int32] = [3, 60, 12, 12, 9, 33, 41]

    private func settings(
        _ change: (inout Generation.Settings) -> Void = { _ in }
    ) -> Generation.Settings {
        var x = Generation.Settings()
        (x.sampling.temperature, x.limit, x.seed) = (1, 40, 11)
        x.keepsLogProbabilities = true
        change(&x)
        return x
    }

    private func texts(
        _ model: MambaModel, _ settings: Generation.Settings, count: Int = 1
    ) -> [Generation.Text] {
        let generation = Generation(
            of: model, after: model.readPrompt(prompt), settings, count: count)
        while !generation.next().isEmpty {}
        return generation.texts
    }

    @Test("tokens and log-probabilities are those of computing everything again, bit for bit")
    func equalsRecomputation() {
        let model = model()
        let kept = texts(model, settings(), count: 3)
        model.flow = RecomputingFlow()
        let again = texts(model, settings(), count: 3)
        #expect(kept.map(\.tokens) == again.map(\.tokens))
        #expect(kept.map(\.logProbabilities) == again.map(\.logProbabilities))
        #expect(kept.allSatisfy { $0.state != nil } && again.allSatisfy { $0.state == nil })

        model.flow = ChainFlow()
        let whole = prompt + kept[0].tokens
        let batch = TokenBatch([.init(tokens: whole)])
        let scored = (prompt.count..<whole.count).map {
            ScoredToken(row: $0 - 1, target: whole[$0])
        }
        #expect(model.score(batch, scored).logProbabilities == kept[0].logProbabilities)
    }

    @Test("a text does not depend on how many are drawn with it, nor on threads")
    func streams() {
        let many = texts(model(), settings { $0.endTokens = [1, 2, 3, 4, 5, 6, 7] }, count: 6)
        #expect(Set(many.map(\.tokens.count)).count > 2)
        #expect(Set(many.map(\.tokens)).count == 6)
        let one = texts(model(threads: 1), settings { $0.endTokens = [1, 2, 3, 4, 5, 6, 7] })
        #expect(one[0].tokens == many[0].tokens)
        #expect(one[0].logProbabilities == many[0].logProbabilities)
        let three = texts(
            model(threads: 3), settings { $0.endTokens = [1, 2, 3, 4, 5, 6, 7] }, count: 3)
        #expect(three.map(\.tokens) == many.prefix(3).map(\.tokens))
    }

    @Test("texts end for the reason that is told, and their state has read all but the last token")
    func reasons() {
        let model = model()
        let long = texts(model, settings())[0]
        #expect(long.stopReason == .length && long.tokens.count == 40 && long.unreadCount == 1)
        #expect(long.state?.position == prompt.count + 39)

        let end = long.tokens[6]
        let place = long.tokens.firstIndex(of: end) ?? 0
        let short = texts(model, settings { $0.endTokens = [end] })[0]
        #expect(short.stopReason == .end && short.unreadCount == 0)
        #expect(short.tokens == Array(long.tokens[..<place]))
        #expect(short.state?.position == prompt.count + place)

        let generation = Generation(
            of: model, after: model.readPrompt(prompt), settings(), count: 2)
        _ = generation.next()
        generation.end(0, .stop)
        #expect(generation.next().map(\.text) == [1])
        generation.end(1, .stopped)
        #expect(generation.next().isEmpty)
        #expect(generation.texts.map(\.stopReason) == [.stop, .stopped])
    }

    @Test("reading on from a text's state is reading prompt and text, bit for bit")
    func statesGoOn() throws {
        let model = model()
        let text = texts(model, settings())[0]
        let state = try #require(
            model.readOn(Array(text.tokens.suffix(text.unreadCount)), after: text.state))
        let whole = model.readPrompt(prompt + text.tokens)
        #expect(state.position == whole.state?.position)
        for (layer, expected) in zip(state.layers, whole.state?.layers ?? []) {
            #expect(layer.state.values == expected.state.values)
            #expect(layer.history.values == expected.history.values)
        }
        #expect(
            model.readPrompt([4, 5], after: state).logits.values
                == model.readPrompt(prompt + text.tokens + [4, 5]).logits.values)
    }

    @Test("a long prompt is read in pieces, and a long text scored in pieces, without a change")
    func longTexts() throws {
        let model = model()
        var generator = SeededGenerator(seed: 8)
        let text = (0..<4500).map { _ in Int32(generator.next() % 70) }
        let batch = TokenBatch([.init(tokens: text)])
        let whole = model.read(batch)
        #expect(model.readPrompt(text).logits.values == whole.logits.values)
        let state = try #require(model.readOn(text, after: nil))
        #expect(state.layers[2].state.values == whole.states[0].layers[2].state.values)
        let scored = (1..<text.count).map { ScoredToken(row: $0 - 1, target: text[$0]) }
        #expect(model.score(text: text) == model.score(batch, scored).logProbabilities)
        #expect(model.score(text: [7]).isEmpty)
    }

    @Test("reading tells how far it is before each block, and can be stopped there without a trace")
    func stoppedReading() throws {
        struct Stop: Error {}
        let model = model()
        let text = (0..<4500).map { Int32($0 * $0 % 70) }
        let whole = model.readPrompt(text)
        var progress: [Int] = []
        let again = model.readPrompt(text, onProgress: { progress.append($0) })
        #expect(progress == [0, 682, 1365, 2048, 2730, 3413, 4096, 4230, 4365])
        #expect(again.logits.values == whole.logits.values)
        for place in [0, 2730, 4365] {
            #expect(throws: Stop.self) {
                try model.readPrompt(text, onProgress: { if $0 == place { throw Stop() } })
            }
        }
        let after = model.readPrompt(text)
        #expect(after.logits.values == whole.logits.values)
        #expect(after.state?.layers[2].state.values == whole.state?.layers[2].state.values)
    }

    @Test("repetition counts the prompt, and only the window")
    func repetition() throws {
        let model = model()
        var generator = SeededGenerator(seed: 4)
        func order(_ prompt: [Int32]) -> [Int32] {
            let logits = model.readPrompt(prompt).logits.values
            return logits.indices.sorted { logits[$0] > logits[$1] }.map { Int32($0) }
        }
        // A prompt whose most likely next token stands in it once, third from its end.
        let prompts = (0..<5000).lazy.map { _ in
            (0..<7).map { _ in Int32(generator.next() % 70) }
        }
        let prompt = try #require(
            prompts.first { prompt in
                prompt.count { $0 == prompt[4] } == 1 && order(prompt)[0] == prompt[4]
            })
        var settings = settings { ($0.sampling.temperature, $0.limit) = (0, 1) }
        settings.sampling.repetitionPenalty = 1e9
        for window in [0, 2, 3, 7] {
            settings.sampling.repetitionWindow = window
            let generation = Generation(
                of: model, after: model.readPrompt(prompt), settings)
            let expected = order(prompt).first { !prompt.suffix(window).contains($0) }
            #expect(generation.next().map(\.token) == [expected])
            #expect((expected == prompt[4]) == (window < 3))
        }
    }
}

/// A chain that claims to keep no state, so that everything is computed again for each token.
private struct RecomputingFlow: StateFlow {
    func layout(lengths: [Int], promptLengths: [Int]) -> BatchLayout {
        ChainFlow().layout(lengths: lengths, promptLengths: promptLengths)
    }

    var hasSingleState: Bool { false }
    var dependsOnPrompt: Bool { false }
    var description: String { "chain without states" }
}
