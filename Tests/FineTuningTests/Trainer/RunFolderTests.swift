import FoundationEssentials
import Glibc
import Tensors
import MambaLM
import Storage
import Testing

@testable import FineTuning
import TestSupport

@Suite("A run's folder")
struct RunFolderTests {
    private let folder: TemporaryFolder

    init() throws { folder = TemporaryFolder() }

    private func trainer(
        _ change: (inout TrainingConfiguration) -> Void = { _ in },
        records: [TrainingRecord] = countingRecords(18), settings: JSONObject = ["lora_r": 2]
    ) throws -> Trainer {
        var configuration = quickConfiguration()
        configuration.maxSteps = 4
        configuration.saveSteps = 1
        configuration.saveTotalLimit = 0
        change(&configuration)
        let model = tinyModel()
        return try Trainer(
            model: model, contents: try tinyAdapter(on: model), training: records,
            configuration: configuration, folder: folder.path, settings: settings)
    }

    private func checkpoint(_ step: Int) -> String { "\(folder.path)/checkpoint-\(step)" }

    @Test("a second run is refused, or takes the first one's place")
    func secondRun() throws {
        try trainer().run()
        let before = folder.names()
        #expect(throws: OutputError.self) { try trainer().run() }
        #expect(folder.names() == before)
        try trainer {
            $0.maxSteps = 2
            $0.saveTotalLimit = 1
        }.run(in: RunFolder(folder.path, .overwriting))
        #expect(folder.names().filter { $0.hasPrefix("checkpoint") } == ["checkpoint-2"])
        let lines = try JSONRecords(path: folder.file("metrics.jsonl")).all()
        #expect(lines.filter { $0.object["loss"] != nil }.map { $0.object["step"] } == [1, 2])
    }

    @Test("what is not the program's own stays, and is named")
    func strangersFiles() throws {
        try trainer().run()
        folder.write("mine", to: "notes.txt")
        #expect(throws: OutputError.foreign(folder: folder.path, name: "notes.txt")) {
            _ = try RunFolder(folder.path, .overwriting)
        }
        // Another trainer's checkpoint goes by the same name.
        try #require(rename(folder.file("notes.txt"), folder.file("other.txt")) == 0)
        let other = TemporaryFolder()
        other.makeFolders("checkpoint-4")
        other.write("{}", to: "checkpoint-4/trainer_state.json")
        #expect(throws: OutputError.foreign(folder: other.path, name: "checkpoint-4")) {
            _ = try RunFolder(other.path, .overwriting)
        }
        // Nor is a model or an adapter that no run wrote.
        let model = TemporaryFolder()
        try tinyModel().save(folder: model.path)
        #expect(throws: OutputError.foreign(folder: model.path, name: "config.json")) {
            _ = try RunFolder(model.path, .overwriting)
        }
        // A run that goes on touches neither.
        try trainer { $0.maxSteps = 5 }.run(resuming: true)
        #expect(folder.names().contains("other.txt"))
    }

    @Test("two runs at once are refused, and the other process is named")
    func lockedFolder() throws {
        let held = try RunFolder(folder.path, .anew)
        let error = #expect(throws: OutputError.self) { try trainer().run() }
        guard case .inUse(folder.path, let holder) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(holder.hasPrefix("process \(getpid()), which began at 20"))
        withExtendedLifetime(held) {}
    }

    @Test("an earlier run's checkpoints are never those of the run that died")
    func earlierRun() throws {
        try trainer().run()
        // A run that overwrites has its number, and is killed before the old checkpoints are gone.
        folder.write(#"{"run": "abc"}"#, to: "run.json")
        let error = #expect(throws: CheckpointError.self) { try trainer().run(resuming: true) }
        guard case .some(.none(folder.path, let faults)) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(faults.count == 4 && faults[0].contains("earlier run"))
    }

    @Test("a checkpoint that was copied into a folder of its own goes on")
    func copiedCheckpoint() throws {
        try trainer().run()
        let other = TemporaryFolder()
        try FileManager.default.copyItem(
            atPath: checkpoint(4), toPath: other.file("checkpoint-4"))
        try FileManager.default.removeItem(atPath: folder.path)
        try FileManager.default.moveItem(atPath: other.path, toPath: folder.path)
        for steps in [5, 6] {
            #expect(try trainer { $0.maxSteps = steps }.run(resuming: true).step == steps)
        }
    }

    @Test(
        "a flipped bit is noticed, and the older checkpoint taken",
        arguments: [
            "optimizer.safetensors", "adapter_model.safetensors", "resume.json",
            "trainer_state.json",
        ])
    func flippedBit(name: String) throws {
        try trainer().run()
        let whole = rawContents(folder.file("adapter_model.safetensors"))
        var bytes = rawContents(folder.file("checkpoint-4/\(name)"))
        bytes[bytes.count - 100] ^= 0x10
        folder.write(bytes, to: "checkpoint-4/\(name)")
        var warnings: [String] = []
        try trainer().run(
            resuming: true, report: { if case .warning(let text) = $0 { warnings.append(text) } })
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("checkpoint-4/\(name): has another SHA-256") == true)
        #expect(rawContents(folder.file("adapter_model.safetensors")) == whole)
    }

    @Test("another base model is refused, another engine worth a warning")
    func otherModel() throws {
        try trainer().run()
        func other(_ change: (MambaModel) -> Void, machine: JSONObject) throws -> Trainer {
            var configuration = quickConfiguration()
            configuration.maxSteps = 5
            let model = tinyModel()
            change(model)
            return try Trainer(
                model: model, contents: try tinyAdapter(on: model),
                training: countingRecords(18), configuration: configuration, folder: folder.path,
                settings: ["lora_r": 2], machine: machine)
        }
        let changed = try other(
            { model in
                let norm = model.normF.weight
                norm.replaceValue(Tensor(shape: norm.shape, repeating: 2))
            }, machine: [:])
        #expect(throws: CheckpointError.changedModel(checkpoint: checkpoint(4))) {
            try changed.run(resuming: true)
        }
        try other({ _ in }, machine: ["engine": "native"]).run(resuming: true)
        var warnings: [String] = []
        try other({ _ in }, machine: ["engine": "openblas"]).run(
            resuming: true, report: { if case .warning(let text) = $0 { warnings.append(text) } })
        #expect(
            warnings == [
                "\(checkpoint(5)): 'engine' was \"native\", found \"openblas\"; "
                    + "the result will differ in its last bits"
            ])
    }

    @Test("the run that was finished says so, and a lost result comes back")
    func finishedRun() throws {
        let first = try trainer().run()
        let name = folder.file("adapter_config.json")
        let whole = rawContents(name)
        unlink(name)
        let second = try trainer().run(resuming: true)
        #expect(!first.wasFinished && second.wasFinished && second.step == 4)
        #expect(rawContents(name) == whole)
    }

    @Test("values that are not finite are not saved, and what was saved before stays")
    func brokenValues() throws {
        try trainer().run()
        let before = rawContents(folder.file("adapter_model.safetensors"))
        let longer = try trainer { $0.maxSteps = 5 }
        let parameter = try #require(longer.optimizer.parameters.last)
        let error = #expect(throws: TrainingError.self) {
            try longer.run(
                resuming: true,
                report: { if case .progress = $0 { parameter.value.fill(.infinity) } })
        }
        #expect(error == .brokenTensor(name: parameter.name, step: 5))
        #expect(!folder.names().contains("checkpoint-5"))
        #expect(rawContents(folder.file("adapter_model.safetensors")) == before)
    }

    @Test("an absurd rate ends in an error at the only step")
    func absurdRate() throws {
        let error = #expect(throws: TrainingError.self) {
            try trainer {
                $0.learningRate = 1e300
                $0.warmupSteps = 0
                $0.maxSteps = 1
            }.run()
        }
        guard case .brokenTensor(_, step: 1) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(folder.names() == ["metrics.jsonl", "run.json"])
    }

    @Test("leftovers of killed runs go at the next start, and one checkpoint too many")
    func leftovers() throws {
        try trainer().run()
        // No process has the highest number.
        for name in [".checkpoint-9.4194304.0.tmp", ".files.4194304.0.tmp", ".out.1.0.tmp"] {
            folder.makeFolders(name)
            folder.write("half", to: "\(name)/half")
        }
        folder.write("half", to: ".adapter_config.json.4194304.3.tmp")
        folder.write("mine", to: ".notes.tmp")
        try trainer { $0.saveTotalLimit = 2 }.run(resuming: true)
        let names = folder.names()
        #expect(names.filter { $0.hasPrefix(".") } == [".notes.tmp", ".out.1.0.tmp"])
        #expect(names.filter { $0.hasPrefix("checkpoint") } == ["checkpoint-3", "checkpoint-4"])
    }

    @Test("an old checkpoint that cannot be removed is a warning")
    func stubbornCheckpoint() throws {
        try trainer().run()
        // Its hidden name is taken by something that cannot be removed: a folder without rights, unless
        // root runs the test, whom rights do not stop.
        try #require(getuid() == 0 || chmod(checkpoint(1), 0) == 0)
        defer { chmod(checkpoint(1), 0o700) }
        var warnings: [String] = []
        let summary = try trainer {
            $0.maxSteps = 5
            $0.saveTotalLimit = 1
        }.run(
            resuming: true, report: { if case .warning(let text) = $0 { warnings.append(text) } })
        #expect(summary.step == 5)
        #expect(getuid() == 0 || warnings.contains { $0.hasSuffix("this old checkpoint stays") })
    }
}
