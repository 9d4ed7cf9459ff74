import MambaLM
import Prompting
import Storage
import Tensors
import TestSupport
import Testing

@testable import Chat

@Suite("Saved sessions")
struct SavedSessionTests {
    private func talked(_ topology: Topology, _ history: HistoryMode) throws -> ChatSession {
        let session = try makeSession(topology, system: "Be \"brief\".\u{0}ü") {
            ($0.history, $0.stopStrings, $0.seed) = (history, ["\n\n"], .max)
            $0.sampling.topK = 30
        }
        try session.reply(to: "Hi")
        try session.fork("other")
        try session.reply(to: "Why?")
        return session
    }

    @Test(
        "a loaded session goes on as the saved one does", arguments: Topology.allCases,
        HistoryMode.allCases)
    func goesOn(topology: Topology, history: HistoryMode) throws {
        guard topology != .child || history != .carry else { return }
        let folder = TemporaryFolder()
        let saved = try talked(topology, history)
        try saved.save(to: folder.file("s"))
        let loaded = try makeSession(topology)
        try loaded.reply(to: "Something else")
        let outcome = try loaded.load(from: folder.file("s"))
        let keepsState = history == .carry || history == .recompute && topology == .chain
        #expect((outcome == .kept) == keepsState)
        #expect(loaded.transcript == saved.transcript)
        #expect(loaded.settings == saved.settings)
        #expect(loaded.branches == saved.branches && loaded.currentBranch == "other")
        let (expected, found) = (try saved.reply(to: "So?"), try loaded.reply(to: "So?"))
        #expect(found.tokens == expected.tokens)
        if history == .carry { #expect(found.readTokens == expected.readTokens) }
        for session in [saved, loaded] { try session.switchBranch(to: "main") }
        #expect(try loaded.reply(to: "Oh?").tokens == saved.reply(to: "Oh?").tokens)
        // The names in the folder are the file's alone: nothing half-written is left.
        #expect(folder.names() == ["s"])
    }

    @Test("a session of another model, template or topology comes without its state")
    func otherModels() throws {
        let folder = TemporaryFolder()
        let saved = try talked(.tree, .carry)
        try saved.save(to: folder.file("s"))
        func reason(_ session: ChatSession) throws -> String? {
            let outcome = try session.load(from: folder.file("s"))
            #expect(session.transcript == saved.transcript)
            try session.reply(to: "So?")
            guard case .recomputed(let reason) = outcome else { return nil }
            return reason
        }
        let other = try reason(try makeSession(model: tinyModel(.tree, seed: 6)))
        #expect(
            other?.hasPrefix("the session is of another model, 'mamba 2x24x48x8x260 float32 ")
                == true)
        let template = try reason(try makeSession(.tree, template: "alpaca"))
        #expect(template?.contains("template 'alpaca-short'") == true)
        let topology = try reason(try makeSession(.chain))
        #expect(topology?.hasPrefix("the state is of topology 'tree, scale 0.3, ") == true)
        #expect(try reason(try makeSession(.tree)) == nil)
    }

    @Test("a long turn in a file is refused when it is to be read, in any turn")
    func longTurns() throws {
        let folder = TemporaryFolder()
        let saved = try makeSession(.tree) { $0.history = .carry }
        try saved.reply(to: String(repeating: "x", count: 300))
        try saved.reply(to: "Why?")
        try saved.save(to: folder.file("s"))
        let loaded = try makeSession(model: tinyModel(.tree, seed: 6)) { $0.promptLimit = 100 }
        try loaded.load(from: folder.file("s"))
        #expect(loaded.settings.history == .carry && loaded.settings.promptLimit == 100)
        #expect(throws: ChatError.promptTooLong(tokens: 332, limit: 100)) {
            try loaded.reply(to: "So?")
        }
    }

    @Test("an empty session is saved and loaded")
    func empty() throws {
        let folder = TemporaryFolder()
        try makeSession(.tree).save(to: folder.file("s"))
        let loaded = try makeSession(.tree)
        try loaded.reply(to: "Hi")
        try loaded.load(from: folder.file("s"))
        #expect(loaded.transcript.exchanges.isEmpty)
        try loaded.reply(to: "Hi")
    }

    @Test("what is invalid is refused, and the session stays", arguments: Damage.all)
    func damage(_ damage: Damage) throws {
        let folder = TemporaryFolder()
        try talked(.tree, .carry).save(to: folder.file("good"))
        let file = try SafetensorsFile(path: folder.file("good"))
        var metadata = file.metadata
        let text = try #require(metadata["session"])
        #expect(damage.old.isEmpty || text.contains(damage.old))
        metadata["session"] =
            damage.old.isEmpty
            ? damage.new
            : text.replacing(
                damage.old, with: damage.new, maxReplacements: 1)
        // The text is what its digest says, as if somebody had written it so.
        metadata["session_digest"] = SavedSession.digest(of: metadata["session"] ?? "")
        let path = folder.file("bad")
        try SafetensorsWriter.write(
            file.tensors.map { .init(name: $0.name, type: $0.type, shape: $0.shape) },
            metadata: metadata, to: path
        ) { spec, sink in try sink.write(bytes: file.bytes(of: try file.tensor(spec.name))) }

        let session = try makeSession(.tree)
        try session.reply(to: "Hi")
        let before = session.transcript
        let error = #expect(throws: (any Error).self) { try session.load(from: path) }
        let message = "\(try #require(error))"
        #expect(message.hasPrefix(path) && message.contains(damage.message), "\(message)")
        #expect(session.transcript == before && session.branches == ["main"])
        try session.reply(to: "Why?")
    }

    @Test(
        "a state that is not finite or not what was written is left aside; the conversation comes")
    func badStates() throws {
        let folder = TemporaryFolder()
        let saved = try talked(.tree, .carry)
        let path = folder.file("s")
        try saved.save(to: path)
        let good = rawContents(path)
        var flipped = good
        flipped[good.count - 1] ^= 1
        for (bytes, expected) in [
            (good.dropLast(4) + [0, 0, 0xC0, 0x7F], "not finite"), (flipped, "state is damaged"),
        ] {
            folder.write(bytes, to: "s")
            let session = try makeSession(.tree)
            guard case .recomputed(let reason) = try session.load(from: path) else {
                Issue.record("the state was taken")
                return
            }
            #expect(reason.hasPrefix(path) && reason.contains(expected), "\(reason)")
            #expect(session.transcript == saved.transcript)
            try session.reply(to: "So?")
        }
        // A changed word is nobody's.
        let text = try #require(String(decoding: good, as: UTF8.self).firstRange(of: "Why?"))
        let place = String(decoding: good, as: UTF8.self)[..<text.lowerBound].utf8.count
        var changed = good
        changed[place] ^= 1
        folder.write(changed, to: "s")
        let session = try makeSession(.tree)
        #expect(throws: ChatError.self) { try session.load(from: path) }
        #expect(session.transcript.exchanges.isEmpty)
    }

    // /save wrote over models, records and other sessions.
    @Test("a session is saved over itself, and over nothing else unless the user says so")
    func ownFiles() throws {
        let folder = TemporaryFolder()
        let other = folder.write("mine", to: "other")
        let session = try makeSession(
            .tree, model: tinyModel(.tree), inputs: [.init(other, option: "--model")])
        try session.reply(to: "Hi")
        for isOverwriting in [false, true] {
            #expect(throws: OutputError.isInput(output: other, option: "--model")) {
                try session.save(to: other, isOverwriting: isOverwriting)
            }
        }
        let path = folder.file("s")
        #expect(session.file == nil && !session.isChanged)
        try session.save(to: path)
        #expect(session.file == path && !session.isChanged)
        try session.reply(to: "Why?")
        #expect(session.isChanged)
        try session.save(to: path)

        let second = try makeSession(.tree)
        try second.reply(to: "Hi")
        let refusal = OutputError.exists(
            output: path,
            remedy: "choose another name or write over it with /save --overwrite FILE")
        #expect(throws: refusal) { try second.save(to: path) }
        try second.load(from: path)
        #expect(second.file == path && !second.isChanged)
        try second.reply(to: "So?")
        try second.save(to: path)
        // Now it is the other one's, whose file was put into its place.
        #expect(throws: refusal) { try session.save(to: path) }
        try session.save(to: path, isOverwriting: true)
        // What is said after everything was forgotten is another conversation.
        for name in session.branches {
            try session.switchBranch(to: name)
            session.clear()
        }
        #expect(throws: refusal) { try session.save(to: path) }
        #expect(folder.names() == ["other", "s"])
    }

    @Test("a file of another kind is refused")
    func otherFiles() throws {
        let (folder, session) = (TemporaryFolder(), try makeSession())
        let plain = folder.file("plain")
        try SafetensorsWriter.write([], to: plain) { _, _ in }
        #expect(
            throws: ChatError.notSession(file: plain, reason: "metadata lack 'session'")
        ) { try session.load(from: plain) }
        #expect(throws: (any Error).self) { try session.load(from: folder.write("x", to: "text")) }
        #expect(throws: FileError.self) { try session.load(from: folder.file("missing")) }
    }

    @Test("files with changed bytes are refused or taken up: never a crash")
    func fuzz() throws {
        let (folder, session) = (TemporaryFolder(), try makeSession(.tree))
        try talked(.tree, .carry).save(to: folder.file("good"))
        let good = rawContents(folder.file("good"))
        let header =
            8 + good[..<4].enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<300 {
            var bytes = good
            for _ in 0...generator.next() % 2 {
                let place = Int(generator.next() % UInt64(header))
                // Digits stay digits half of the time, so that numbers go wrong, not only the text.
                let isDigit = (48...57).contains(bytes[place]) && generator.next() % 2 == 0
                bytes[place] =
                    isDigit
                    ? UInt8(48 + generator.next() % 10)
                    : UInt8(truncatingIfNeeded: generator.next())
            }
            if (try? session.load(from: folder.write(bytes, to: "bad"))) != nil {
                session.settings.maxTokens = 2
                _ = try? session.reply(to: "Hi")
            }
        }
    }

    @Test("a saved state takes what the model's state takes, not what was said")
    func size() throws {
        let folder = TemporaryFolder()
        let session = try makeSession(.tree) { $0.history = .carry }
        try session.reply(to: "Hi")
        try session.save(to: folder.file("s"))
        let bytes = rawContents(folder.file("s")).count
        #expect(bytes > session.statistics.stateBytes)
        #expect(bytes < session.statistics.stateBytes + 3000)
    }
}

/// One way in which a session's text is wrong; without an old part, the new one is all of it.
struct Damage: CustomTestStringConvertible, Sendable {
    var old = ""
    var new: String
    var message: String

    var testDescription: String { message }

    static let all = [
        Damage(new: "[]", message: "expected an object"),
        Damage(new: "{\"version\":1", message: "bad"),
        Damage(old: "\"version\":2", new: "\"version\":3", message: "session has version 3"),
        Damage(old: "\"version\":2", new: "\"version\":-1", message: "version is -1"),
        Damage(old: "\"current\":1", new: "\"current\":2", message: "'current'"),
        Damage(old: "\"current\":1", new: "\"current\":-1", message: "'current'"),
        Damage(old: "\"name\":\"other\"", new: "\"name\":\"main\"", message: "two branches"),
        Damage(old: "\"drawn_replies\":2", new: "\"drawn_replies\":-2", message: "drawn_replies"),
        Damage(old: "\"temp\":0.7", new: "\"temp\":-0.7", message: "temperature is -0.7"),
        Damage(
            old: "\"drawn_replies\":2", new: "\"drawn_replies\":9223372036854775807",
            message: "'drawn_replies' is out of range"),
        Damage(old: "\"end_tokens\":[", new: "\"end_tokens\":[-7", message: "holds id -7"),
        Damage(old: "\"history\":\"carry\"", new: "\"history\":\"x\"", message: "history is x"),
        Damage(old: "\"seed\":\"", new: "\"seed\":\"-", message: "seed is -"),
        Damage(old: "\"exchanges\":2", new: "\"exchanges\":3", message: "read.exchanges"),
        Damage(old: "\"ids\":[", new: "\"ids\":[-1,", message: "holds id -1"),
        Damage(old: "\"ids\":[", new: "\"ids\":[260,", message: "id is 260, expected below 260"),
        Damage(old: "\"ids\":[", new: "\"ids\":[4294967296,", message: "holds id 4294967296"),
        Damage(old: "\"question\":\"Hi\"", new: "\"question\":7", message: "question"),
        Damage(old: "\"max_tokens\":12", new: "\"max_tokens\":1e3", message: "max_tokens"),
        Damage(
            old: "\"read\":{\"exchanges\":2,\"ids\":[",
            new: "\"read\":{\"exchanges\":2,\"ids\":[1,", message: "are listed"),
    ]
}
