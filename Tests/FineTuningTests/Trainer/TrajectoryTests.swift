import LoRA
import MambaLM
import Storage
import Tensors
import TestSupport
import Testing
import TreeSSMText

@testable import FineTuning

/// Whole runs against PyTorch in double precision; `scripts/reference` made the fixtures.
@Suite("Training trajectories")
struct TrajectoryTests {
    private func model(topology: String) throws -> MambaModel {
        let (model, _) = try MambaModel.load(
            folder: Fixtures.path("plain"), engine: makeEngine(threads: 2))
        if topology == "tree" { model.flow = TreeFlow() }
        return model
    }

    private static let names = [
        "chain", "chain-record", "tree", "tree-record", "chain-linear", "chain-cosine",
    ]

    @Test("loss, norm and rate of every step, and the adapter at the end", arguments: names)
    func trajectory(name: String) throws {
        let runs = try JSONFields(
            JSONValue.read(Fixtures.path("training.json")), file: "training.json"
        )
        .array("runs").map { try JSONFields($0, file: "training.json") }
        let run = try #require(try runs.first { try $0.string("name") == name })
        var settings = run.object
        for key in ["name", "topology", "steps"] { settings[key] = nil }
        settings["logging_steps"] = 1
        settings["shuffle"] = false
        let configuration = try TrainingConfiguration(settings: settings, file: "training.json")

        let model = try model(topology: try run.string("topology"))
        let adapters = try LoRAAdapterSet.read(
            Fixtures.path("adapters/default"), attachingTo: model
        ).adapters
        let data = try InstructionData(
            files: [Fixtures.path("records.jsonl")], format: .ids,
            vocabulary: model.configuration.vocabulary)
        let records = try RecordEncoder(
            text: nil, configuration: configuration, vocabulary: model.configuration.vocabulary
        ).encode(data.records, threads: 1).records
        let folder = TemporaryFolder()
        var found: [StepMetrics] = []
        try Trainer(
            model: model, contents: TrainedAdapter(adapters), training: records,
            configuration: configuration, folder: folder.path
        ).run(report: { if case .logged(let metrics) = $0 { found.append(metrics) } })

        let steps = try run.array("steps").map { try JSONFields($0, file: "training.json") }
        func expectSteps(_ key: String, _ values: [Double], _ tolerance: Double) throws {
            expectClose(
                values.map(Float.init), try steps.map { try $0.number(key) },
                within: Tolerance(absolute: tolerance, relative: tolerance))
        }
        // Single precision throughout; PyTorch's own is as far from its double precision. A norm
        // adds the rounding of all gradients, which reach 30 here.
        try expectSteps("loss", found.map(\.loss), 2e-6)
        try expectSteps("grad_norm", found.map(\.gradientNorm), 1e-5)
        try expectSteps("learning_rate", found.map(\.learningRate), 1e-7)
        #expect(
            found.map(\.scoredTokens) == (try steps.map { try $0.integer("scored_tokens") }))

        let expected = try SafetensorsFile(
            path: Fixtures.path("final/\(name)/adapter_model.safetensors"))
        let trained = try SafetensorsFile(path: "\(folder.path)/adapter_model.safetensors")
        #expect(trained.tensors.map(\.name) == expected.tensors.map(\.name))
        for tensor in expected.tensors {
            expectClose(
                try trained.floats(of: try trained.tensor(tensor.name)),
                try expected.floats(of: tensor).map(Double.init),
                within: Tolerance(absolute: 3e-6, relative: 0))
        }
    }
}
