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
                    workshop("answers.jsonl"), "--overwrite",
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

    // mtl-eval tokenize --output train.jsonl wrote over the records that it was given, and over anything else.
    @Test("a file that exists is kept without --overwrite, and one that is read with it")
    func outputs() throws {
        let workshop = try CommandWorkshop()
        let text = #"{"text": "Oslo", "ids": [1], "context": "a", "continuation": " b"}"# + "\n"
        let input = try workshop.write(text, to: "in.jsonl")
        let other = try workshop.write("mine", to: "other.jsonl")
        func refusal(_ arguments: [String], _ output: String) throws -> String {
            let before = rawContents(output)
            let run = try CommandRun(
                "mtl-eval", arguments + ["--model", workshop.model, "--output", output])
            #expect(run.status == 1 && rawContents(output) == before)
            return run.errors
        }
        for command in [["tokenize", "--input", input], ["loglikelihood", "--requests", input]] {
            #expect(
                try refusal(command, other).contains(
                    "other.jsonl: exists already; choose another name or give --overwrite"))
            for output in [input, "\(workshop.model)/model.safetensors"] {
                #expect(
                    try refusal(command + ["--overwrite"], output).contains(
                        "expected an output of its own"))
            }
            let run = try CommandRun(
                "mtl-eval",
                command + ["--model", workshop.model, "--output", other, "--overwrite"])
            #expect(run.status == 0, "\(run.errors)")
            #expect(try JSONRecords(path: other).all().count == 1)
            #expect(
                try CommandRun(
                    "mtl-eval",
                    command + ["--model", workshop.model, "--output", workshop("no/where.jsonl")]
                ).errors.contains("no: cannot write into: No such file"))
            _ = try workshop.write("mine", to: "other.jsonl")
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
