import FoundationEssentials
import Prompting
import Storage
import TestSupport
import Testing
import Tokenization

@testable import FineTuning

@Suite("Record loader")
struct RecordLoaderTests {
    private let folder = TemporaryFolder()
    private var configuration = TrainingConfiguration()

    init() throws {
        configuration.template = "none"
        try TinyTokenizer.write(to: folder.path)
    }

    /// Counts how often records were encoded.
    private final class Counter {
        var count = 0
    }

    private func write(_ lines: [String], to name: String = "data.jsonl") throws -> String {
        try AtomicFile.write(lines.joined(separator: "\n") + "\n", to: folder.file(name))
        return folder.file(name)
    }

    private let lines = (0..<300).map {
        #"{"prompt": "the \#($0)", "completion": "\#(String(repeating: "ab", count: $0 % 7 + 1))"}"#
    }

    private func source(_ configuration: TrainingConfiguration) -> EncodingSource {
        EncodingSource(
            folder: folder.path, configuration: configuration, templateSource: nil, vocabulary: 300,
            endTokens: [0])
    }

    private func identity(
        _ configuration: TrainingConfiguration, program: String = "1", tokenizer: String = ""
    ) throws -> EncodingIdentity {
        try EncodingIdentity(
            program: program, source: source(configuration),
            tokenizerFiles: tokenizer.isEmpty ? [] : [tokenizer])
    }

    private func load(
        _ files: [String], _ configuration: TrainingConfiguration? = nil,
        identity: EncodingIdentity? = nil, counter: Counter = Counter(), threads: Int = 2,
        report: (LoadingEvent) -> Void = { _ in }
    ) throws -> LoadedRecords {
        let configuration = configuration ?? self.configuration
        let cache = TokenCache(
            folder: folder.file("cache"),
            identity: try identity ?? self.identity(configuration))
        return try RecordLoader(source(configuration), threads: threads, cache: cache).load(
            files, format: .auto
        ) { event in
            if case .encoded(let done, let total) = event, done == total { counter.count += 1 }
            report(event)
        }
    }

    /// The one file in the cache.
    private func cacheFile() throws -> String {
        let names = try FolderTree.names(in: folder.file("cache"))
        #expect(names.count == 1)
        return folder.file("cache/" + (names.first ?? ""))
    }

    @Test("the second time nothing is encoded, and the records are the same")
    func secondTimeIsRead() throws {
        let file = try write(lines)
        let counter = Counter()
        var short = configuration
        short.maxSequenceLength = 14
        let first = try load([file], short, counter: counter)
        let second = try load([file], short, counter: counter)
        #expect(counter.count == 1)
        #expect(first == second)
        #expect(first.format == .completions)
        #expect(first.encoded.count(.truncated) > 0 && first.encoded.records.count == 300)
        #expect(first.encoded.records[41].origin == RecordOrigin(file: file, line: 42))
    }

    @Test("files count by content and order: another name hits, a changed byte misses")
    func contentDecides() throws {
        let counter = Counter()
        let first = try write(lines, to: "a.jsonl")
        let second = try write([lines[0]], to: "b.jsonl")
        _ = try load([first, second], counter: counter)
        let copy = try write(lines, to: "c.jsonl")
        let moved = try load([copy, second], counter: counter)
        #expect(counter.count == 1)
        #expect(moved.encoded.records[0].origin.file == copy)
        #expect(moved.encoded.records[300].origin == RecordOrigin(file: second, line: 1))
        _ = try load([second, first], counter: counter)
        #expect(counter.count == 2)
        var changed = lines
        changed[5] = changed[5].replacing("the", with: "thx")
        _ = try write(changed, to: "a.jsonl")
        let anew = try load([first, second], counter: counter)
        #expect(counter.count == 3)
        #expect(anew.encoded.records[5] != moved.encoded.records[5])
    }

    @Test("every setting that decides tokens makes another entry")
    func settingsDecide() throws {
        let tokenizer = folder.file("tokenizer.json")
        try AtomicFile.write("one", to: tokenizer)
        var texts = [try identity(configuration).text]
        func add(_ change: (inout TrainingConfiguration) -> Void) throws {
            var changed = configuration
            change(&changed)
            texts.append(try identity(changed).text)
        }
        try add { $0.maxSequenceLength = 5 }
        try add { $0.truncation = .drop }
        try add { $0.template = "alpaca" }
        try add { $0.dataFormat = .text }
        texts.append(try identity(configuration, program: "2").text)
        texts.append(try identity(configuration, tokenizer: "tokenizer.json").text)
        try AtomicFile.write("two", to: tokenizer)
        texts.append(try identity(configuration, tokenizer: "tokenizer.json").text)
        #expect(Set(texts).count == texts.count)
        var other = configuration
        other.learningRate = 1
        #expect(try identity(other) == identity(configuration))
    }

    @Test("a damaged file is reported and made anew, wherever it is hit")
    func damageIsReported() throws {
        let file = try write(lines)
        let good = try load([file])
        let path = try cacheFile()
        let bytes = try ByteStream.contents(of: path)
        for place in stride(from: 0, to: bytes.count, by: 101) {
            var damaged = bytes
            damaged[place] ^= 0x10
            try Data(damaged).write(to: URL(filePath: path))
            var events: [LoadingEvent] = []
            let loaded = try load([file]) { events.append($0) }
            #expect(loaded == good, "byte \(place)")
            let failures = events.count { if case .cacheFailed = $0 { true } else { false } }
            #expect(failures == 1, "byte \(place)")
            #expect(try ByteStream.contents(of: path) == bytes, "byte \(place)")
        }
        try Data(bytes[..<(bytes.count / 2)]).write(to: URL(filePath: path))
        #expect(try load([file]) == good)
    }

    @Test("rows that contradict one another are refused, though the checksum is right")
    func hostileRowsAreRefused() throws {
        let file = try write(lines)
        let path = folder.file("hostile.safetensors")
        let record = TrainingRecord(
            tokens: [1, 2, 300], promptLength: 1, origin: RecordOrigin(file: file, line: 1))
        var encoded = EncodedRecords()
        encoded.records = [record]
        try TokenCacheFile.write(
            LoadedRecords(format: .text, encoded: encoded), to: path, identity: "i", files: [file])
        let read = try TokenCacheFile.read(path, identity: "i", files: [file], vocabulary: 301)
        #expect(read.encoded == encoded)
        #expect(
            throws: TokenCacheError.damaged(
                file: path, reason: "an id is not in the model's vocabulary")
        ) {
            try TokenCacheFile.read(path, identity: "i", files: [file], vocabulary: 300)
        }
        #expect(
            throws: TokenCacheError.damaged(file: path, reason: "it was made from other data")
        ) {
            try TokenCacheFile.read(path, identity: "j", files: [file], vocabulary: 301)
        }
        #expect(
            throws: TokenCacheError.damaged(
                file: path, reason: "its records contradict one another")
        ) {
            try TokenCacheFile.read(path, identity: "i", files: [], vocabulary: 301)
        }
    }

    @Test("a cache that cannot be written is reported, and the records are there")
    func unusableFolderIsReported() throws {
        let file = try write(lines)
        try AtomicFile.write("in the way", to: folder.file("cache"))
        var events: [LoadingEvent] = []
        let loaded = try load([file]) { events.append($0) }
        #expect(loaded.encoded.records.count == 300)
        #expect(events.first == .encoded(done: 300, total: 300))
        guard case .cacheFailed(let reason) = events.last else {
            Issue.record("no report in \(events)")
            return
        }
        #expect(reason.hasSuffix("its tokens are not kept"))
    }

    @Test("a damaged cache is told in one line")
    func errorText() {
        #expect(
            TokenCacheError.damaged(file: "a", reason: "its checksum does not match").description
                == "a: damaged: its checksum does not match")
    }
}
