import Testing

@testable import FineTuning

@Suite("Sentences of errors")
struct ErrorTextTests {
    @Test("a number that is not finite is placed by records and step")
    func training() {
        let error = TrainingError.notFinite(
            .gradientNorm, value: .infinity, step: 7, origins: (1...16).map { "a.jsonl:\($0)" })
        #expect(
            error.description
                == "gradient norm of step 7 is inf, expected a finite number; lower --learning-rate, "
                + "or look at a.jsonl:1, a.jsonl:2, a.jsonl:3 and 13 more records")
    }

    @Test("what keeps a run from going on is named with its remedy")
    func checkpoint() {
        #expect(
            CheckpointError.none(folder: "out", faults: []).description
                == "out: holds no checkpoint to continue, expected checkpoint-N; "
                + "leave --resume out, or give --overwrite, to begin anew")
        #expect(
            CheckpointError.changed(
                checkpoint: "out/checkpoint-4", key: "seed", found: "1", expected: "42"
            ).description
                == "out/checkpoint-4: setting 'seed' was 42, found 1; a resumed run must keep it")
        #expect(
            CheckpointError.shape(file: "o.safetensors", name: "a", found: [2], expected: [3])
                .description == "o.safetensors: tensor 'a' has shape [2], expected [3]")
    }

    @Test("a schema names its keyword")
    func schema() {
        #expect(
            JSONSchema.Fault.unknownKeyword(schema: "s.json", keyword: "oneOf").description
                == "s.json: keyword 'oneOf' is not supported")
    }

    @Test("data that cannot be used is named with its remedy")
    func data() {
        #expect(
            DataError.allDropped(count: 3, limit: 4).description
                == "none of 3 records can be used with at most 4 tokens a record; "
                + "raise --max-seq-length")
    }
}
