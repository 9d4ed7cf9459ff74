import ArgumentParser
import CommandSupport
import Evaluation

/// Which tasks, on which documents, with how many examples.
struct TaskOptions: ParsableArguments {
    private static let defaults = EvaluationOptions()

    @Option(
        parsing: .upToNextOption,
        help: "Tasks, tags, groups, patterns or YAML files, separated by commas or blanks.")
    var tasks: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: """
            Folders with documents: a split S of task T is the first that exists of T/S.jsonl and \
            DATASET[/CONFIG]/S.jsonl, each also with .zst. What is in none of them is fetched from the \
            Hugging Face hub, once.
            """)
    var dataDir: [String] = []

    @Option(parsing: .upToNextOption, help: "Folders with task files of your own.")
    var includePath: [String] = []

    @Option(help: "Examples in each prompt. Default: what the task says, else 0.")
    var numFewshot: Int?

    @Option(help: "Only the first documents of each task: a fraction below 1 or a count.")
    var limit: Double?

    @Option(help: "Requests computed at once, about, or auto; does not change results.")
    var batchSize = "auto"

    @Option(help: "Maximum number of tokens read per request; earlier ones are cut off.")
    var maxLength = defaults.maximumLength

    @Option(
        help: """
            The harness's seeds, python,numpy,torch,fewshot, or one for all; only the last decides \
            anything.
            """)
    var seed = "0,1234,1234,1234"

    @Option(help: "Number of bootstrap resamples for standard errors.")
    var bootstrapIters = defaults.bootstrapIterations

    @Option(help: "A text put before every prompt.")
    var systemInstruction: String?

    @Flag(help: "Fail if a task's examples cannot come from where it says.")
    var strict = false

    @Flag(help: "List tasks, groups and tags, and exit.")
    var listTasks = false

    @Option(
        help: """
            Arguments of generation in the place of the tasks' own, KEY=VALUE,… or a JSON object: \
            max_gen_toks, until, temperature, do_sample, top_k, top_p, min_p, repetition_penalty.
            """)
    var genKwargs: String?

    @Option(
        help: """
            A Python interpreter that runs the Python functions of task files. This runs the code of \
            the tasks' authors, with all your rights: name only tasks that you trust. Without it, no \
            Python is run.
            """)
    var python: String?

    @Option(help: "Seconds that one call of a task's Python function may take.")
    var pythonTimeout = 600

    @Flag(help: "With --python, also run tasks that run code which the model writes.")
    var confirmRunUnsafeCode = false

    /// The names of the tasks.
    var names: [String] {
        tasks.flatMap { $0.split(separator: ",").map(String.init) }.filter { !$0.isEmpty }
    }

    /// The harness's four seeds.
    var seeds: [Int]? {
        let parts = seed.split(separator: ",").map { Int($0) }
        guard !parts.isEmpty, !parts.contains(nil) else { return nil }
        let seeds = parts.compactMap { $0 }
        return seeds.count == 1 ? Array(repeating: seeds[0], count: 4) : seeds
    }

    /// What tasks are allowed, and what is otherwise than they say.
    var settings: TaskSettings {
        var x = TaskSettings()
        if let python {
            var limits = PythonRunner.Limits()
            limits.time = .seconds(pythonTimeout)
            x.python = PythonRunner(interpreter: python, limits: limits) {
                Interruption.exitCode != nil
            }
        }
        x.allowsUnsafeCode = confirmRunUnsafeCode
        x.generationChanges = genKwargs.flatMap(TaskSettings.generationChanges) ?? [:]
        return x
    }

    /// The options that the flags make up.
    func options(threads: Int) -> EvaluationOptions {
        var x = EvaluationOptions()
        x.shots = numFewshot
        x.limit = limit
        x.maximumLength = maxLength
        x.bootstrapIterations = bootstrapIters
        x.systemInstruction = systemInstruction
        x.fewShotSeed = UInt64(clamping: seeds?.last ?? 1234)
        x.generationSeed = UInt64(clamping: seeds?[2] ?? 1234)
        x.generationChanges = settings.generationChanges
        x.threads = threads
        x.isStrict = strict
        if let count = Int(batchSize) {
            let (tokens, isTooLarge) = count.multipliedReportingOverflow(by: 256)
            x.batchTokens = isTooLarge ? .max : tokens
        }
        return x
    }

    func validate() throws {
        guard numFewshot ?? 0 >= 0 else {
            throw ValidationError("--num-fewshot is \(numFewshot ?? 0), expected at least 0")
        }
        if let limit, !(limit > 0 && limit.isFinite) {
            throw ValidationError("--limit is \(limit), expected above 0")
        }
        guard batchSize == "auto" || (Int(batchSize) ?? 0) >= 1 else {
            throw ValidationError(
                "--batch-size is '\(batchSize)', expected auto or a number of at least 1")
        }
        guard maxLength >= 1 else {
            throw ValidationError("--max-length is \(maxLength), expected at least 1")
        }
        guard let seeds, seeds.count == 4, seeds.allSatisfy({ $0 >= 0 }) else {
            throw ValidationError("--seed is '\(seed)', expected one number or four")
        }
        if let genKwargs, TaskSettings.generationChanges(genKwargs) == nil {
            throw ValidationError(
                "--gen-kwargs is '\(genKwargs)', expected KEY=VALUE,… or a JSON object")
        }
        guard pythonTimeout >= 1 else {
            throw ValidationError("--python-timeout is \(pythonTimeout), expected at least 1")
        }
        guard bootstrapIters >= 0 else {
            throw ValidationError("--bootstrap-iters is \(bootstrapIters), expected at least 0")
        }
    }
}

/// What is written where.
struct OutputOptions: ParsableArguments {
    /// How the table is printed.
    enum Table: String, ExpressibleByArgument, CaseIterable {
        /// As the harness prints it.
        case harness
        /// Always with four decimals.
        case plain4
    }

    @Option(help: "The folder, or .json file, for results in the harness's schema.")
    var outputPath: String?

    @Flag(help: "Write every prompt, answer and score too; needs --output-path.")
    var logSamples = false

    @Flag(help: "Show prompt, target and request of each task's first document.")
    var writeOut = false

    @Flag(help: "Continue an interrupted run with the same --output-path.")
    var resume = false

    @Option(help: "How the table is printed: as the harness does, or plain4 with four decimals.")
    var table = Table.harness

    @Flag(help: "Show no progress.")
    var quiet = false
}
