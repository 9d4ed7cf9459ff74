import MambaLM
import Storage
import Testing

@testable import FineTuning
import TestSupport

@Suite("Resuming")
struct ResumeTests {
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

    @Test("without a checkpoint there is nothing to resume")
    func nothingToResume() throws {
        #expect(throws: CheckpointError.none(folder: folder.path, faults: [])) {
            try trainer().run(resuming: true)
        }
    }

    @Test("a changed setting is refused by name")
    func changedSettings() throws {
        try trainer().run()
        func expectRefused(_ key: String, _ found: String, _ expected: String, _ trainer: Trainer) {
            #expect(
                throws: CheckpointError.changed(
                    checkpoint: checkpoint(4), key: key, found: found, expected: expected)
            ) {
                try trainer.run(resuming: true)
            }
        }
        expectRefused("learning_rate", "0.5", "0.01", try trainer { $0.learningRate = 0.5 })
        expectRefused("seed", "1", "42", try trainer { $0.seed = 1 })
        expectRefused("lora_r", "4", "2", try trainer(settings: ["lora_r": 4]))
        expectRefused("lora_r", "not set", "2", try trainer(settings: [:]))
        expectRefused(
            "topology", "\"tree\"", "not set",
            try trainer(settings: ["lora_r": 2, "topology": "tree"]))
        #expect(throws: CheckpointError.changedData(checkpoint: checkpoint(4))) {
            try trainer(records: countingRecords(18, seed: 5)).run(resuming: true)
        }
        #expect(throws: CheckpointError.pastEnd(checkpoint: checkpoint(4), step: 4, total: 3)) {
            try trainer { $0.maxSteps = 3 }.run(resuming: true)
        }
    }

    @Test("a run may be made longer, unless its rates depend on its length")
    func longerRuns() throws {
        try trainer().run()
        let summary = try trainer {
            $0.maxSteps = 6
            $0.loggingSteps = 5
        }.run(resuming: true)
        #expect(summary.step == 6)

        let other = try ResumeTests()
        try other.trainer { $0.schedule = .linear }.run()
        #expect(
            throws: CheckpointError.changed(
                checkpoint: other.checkpoint(4), key: "max_steps", found: "6", expected: "4")
        ) {
            try other.trainer {
                $0.schedule = .linear
                $0.maxSteps = 6
            }.run(resuming: true)
        }
    }

    @Test("a damaged checkpoint is passed over with a warning")
    func damagedCheckpoint() throws {
        try trainer().run()
        let whole = rawContents("\(folder.path)/adapter_model.safetensors")
        _ = folder.write("{", to: "checkpoint-4/resume.json")
        _ = folder.write("short", to: "checkpoint-3/optimizer.safetensors")
        _ = folder.write("", to: "checkpoint-x")
        var warnings: [String] = []
        var resumed: String?
        try trainer().run(
            resuming: true,
            report: { event in
                if case .warning(let text) = event { warnings.append(text) }
                if case .started(let outline) = event { resumed = outline.resumedFrom }
            })
        #expect(warnings.count == 2)
        #expect(warnings.first?.hasPrefix(checkpoint(4)) == true)
        #expect(resumed == checkpoint(2))
        #expect(rawContents("\(folder.path)/adapter_model.safetensors") == whole)
    }
}
