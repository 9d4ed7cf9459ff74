import Jinja
import RegularExpressions
import Storage

/// What kind of requests a task makes.
public enum OutputType: String, CaseIterable, Sendable {
    /// Several choices, of which the likeliest counts.
    case multipleChoice = "multiple_choice"
    /// One continuation.
    case logLikelihood = "loglikelihood"
    /// Whole texts, in windows.
    case rolling = "loglikelihood_rolling"
    /// Text that the model writes.
    case generateUntil = "generate_until"
}

/// Where a text of a document comes from.
enum DocumentField: Sendable {
    /// An integer, a list or a mapping, the same for all documents.
    case constant(JSONValue)
    /// The name of a field or, where no field has it, a template.
    case text(String, Template?)
    /// A function of the document.
    case function(TaskFunction)
}

/// One metric of a task.
public struct MetricConfiguration: Sendable {
    /// Which one.
    public var name: MetricName
    /// How the documents' values are summed up.
    public var aggregation: Aggregation
    /// A function of Python that sums up in the place of ``aggregation``.
    var aggregatingFunction: PythonFunction?
    /// Whether more is better; nil if nothing is known.
    public var higherIsBetter: Bool?
    /// How an answer is scored, for texts that the model writes.
    var ofAnswers: AnswerMetric?
}

/// A task: its data, its prompts, its metrics.
public struct TaskConfiguration: Sendable {
    /// Where the examples of a prompt come from and how they are written.
    struct FewShot: Sendable {
        /// How examples are picked.
        enum Sampler: String, CaseIterable, Sendable {
            /// Drawn at random.
            case random = "default"
            /// The first ones.
            case first = "first_n"
        }

        var sampler: Sampler
        var split: String?
        var samples: [JSONObject]?
        /// Makes ``samples``.
        var samplesFunction: PythonFunction?
        var processDocuments: TaskFunction?
        var text: DocumentField?
        var target: DocumentField?
        var choices: DocumentField?
        var prefix: DocumentField?
        var targetDelimiter: String
        var delimiter: String
    }

    /// The name.
    public var name: String
    /// The name in tables.
    public var alias: String
    /// The file that defines it.
    public let path: String
    /// The kind of requests.
    public let outputType: OutputType
    /// The metrics, in the file's order.
    public var metrics: [MetricConfiguration]
    /// The version, as the file gives it.
    public let version: JSONValue
    /// The number of examples in a prompt that the file asks for.
    public let shots: Int?
    /// The data set's name on the Hugging Face hub.
    public let dataSet: String
    /// Its configuration there.
    public let dataSetConfiguration: String?
    /// Files that the task itself names for splits.
    let dataFiles: [String: [String]]
    let trainingSplit: String?
    let validationSplit: String?
    let testSplit: String?
    let processDocuments: TaskFunction?
    let text: DocumentField?
    let target: DocumentField?
    let choices: DocumentField?
    let processResults: TaskFunction?
    let description: DocumentField?
    let prefix: DocumentField?
    let targetDelimiter: String
    let fewShot: FewShot
    /// How texts are written; nil for other kinds of requests.
    let generation: GenerationArguments?
    /// How often each request is made.
    let repeats: Int
    /// What metrics see of answers.
    let filters: [FilterPipeline]
    /// Makes the documents of all splits.
    let customDataSet: PythonFunction?
    /// All keys, for the report.
    let keys: JSONObject

    /// The split that is evaluated.
    ///
    /// - Throws: ``TaskError`` if the task names none.
    public var evaluatedSplit: String {
        get throws {
            guard let split = testSplit ?? validationSplit else {
                throw TaskError.missingKey(file: path, key: "test_split")
            }
            return split
        }
    }
}

extension TaskConfiguration {
    /// Checks a task file's keys.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - settings: What the user allows and wants otherwise.
    /// - Throws: ``TaskError``.
    init(_ file: TaskFile, _ settings: TaskSettings = TaskSettings()) throws(TaskError) {
        if let key = file.unknownKey { throw key.error }
        let keys = TaskKeys(file, python: settings.python)
        try TaskConfiguration.refuseUnsupported(keys, settings)
        name = try keys.string("task")
        alias = try keys.string(ifPresent: "task_alias") ?? name
        path = file.path
        let type = try keys.string(ifPresent: "output_type") ?? OutputType.generateUntil.rawValue
        guard let outputType = OutputType(rawValue: type) else {
            throw .choice(
                file: file.path, key: "output_type", found: type,
                expected: OutputType.allCases.map(\.rawValue))
        }
        self.outputType = outputType
        processResults = try keys.function(ifPresent: "process_results")
        metrics = try MetricConfiguration.all(keys, outputType)
        version = try keys.object(ifPresent: "metadata")?["version"] ?? "Yaml"
        shots = try keys.integer(ifPresent: "num_fewshot")
        dataSet = try keys.string(ifPresent: "dataset_path") ?? name
        dataSetConfiguration = try keys.string(ifPresent: "dataset_name")
        dataFiles = try TaskConfiguration.dataFiles(keys)
        trainingSplit = try keys.string(ifPresent: "training_split")
        validationSplit = try keys.string(ifPresent: "validation_split")
        testSplit = try keys.string(ifPresent: "test_split")
        processDocuments = try keys.function(ifPresent: "process_docs")
        text = try keys.field(ifPresent: "doc_to_text")
        target = try keys.field(ifPresent: "doc_to_target")
        choices = try keys.field(ifPresent: "doc_to_choice")
        description = try keys.field(ifPresent: "description")
        prefix = try keys.field(ifPresent: "gen_prefix")
        targetDelimiter = try keys.string(ifPresent: "target_delimiter") ?? " "
        fewShot = try FewShot(keys)
        generation =
            outputType == .generateUntil
            ? try GenerationArguments(
                keys, delimiter: try keys.string(ifPresent: "fewshot_delimiter") ?? "\n\n",
                changes: settings.generationChanges) : nil
        repeats = max(1, try keys.integer(ifPresent: "repeats") ?? 1)
        filters = try FilterPipeline.all(keys)
        customDataSet = try keys.pythonFunction(
            ifPresent: "custom_dataset", what: "the data set")
        self.keys = file.keys
        if target == nil, processResults == nil {
            throw .missingKey(file: path, key: "doc_to_target")
        }
        if outputType == .multipleChoice, choices == nil {
            throw .missingKey(file: path, key: "doc_to_choice")
        }
        if outputType != .rolling, text == nil {
            throw .missingKey(file: path, key: "doc_to_text")
        }
    }

    /// Refuses what would change the figures and is not done here; nothing is skipped silently.
    private static func refuseUnsupported(
        _ keys: TaskKeys, _ settings: TaskSettings
    ) throws(TaskError) {
        for key in ["class", "use_prompt", "doc_to_image", "doc_to_audio"] where keys[key] != nil {
            throw .unsupported(file: keys.file, key: key, found: "'\(key)'")
        }
        if try keys.bool(ifPresent: "unsafe_code") ?? false, !settings.allowsUnsafeCode {
            throw .unsafeCode(file: keys.file)
        }
    }

    private static func dataFiles(_ keys: TaskKeys) throws(TaskError) -> [String: [String]] {
        guard let arguments = try keys.object(ifPresent: "dataset_kwargs"),
            arguments["data_files"] != nil
        else { return [:] }
        guard arguments["data_files"]?.objectValue != nil,
            let splits = try arguments.object(ifPresent: "data_files")
        else {
            // One list of files is the split 'train' to the harness's library.
            return ["train": try arguments.strings("data_files")]
        }
        var files: [String: [String]] = [:]
        for split in splits.keys.keys { files[split] = try splits.strings(split) }
        return files
    }
}

extension TaskConfiguration.FewShot {
    /// Reads `fewshot_config`, whose keys replace those of the task.
    init(_ keys: TaskKeys) throws(TaskError) {
        let own = try keys.object(ifPresent: "fewshot_config")
        func chosen(_ key: String) -> TaskKeys {
            own.flatMap { $0.keys[key] == nil ? nil : $0 } ?? keys
        }
        let name = try own?.string(ifPresent: "sampler") ?? Sampler.random.rawValue
        guard let sampler = Sampler(rawValue: name) else {
            throw .choice(
                file: keys.file, key: "fewshot_config.sampler", found: name,
                expected: Sampler.allCases.map(\.rawValue))
        }
        if own?["fewshot_indices"] != nil {
            throw .unsupported(
                file: keys.file, key: "fewshot_config.fewshot_indices", found: "chosen examples")
        }
        self.sampler = sampler
        let ownSplit = own?.keys["split"] != nil
        split =
            try ownSplit ? own?.string(ifPresent: "split") : keys.string(ifPresent: "fewshot_split")
        samplesFunction =
            own?["samples"]?.functionName == nil
            ? nil : try own?.pythonFunction(ifPresent: "samples", what: "the examples")
        samples =
            samplesFunction == nil ? try own?.objects(ifPresent: "samples")?.map(\.keys) : nil
        processDocuments = try chosen("process_docs").function(ifPresent: "process_docs")
        text = try chosen("doc_to_text").field(ifPresent: "doc_to_text")
        target = try chosen("doc_to_target").field(ifPresent: "doc_to_target")
        choices = try chosen("doc_to_choice").field(ifPresent: "doc_to_choice")
        prefix = try chosen("gen_prefix").field(ifPresent: "gen_prefix")
        targetDelimiter =
            try chosen("target_delimiter").string(ifPresent: "target_delimiter") ?? " "
        delimiter =
            try chosen("fewshot_delimiter").string(ifPresent: "fewshot_delimiter") ?? "\n\n"
    }
}

extension MetricConfiguration {
    /// The metrics of a task, or those the harness assumes.
    static func all(
        _ keys: TaskKeys, _ outputType: OutputType
    ) throws(TaskError) -> [MetricConfiguration] {
        let known = names(for: outputType)
        guard let list = try keys.objects(ifPresent: "metric_list") else {
            return try known.defaults.map { name throws(TaskError) in
                MetricConfiguration(
                    name: name, aggregation: name.defaultAggregation,
                    higherIsBetter: name.defaultHigherIsBetter,
                    ofAnswers: outputType == .generateUntil
                        ? .exactMatch(AnswerMetric.ExactMatch()) : nil)
            }
        }
        let ownResults = keys["process_results"] != nil
        var metrics: [MetricConfiguration] = []
        for item in list {
            var (name, scorer) = try self.name(item, outputType, ownResults: ownResults)
            if !ownResults, outputType != .generateUntil, !known.all.contains(name) {
                throw .choice(
                    file: keys.file, key: "metric_list.metric", found: name.rawValue,
                    expected: known.all.map(\.rawValue))
            }
            var aggregation = name.defaultAggregation
            var function: PythonFunction?
            if item["aggregation"]?.functionName != nil {
                function = try item.pythonFunction(
                    ifPresent: "aggregation", what: "the aggregation")
            } else if let text = try item.string(ifPresent: "aggregation") {
                if let found = Aggregation(rawValue: text) {
                    aggregation = found
                } else if text == "ter" {
                    function = try item.harnessFunction("ter", key: "aggregation")
                } else {
                    throw .choice(
                        file: keys.file, key: "metric_list.aggregation", found: text,
                        expected: Aggregation.allCases.map(\.rawValue) + ["ter"])
                }
            } else if name.rawValue == "ter" {
                function = try item.harnessFunction("ter", key: "aggregation")
            }
            if ownResults { scorer = nil }
            let metric = MetricConfiguration(
                name: name, aggregation: aggregation, aggregatingFunction: function,
                higherIsBetter: try item.bool(ifPresent: "higher_is_better")
                    ?? (name.rawValue == "ter" ? false : name.defaultHigherIsBetter),
                ofAnswers: scorer)
            // Of two with one name, the last counts, in the place of the first.
            if let place = metrics.firstIndex(where: { $0.name == name }) {
                metrics[place] = metric
            } else {
                metrics.append(metric)
            }
        }
        return metrics
    }

    /// A metric's name, and how it scores answers.
    private static func name(
        _ item: TaskKeys, _ outputType: OutputType, ownResults: Bool
    ) throws(TaskError) -> (MetricName, AnswerMetric?) {
        var arguments = JSONObject()
        let own = ["metric", "aggregation", "higher_is_better", "hf_evaluate"]
        for member in item.keys.members where !own.contains(member.key) {
            arguments[member.key] = member.value
        }
        if item["metric"]?.functionName != nil {
            guard let function = try item.pythonFunction(ifPresent: "metric", what: "the metric")
            else { throw .missingKey(file: item.file, key: item.path(of: "metric")) }
            do {
                let name = MetricName(rawValue: try function.ownName)
                return (name, .python(function, keywords: arguments))
            } catch {
                throw .python(file: item.file, key: item.path(of: "metric"), problem: "\(error)")
            }
        }
        // A name may look like a number.
        let number = item["metric"]?.integerValue.map { "\($0)" }
        var text = number ?? ""
        if number == nil { text = try item.string("metric") }
        let name = MetricName(rawValue: text)
        guard outputType == .generateUntil, !ownResults else { return (name, nil) }
        switch name {
        case .exactMatch: return (name, .exactMatch(try AnswerMetric.ExactMatch(item)))
        case .bypass: return (name, .bypass)
        case .bleu, .chrF, .chrFPlus, MetricName(rawValue: "ter"):
            if try !(item.bool(ifPresent: "hf_evaluate") ?? false) { return (name, .pair) }
        default: break
        }
        guard let python = item.python else {
            throw .needsPython(
                file: item.file, key: item.path(of: "metric"),
                what: "\(quoted(name.rawValue)), a metric of the library 'evaluate'")
        }
        do {
            let function = try PythonFunction(evaluating: name.rawValue, python)
            return (name, .python(function, keywords: arguments))
        } catch {
            throw .python(file: item.file, key: item.path(of: "metric"), problem: "\(error)")
        }
    }

    private static func names(
        for outputType: OutputType
    ) -> (defaults: [MetricName], all: [MetricName]) {
        switch outputType {
        case .multipleChoice:
            (
                [.acc, .accNorm],
                [
                    .acc, .accNorm, .accBytes, .accMutualInfo, .exactMatch, .brierScore, .f1, .mcc,
                    .bypass,
                ]
            )
        case .logLikelihood: ([.perplexity, .acc], [.perplexity, .acc, .bypass])
        case .rolling:
            (
                [.wordPerplexity, .bytePerplexity, .bitsPerByte],
                [.wordPerplexity, .bytePerplexity, .bitsPerByte]
            )
        case .generateUntil: ([.exactMatch], [.exactMatch, .bleu, .chrF, .chrFPlus, .bypass])
        }
    }
}

/// What the user allows tasks, and wants otherwise than they say.
public struct TaskSettings: Sendable {
    /// Runs the tasks' Python functions; nil for none.
    public var python: PythonRunner?
    /// Whether tasks that run code which a model wrote are run.
    public var allowsUnsafeCode = false
    /// Arguments of `generation_kwargs` that take the place of the tasks' own.
    public var generationChanges: JSONObject = [:]

    /// Creates settings that allow nothing and change nothing.
    public init() {}
}

extension TaskKeys {
    /// A function of the harness itself, for what is not written in Swift.
    fileprivate func harnessFunction(
        _ name: String, key: String
    ) throws(TaskError) -> PythonFunction {
        guard let python else {
            throw .needsPython(
                file: file, key: path(of: key), what: "\(quoted(name)) of the harness")
        }
        return try self.python("lm_eval.api.metrics.\(name)", of: file, path(of: key), python)
    }
}

extension AnswerMetric.ExactMatch {
    /// Reads the metric's arguments.
    fileprivate init(_ keys: TaskKeys) throws(TaskError) {
        for pattern in try keys.strings("regexes_to_ignore") {
            do {
                ignored.append(try RegularExpression(pattern))
            } catch {
                throw .template(
                    file: keys.file, key: keys.path(of: "regexes_to_ignore"), problem: "\(error)")
            }
        }
        ignoresCase = keys["ignore_case"]?.isTrueInPython ?? false
        ignoresPunctuation = keys["ignore_punctuation"]?.isTrueInPython ?? false
        ignoresNumbers = keys["ignore_numbers"]?.isTrueInPython ?? false
    }
}
