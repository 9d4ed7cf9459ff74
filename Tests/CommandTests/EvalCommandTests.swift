import Storage
import TestSupport
import Testing

@Suite("mtl-eval loglikelihood and tokenize")
struct EvalCommandTests {
    @Test("texts become ids and ids the texts again")
    func tokenizeRoundTrip() throws {
        let workshop = try CommandWorkshop()
        let input = try workshop.write(
            #"{"text": "The capital of Norway  is Oslo.<|endoftext|>", "n": 1}"# + "\n"
                + #"{"text": ""}"# + "\n", to: "texts.jsonl")
        let run = try CommandRun(
            "mtl-eval",
            [
                "tokenize", "--model", workshop.model, "--input", input, "--output",
                workshop("ids.jsonl"),
            ])
        try #require(run.status == 0, "\(run.errors)")
        let ids = try JSONRecords(path: workshop("ids.jsonl")).all()
        #expect(ids[0].object["n"] == 1)
        #expect(ids[0].object["ids"]?.arrayValue?.last == 0)
        #expect(ids[1].object["ids"] == [])
        let back = try CommandRun(
            "mtl-eval",
            [
                "tokenize", "--model", "\(workshop.model)/tokenizer.json", "--decode", "--input",
                workshop("ids.jsonl"), "--output", workshop("back.jsonl"),
            ])
        try #require(back.status == 0, "\(back.errors)")
        let texts = try JSONRecords(path: workshop("back.jsonl")).all()
        #expect(
            texts[0].object["text"]?.stringValue
                == "The capital of Norway  is Oslo.<|endoftext|>")
    }

    @Test("the three forms of requests agree with each other")
    func loglikelihoodForms() throws {
        let workshop = try CommandWorkshop()
        func score(_ lines: [String], _ arguments: [String]) throws -> [JSONObject] {
            let input = try workshop.write(
                lines.joined(separator: "\n") + "\n", to: "requests.jsonl")
            let run = try CommandRun(
                "mtl-eval",
                [
                    "loglikelihood", "--model", workshop.model, "--requests", input, "--output",
                    workshop("answers.jsonl"),
                ] + arguments)
            try #require(run.status == 0, "\(run.errors)")
            return try JSONRecords(path: workshop("answers.jsonl")).all().map(\.object)
        }
        for topology in [["--topology", "chain"], ["--topology", "tree"]] {
            let pair = try score(
                [
                    #"{"context_ids": [5, 6, 7, 8, 9], "continuation_ids": [10, 11, 12]}"#,
                    #"{"context_ids": [], "continuation_ids": [5]}"#,
                ], topology)
            let logprobs = try #require(pair[0]["token_logprobs"]?.arrayValue)
            #expect(logprobs.count == 3)
            let sum = logprobs.compactMap(\.numberValue).reduce(0, +)
            #expect(pair[0]["loglikelihood"]?.numberValue == sum)
            #expect(pair[1]["token_logprobs"]?.arrayValue?.count == 1)
            let all = try score(
                [#"{"ids": [5, 6, 7, 8, 9, 10, 11, 12], "prompt_length": 5}"#],
                topology + ["--all-positions"])
            let positions = try #require(all[0]["token_logprobs"]?.arrayValue)
            #expect(positions.count == 7)
            for (one, other) in zip(logprobs, positions.suffix(3)) {
                #expect(abs((one.numberValue ?? 0) - (other.numberValue ?? 1)) < 1e-5)
            }
        }
    }

    @Test("a request that cannot be scored is named by file and line")
    func badRequests() throws {
        let workshop = try CommandWorkshop()
        for (line, expected) in [
            (#"{"context_ids": [1], "continuation_ids": []}"#, "'continuation_ids'"),
            (#"{"context_ids": [1], "continuation_ids": [-4]}"#, "-4"),
            (#"{"context": "a"}"#, "'continuation' is missing"),
            (#"{"context": "a", "continuation": ""}"#, "'continuation'"),
            (#"[1]"#, "expected an object"),
        ] {
            let input = try workshop.write(line + "\n", to: "requests.jsonl")
            let run = try CommandRun(
                "mtl-eval",
                [
                    "loglikelihood", "--model", workshop.model, "--requests", input, "--output",
                    workshop("answers.jsonl"),
                ])
            #expect(run.status == 1)
            #expect(run.errors.contains("requests.jsonl:1"), "\(run.errors)")
            #expect(run.errors.contains(expected), "\(run.errors)")
            #expect(throws: (any Error).self) { try workshop.bytes("answers.jsonl") }
        }
    }
}
