import Storage
import TestSupport
import Testing

@testable import Evaluation

@Suite("Report of results")
struct ResultsReportTests {
    private func results(_ options: EvaluationOptions) throws -> EvaluationResults {
        let index = try TaskIndex(includePaths: [Fixture.path("tasks")])
        return try Evaluation(
            try TaskSelection(["piqa", "wikitext", "counted"], from: index),
            data: DataFolders([Fixture.path("data")]), options: options
        ).run(
            on: ToyModel(), encoder: RequestEncoder(tokenizer: ByteTokenizer(), prefixToken: 0),
            vocabulary: 257, writer: ToyModel().writer)
    }

    private var options: EvaluationOptions {
        var options = EvaluationOptions()
        options.bootstrapIterations = 10
        return options
    }

    @Test("files are named after model, task and date, and hold the harness's keys in its order")
    func filesAndKeys() throws {
        let folder = TemporaryFolder()
        var information = RunInformation()
        information.modelArguments = ["pretrained": "state-spaces/mamba:130m"]
        let report = ResultsReport(
            try results(options), options: options, information: information)
        let date = "2026-11-23T08:21:36.690643"
        let paths = try report.write(to: folder.path, date: date, includesSamples: true)
        let model = "state-spaces__mamba__130m"
        #expect(
            paths.map { String($0.dropFirst(folder.path.count + 1)) } == [
                "\(model)/results_2026-11-23T08-21-36.690643.json",
                "\(model)/samples_piqa_2026-11-23T08-21-36.690643.jsonl",
                "\(model)/samples_wikitext_2026-11-23T08-21-36.690643.jsonl",
                "\(model)/samples_counted_2026-11-23T08-21-36.690643.jsonl",
            ])
        let object = try #require(try JSONValue.read(paths[0]).objectValue)
        #expect(
            object.keys == [
                "results", "group_subtasks", "configs", "versions", "n-shot", "higher_is_better",
                "n-samples", "config", "git_hash", "date", "pretty_env_info",
                "transformers_version", "lm_eval_version", "upper_git_hash",
                "tokenizer_pad_token", "tokenizer_eos_token", "tokenizer_bos_token",
                "eot_token_id", "max_length", "task_hashes", "model_source", "model_name",
                "model_name_sanitized", "system_instruction", "system_instruction_sha",
                "fewshot_as_multiturn", "chat_template", "chat_template_sha",
                "total_evaluation_time_seconds", "warnings",
            ])
        #expect(
            object["configs"]?["wikitext"]?["process_results"]
                == "!function preprocess_wikitext.process_results")
        #expect(object["configs"]?["counted"]?["num_fewshot"] == 2)
        let named = try report.write(
            to: "\(folder.path)/x/run.json", date: date, includesSamples: false)
        #expect(named == ["\(folder.path)/x/run_2026-11-23T08-21-36.690643.json"])
    }

    @Test("a run without metrics has samples only")
    func predictsOnly() throws {
        var options = options
        options.predictsOnly = true
        let results = try results(options)
        #expect(results.tasks.allSatisfy { $0.figures.isEmpty && $0.sampleCount == 0 })
        #expect(try results.tasks[0].sampleObjects.count == 4)
        #expect(ResultsTable(results).text.split(separator: "\n").count == 2)
    }

    @Test("the table with four decimals keeps them")
    func fourDecimals() throws {
        let text = ResultsTable(try results(options), style: .fourDecimals).text
        #expect(text.contains("|acc_norm       |↑  |"))
        #expect(text.contains("0.5000"))
    }

    @Test("the line before the tables is in Python's notation")
    func headline() throws {
        var information = RunInformation()
        (information.model, information.batchSize) = ("hf", 2)
        information.modelArguments = ["pretrained": "tiny", "dtype": "float32"]
        var options = options
        (options.limit, options.shots) = (5, 2)
        #expect(
            try information.headline(options)
                == "hf ({'pretrained': 'tiny', 'dtype': 'float32'}), gen_kwargs: ({}), "
                + "limit: 5.0, num_fewshot: 2, batch_size: 2")
    }

    @Test("the local time has microseconds")
    func localTime() {
        let time = ResultsReport.localTime()
        #expect(time.utf8.count == 26 && time.utf8.contains(UInt8(ascii: "T")))
    }

    @Test("lists of tasks and first prompts are shown")
    func listings() throws {
        let listing = try TaskIndex().listing
        #expect(listing.contains("|lambada_openai"))
        #expect(listing.contains("|super-glue-lm-eval-v1     |"))
        let index = try TaskIndex()
        let task = try PreparedTask(
            try TaskSelection(["winogrande"], from: index).tasks[0],
            in: DataFolders([Fixture.path("data")]), options: EvaluationOptions())
        #expect(
            task.firstPrompt.contains("because the shelf\n--- continuation 1\n was too wide.\n"))
    }
}
