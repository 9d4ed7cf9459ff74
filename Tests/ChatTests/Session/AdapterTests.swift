import CommandSupport
import FoundationEssentials
import LoRA
import MambaLM
import ModelLoading
import Prompting
import Tensors
import TestSupport
import Testing
import TreeSSMText

@testable import Chat

@Suite("Adapters in a session")
struct AdapterTests {
    /// The shelf of CommandSupport, as `mtl-chat` uses it.
    private final class Control: AdapterControl {
        let shelf: AdapterShelf

        init(_ model: MambaModel) {
            shelf = AdapterShelf(model, notes: { _ in })
        }

        var names: [String] { shelf.names }
        var active: String? { shelf.active }

        func turnOff() { shelf.turnOff() }

        func turnOn(_ name: String) throws -> PromptTemplate? {
            guard shelf.turnOn(name) else {
                throw ChatError.unknownAdapter(name: name, known: names)
            }
            return nil
        }

        func load(_ folder: String) throws -> PromptTemplate? {
            try shelf.load(folder)
            return nil
        }
    }

    /// Writes an adapter that changes answers, trained with a tree; gives its folder.
    private func writeAdapter(
        _ name: String, seed: UInt64, in folder: TemporaryFolder
    ) throws -> String {
        var configuration = LoRAConfiguration()
        (configuration.rank, configuration.alpha) = (2, 8)
        var generator = SeededGenerator(seed: seed)
        let adapters = try LoRAAdapterSet.attach(
            configuration, to: tinyModel(), using: &generator)
        for parameter in adapters.parameters {
            parameter.replaceValue(
                .random(parameter.value.shape, in: -0.5...0.5, using: &generator))
        }
        let path = folder.file(name)
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
        try adapters.write(to: path)
        folder.write("{\"topology\": \"tree\"}", to: "\(name)/mambatreel.json")
        return path
    }

    private func adaptable(_ history: HistoryMode = .carry) throws -> ChatSession {
        let model = tinyModel()
        return try makeSession(model: model, adapters: Control(model)) { $0.history = history }
    }

    @Test("a loaded adapter acts with its topology, and can be turned off and on again")
    func switching() throws {
        let folder = TemporaryFolder()
        let session = try adaptable()
        let plain = try session.samples(for: "Hi", count: 1)[0].tokens
        #expect(throws: ChatError.noAdapter) { try session.turnAdapterOff() }
        #expect(throws: ChatError.noAdapter) { try session.turnAdapterOn() }

        let path = try writeAdapter("a", seed: 1, in: folder)
        try session.loadAdapter(path)
        #expect(session.adapters?.names == [path] && session.adapters?.active == path)
        #expect(session.model.flow is TreeFlow)
        let adapted = try session.samples(for: "Hi", count: 1)[0].tokens
        #expect(adapted != plain)

        try session.turnAdapterOff()
        #expect(session.model.flow is TreeFlow)
        session.model.flow = ChainFlow()
        #expect(try session.samples(for: "Hi", count: 1)[0].tokens == plain)
        try session.turnAdapterOn()
        #expect(try session.samples(for: "Hi", count: 1)[0].tokens == adapted)

        let other = try writeAdapter("b", seed: 2, in: folder)
        try session.loadAdapter(other)
        #expect(try session.samples(for: "Hi", count: 1)[0].tokens != adapted)
        try session.turnAdapterOn(path)
        #expect(try session.samples(for: "Hi", count: 1)[0].tokens == adapted)
        #expect(throws: ChatError.unknownAdapter(name: "x", known: [path, other])) {
            try session.turnAdapterOn("x")
        }
        #expect(throws: (any Error).self) { try session.loadAdapter(folder.file("none")) }
        #expect(session.adapters?.active == path)
        #expect(try session.samples(for: "Hi", count: 1)[0].tokens == adapted)
    }

    @Test("after a switch the conversation is read again, with the weights that act")
    func readsAgain() throws {
        let folder = TemporaryFolder()
        let session = try adaptable()
        try session.loadAdapter(writeAdapter("a", seed: 1, in: folder))
        try session.reply(to: "Hi")
        let kept = try session.samples(for: "Why?", count: 1)[0]
        try session.turnAdapterOff()
        let off = try session.samples(for: "Why?", count: 1)[0]
        try session.turnAdapterOn()
        let on = try session.samples(for: "Why?", count: 1)[0]
        #expect(on.tokens == kept.tokens && off.tokens != kept.tokens)
        #expect(on.readTokens > kept.readTokens && off.readTokens > kept.readTokens)
    }

    @Test(
        "comparing answers twice and leaves everything as it was", arguments: HistoryMode.allCases)
    func comparing(history: HistoryMode) throws {
        let folder = TemporaryFolder()
        let session = try adaptable(history)
        #expect(throws: ChatError.noAdapter) { try session.compare("Hi") }
        try session.loadAdapter(writeAdapter("a", seed: 1, in: folder))
        #expect(throws: ChatError.nothingSaid) { try session.compare() }
        try session.reply(to: "Hi")
        for isOn in [true, false] {
            if !isOn { try session.turnAdapterOff() }
            let kept = try session.samples(for: "Why?", count: 1)[0]
            var texts = ["", ""]
            let (off, on) = try session.compare(
                "Why?", onEvent: collecting { texts[$0] += $1 })
            #expect(texts == [off.text, on.text])
            #expect(off.tokens != on.tokens)
            // Stopped in the first reading, and in the second.
            #expect(throws: ChatError.self) {
                try session.compare("Why?", onEvent: { _ in false })
            }
            var hasText = false
            #expect(throws: ChatError.self) {
                try session.compare("Why?") { event in
                    if case .text = event { hasText = true }
                    return !hasText
                }
            }
            #expect((isOn ? on : off).tokens == kept.tokens)
            #expect((session.adapters?.active != nil) == isOn)
            let again = try session.samples(for: "Why?", count: 1)[0]
            #expect(again.tokens == kept.tokens)
            #expect(session.transcript.exchanges.count == 1)
            _ = try session.compare()
        }
        #expect(throws: ChatError.emptyPrompt) { try session.compare("") }
        #expect(session.adapters?.active == nil)
    }

    @Test("adapters that are not there cannot be switched")
    func noControl() throws {
        let session = try makeSession()
        #expect(throws: ChatError.noAdapter) { try session.turnAdapterOff() }
        #expect(throws: ChatError.noAdapter) { try session.turnAdapterOn("x") }
        #expect(throws: ChatError.noAdapter) { try session.loadAdapter("x") }
    }
}
