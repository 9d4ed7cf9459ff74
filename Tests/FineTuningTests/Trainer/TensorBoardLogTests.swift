import MambaLM
import Storage
import TestSupport
import Testing

@testable import FineTuning

@Suite("Files for TensorBoard")
struct TensorBoardLogTests {
    private let folder = TemporaryFolder()

    private func trainer(
        _ change: (inout TrainingConfiguration) -> Void = { _ in }
    ) throws -> Trainer {
        var configuration = quickConfiguration()
        configuration.maxSteps = 4
        configuration.stepsPerEvaluation = 2
        configuration.reportTarget = .tensorboard
        change(&configuration)
        let model = tinyModel()
        return try Trainer(
            model: model, contents: try tinyAdapter(on: model), training: countingRecords(8),
            validation: countingRecords(3, seed: 4), configuration: configuration,
            folder: folder.file("out"))
    }

    /// The events of all files, the oldest first.
    private func events() throws -> [[Event]] {
        try folder.names(in: "out/runs").sorted().map { name in
            #expect(name.wholeMatch(of: /events\.out\.tfevents\.\d{10}\..+\.\d+\.\d+/) != nil)
            return try Event.all(in: rawContents(folder.file("out/runs/\(name)")))
        }
    }

    @Test("every line of the log is an event, with the same numbers")
    func scalars() throws {
        try trainer().run()
        let events = try #require(try events().first)
        #expect(events[0].version == "brain.Event:2" && events[0].time > 1e9)
        let found = events.flatMap { event in
            event.values.map { "\(event.step) \($0.tag) \($0.value)" }
        }
        let rows = try JSONRecords(path: folder.file("out/metrics.jsonl")).all().map(\.object)
        for (key, tag) in [
            ("loss", "train/loss"), ("learning_rate", "train/learning_rate"),
            ("grad_norm", "train/grad_norm"), ("tokens_per_second", "train/tokens_per_second"),
            ("eval_loss", "eval/loss"),
        ] {
            let expected = rows.compactMap { row -> String? in
                guard let value = row[key]?.numberValue, let step = row["step"]?.integerValue
                else { return nil }
                return "\(step) \(tag) \(Float(value))"
            }
            #expect(!expected.isEmpty && found.filter { $0.contains(" \(tag) ") } == expected)
        }
    }

    @Test("a run that goes on begins a file that takes later steps back, and changes no bit")
    func resumed() throws {
        try trainer().run()
        let whole = rawContents(folder.file("out/adapter_model.safetensors"))
        try FolderTree.discard(folder.file("out"))
        var step = 0
        try trainer().run(
            shouldStop: { step == 3 },
            report: { if case .progress(let progress) = $0 { step = progress.step } })
        try trainer().run(resuming: true)
        let files = try events()
        #expect(files.count == 2)
        #expect(files.map { $0.compactMap(\.restart) } == [[1], [4]] && files[1][1].restart != nil)
        let steps = files[1].filter { !$0.values.isEmpty }.map(\.step)
        #expect(Set(steps) == [4])
        #expect(rawContents(folder.file("out/adapter_model.safetensors")) == whole)
        // A finished run writes nothing more.
        try trainer().run(resuming: true)
        #expect(try events().count == 2)
        // The folder is the run's own.
        try trainer { $0.reportTarget = .none }.run(
            in: RunFolder(folder.file("out"), .overwriting))
        #expect(!folder.names(in: "out").contains("runs"))
        folder.makeFolders("out/runs")
        folder.write("mine", to: "out/runs/notes.txt")
        #expect(throws: OutputError.foreign(folder: folder.file("out"), name: "runs")) {
            _ = try RunFolder(folder.file("out"), .overwriting)
        }
    }

    @Test("texts are there as they are")
    func texts() throws {
        folder.makeFolders("out")
        let log = try TensorBoardLog(folder: folder.file("out"), finishedSteps: 0)
        try log.append(
            SampleAnswer(step: 7, prompt: "a\nb", answer: "*c*", isBase: false), number: 2)
        let event = try #require(try events().first?.last)
        #expect(event.step == 7 && event.values.map(\.tag) == ["samples/2"])
        #expect(event.values[0].text == "    a\n    b\n\nAnswer:\n\n    *c*")
    }
}

/// What a test reads of an event.
private struct Event {
    var time = 0.0
    var step = 0
    var version = ""
    var restart: Int?
    var values: [(tag: String, value: Float, text: String)] = []

    /// The records of a file, each held against its checksums.
    static func all(in bytes: [UInt8]) throws -> [Event] {
        var rest = bytes[...]
        var events: [Event] = []
        while !rest.isEmpty {
            let length = Array(rest.prefix(8))
            let count = Int(number(length))
            let data = Array(rest.dropFirst(12).prefix(count))
            for (part, sum) in [(length, rest.dropFirst(8)), (data, rest.dropFirst(12 + count))] {
                let crc = CRC32C.of(part)
                #expect((crc >> 15 | crc << 17) &+ 0xA282_EAD8 == UInt32(number(sum.prefix(4))))
            }
            events.append(Event(data))
            rest = rest.dropFirst(16 + count)
        }
        return events
    }

    private init(_ data: [UInt8]) {
        for (field, value) in Self.fields(data) {
            switch field {
            case 1: time = Double(bitPattern: Self.number(value))
            case 2: step = Int(Self.number(value))
            case 3: version = String(decoding: value, as: UTF8.self)
            case 5: values = Self.fields(value).map { Self.value($0.value) }
            case 7: restart = Self.fields(value).first?.value.first == 1 ? 0 : nil
            default: Issue.record("field \(field)")
            }
        }
        if restart != nil { restart = step }
    }

    private static func value(_ data: [UInt8]) -> (String, Float, String) {
        var result = ("", Float(0), "")
        for (field, value) in fields(data) {
            switch field {
            case 1: result.0 = String(decoding: value, as: UTF8.self)
            case 2: result.1 = Float(bitPattern: UInt32(number(value)))
            case 8:
                let text = fields(value).last { $0.field == 8 }?.value ?? []
                result.2 = String(decoding: text, as: UTF8.self)
            default: break
            }
        }
        return result
    }

    /// The fields of a message; numbers as eight bytes.
    private static func fields(_ data: [UInt8]) -> [(field: Int, value: [UInt8])] {
        var (rest, result) = (data[...], [(field: Int, value: [UInt8])]())
        func varint() -> Int {
            var (value, shift) = (0, 0)
            while let byte = rest.popFirst() {
                value |= Int(byte & 0x7F) << shift
                shift += 7
                if byte < 0x80 { break }
            }
            return value
        }
        while !rest.isEmpty {
            let key = varint()
            let count = [1: 8, 5: 4][key & 7] ?? 0
            if key & 7 == 0 {
                let value = varint()
                result.append((key >> 3, (0..<8).map { UInt8(value >> ($0 * 8) & 0xFF) }))
            } else {
                let size = key & 7 == 2 ? varint() : count
                result.append((key >> 3, Array(rest.prefix(size))))
                rest = rest.dropFirst(size)
            }
        }
        return result
    }

    private static func number(_ bytes: some Collection<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
