import FoundationEssentials
import TestSupport
import Testing

@Suite("Bad input")
struct BadInputTests {
    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var arguments: [String] = []
        var data: String?
        var damage: Damage?
        var expected: String
    }

    enum Damage {
        case truncatedWeights, lyingHeader, missingWeights, missingConfiguration, wrongShape
        case malformedTokenizer
    }

    static let record = #"{"instruction": "Say a.", "output": "a"}"#

    static let cases = [
        Case(
            testDescription: "a truncated safetensors file", damage: .truncatedWeights,
            expected: "model.safetensors: "),
        Case(
            testDescription: "a lying header", damage: .lyingHeader,
            expected: "model.safetensors: "),
        Case(
            testDescription: "no weights", damage: .missingWeights,
            expected: "model.safetensors"),
        Case(
            testDescription: "no configuration", damage: .missingConfiguration,
            expected: "config.json"),
        Case(
            testDescription: "a wrong shape", damage: .wrongShape,
            expected: "has shape ["),
        Case(
            testDescription: "a malformed tokenizer", damage: .malformedTokenizer,
            expected: "tokenizer.json"),
        Case(
            testDescription: "a record without an answer",
            data: record + "\n" + #"{"instruction": "Say b."}"#,
            expected: "records.jsonl:2: field 'output' is missing"),
        Case(
            testDescription: "an empty record", data: "{}",
            expected: "records.jsonl:1"),
        Case(
            testDescription: "a field of another type",
            data: #"{"instruction": 7, "output": "a"}"#,
            expected: "records.jsonl:1: field 'instruction' is an integer, expected a string"),
        Case(
            testDescription: "a truncated line", data: record + "\n" + #"{"instruction": "Sa"#,
            expected: "records.jsonl:2"),
        Case(
            testDescription: "an id beyond the vocabulary",
            data: #"{"prompt_ids": [1, 2], "response_ids": [99999]}"#,
            expected: "records.jsonl:1"),
        Case(testDescription: "no records", data: "\n", expected: "records.jsonl"),
        Case(
            testDescription: "a target that is no layer",
            arguments: ["--lora-target-modules", "q_proj"],
            expected: "target module 'q_proj'"),
        Case(
            testDescription: "a data file that is not there",
            arguments: ["--data", "/nowhere/records.jsonl"], expected: "/nowhere/records.jsonl"),
        Case(
            testDescription: "a model that is not there", arguments: ["--model", "no/model"],
            expected: "no/model: no such folder, nor is there"),
        Case(
            testDescription: "an output folder that is a file",
            arguments: ["--output-dir", "/dev/null"], expected: "/dev/null"),
        Case(
            testDescription: "a template that is not there",
            arguments: ["--template", "nowhere.jinja"], expected: "nowhere.jinja"),
    ]

    @Test("ends with status 1 and one line that names it", arguments: cases)
    func isReported(_ bad: Case) throws {
        let workshop = try CommandWorkshop()
        let records = try workshop.write(bad.data ?? Self.record, to: "records.jsonl")
        if let damage = bad.damage { try apply(damage, to: workshop.model) }
        let run = try CommandRun(
            "mtl-finetune",
            [
                "--model", workshop.model, "--data", records, "--max-steps", "1",
                "--output-dir", workshop("out"),
            ] + bad.arguments)
        #expect(run.status == 1)
        #expect(run.errorLines.count == 1, "\(run.errors)")
        #expect(run.errors.contains(bad.expected), "\(run.errors)")
        #expect(throws: (any Error).self) { try workshop.bytes("out/adapter_model.safetensors") }
    }

    @Test("wrong usage ends with status 64 and the usage line")
    func wrongUsage() throws {
        for arguments in [
            ["--nonsense"], ["--model", "m", "--data", "d", "--batch-size", "0"],
            ["--model", "m", "--data", "d", "--lora-r", "eight"],
            ["--model", "m", "--data", "d", "--tree-neighbors", "0"],
        ] {
            let run = try CommandRun("mtl-finetune", arguments)
            #expect(run.status == 64, "\(arguments)")
            #expect(run.errors.contains("Usage:"), "\(run.errors)")
        }
    }

    private func apply(_ damage: Damage, to model: String) throws {
        let weights = URL(filePath: "\(model)/model.safetensors")
        let configuration = URL(filePath: "\(model)/config.json")
        switch damage {
        case .truncatedWeights:
            let bytes = try Data(contentsOf: weights)
            try bytes.prefix(bytes.count / 2).write(to: weights)
        case .lyingHeader:
            var bytes = try Data(contentsOf: weights)
            bytes.replaceSubrange(0..<8, with: [255, 255, 255, 255, 255, 255, 255, 127])
            try bytes.write(to: weights)
        case .missingWeights: try FileManager.default.removeItem(at: weights)
        case .missingConfiguration: try FileManager.default.removeItem(at: configuration)
        case .wrongShape:
            let text = String(decoding: try Data(contentsOf: configuration), as: UTF8.self)
            try Data(
                text.replacing("\"hidden_size\": 128", with: "\"hidden_size\": 136").utf8
            ).write(to: configuration)
        case .malformedTokenizer:
            try Data("{\"model\": 3".utf8).write(to: URL(filePath: "\(model)/tokenizer.json"))
        }
    }
}
