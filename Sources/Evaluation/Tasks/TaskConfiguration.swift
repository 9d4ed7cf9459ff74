import Jinja
import Storage

/// What kind of requests a task makes.
public enum OutputType: String, CaseIterable, Sendable {
    /// Several choices, of which the likeliest counts.
    case multipleChoice = "multiple_choice"
    /// One continuation.
    case logLikelihood = "loglikelihood"
    /// Whole texts, in windows.
    case rolling = "loglikelihood_rolling"
    /// Text that the model writes; known, but not run.
    case generateUntil = "generate_until"
}

/// Where a text of a document comes from.
enum DocumentField: Sendable {
    /// An integer, a list or a mapping, the same for all documents.
    case constant(JSONValue)
    /// The name of a field or, where no field has it, a template.
    case text(String, Template?)
    /// A function of the document.
    case function(NativeFunction)
}

/// One metric of a task.
public struct MetricConfiguration: Sendable {
    /// Which one.
    public var name: MetricName
    /// How the documents' values are summed up.
    public var aggregation: Aggregation
    /// Whether more is better.
    public var higherIsBetter: Bool
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
        var processDocuments: NativeFunction?
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
    let processDocuments: NativeFunction?
    let text: DocumentField?
    let target: DocumentField?
    let choices: DocumentField?
    let processResults: NativeFunction?
    let description: DocumentField?
    let prefix: DocumentField?
    let targetDelimiter: String
    let fewShot: FewShot
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
    /// - Throws: ``TaskError``.
    init(_ file: TaskFile) throws(TaskError) {
        if let key = file.unknownKey { throw key.error }
        let keys = TaskKeys(file)
        try TaskConfiguration.refuseUnsupported(keys)
        name = try keys.string("task")
        alias = try keys.string(ifPresent: "task_alias") ?? name
        path = file.path
        let type = try keys.string(ifPresent: "output_type") ?? OutputType.generateUntil.rawValue
        guard let outputType = OutputType(rawValue: type) else {
            throw .choice(
                file: file.path, key: "output_type", found: type,
                expected: OutputType.allCases.map(\.rawValue))
        }
        guard outputType != .generateUntil else {
            throw .unsupported(
                file: file.path, key: "output_type", found: "generated text (generate_until)")
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
        self.keys = file.keys
        if target == nil { throw .missingKey(file: path, key: "doc_to_target") }
        if outputType == .multipleChoice, choices == nil {
            throw .missingKey(file: path, key: "doc_to_choice")
        }
        if outputType != .rolling, text == nil {
            throw .missingKey(file: path, key: "doc_to_text")
        }
    }

    /// Refuses what would change the figures and is not done here; nothing is skipped silently.
    private static func refuseUnsupported(_ keys: TaskKeys) throws(TaskError) {
        for key in ["class", "custom_dataset", "use_prompt", "doc_to_image", "doc_to_audio"] {
            if keys[key] != nil {
                throw .unsupported(file: keys.file, key: key, found: "'\(key)'")
            }
        }
        if let repeats = try keys.integer(ifPresent: "repeats"), repeats != 1 {
            throw .unsupported(file: keys.file, key: "repeats", found: "\(repeats) answers")
        }
        for filters in try keys.objects(ifPresent: "filter_list") ?? [] {
            for filter in try filters.objects(ifPresent: "filter") ?? [] {
                let name = try filter.string("function")
                if name != "take_first" {
                    throw .unsupported(
                        file: keys.file, key: "filter_list", found: "the filter '\(name)'")
                }
            }
            let name = try filters.string("name")
            if name != "none" {
                throw .unsupported(
                    file: keys.file, key: "filter_list", found: "a filter named '\(name)'")
            }
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
        samples = try own?.objects(ifPresent: "samples")?.map(\.keys)
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
            return known.defaults.map {
                MetricConfiguration(
                    name: $0, aggregation: $0.defaultAggregation,
                    higherIsBetter: $0.defaultHigherIsBetter)
            }
        }
        var metrics: [MetricConfiguration] = []
        for item in list {
            let text = try item.string("metric")
            guard let name = MetricName(rawValue: text), known.all.contains(name) else {
                throw .choice(
                    file: keys.file, key: "metric_list.metric", found: text,
                    expected: known.all.map(\.rawValue))
            }
            if try item.bool(ifPresent: "hf_evaluate") ?? false {
                throw .unsupported(
                    file: keys.file, key: "metric_list.hf_evaluate",
                    found: "a metric of the library 'evaluate'")
            }
            var aggregation = name.defaultAggregation
            if item["aggregation"]?.functionName != nil {
                throw .unsupported(
                    file: keys.file, key: "metric_list.aggregation", found: "a Python function")
            }
            if let text = try item.string(ifPresent: "aggregation") {
                guard let found = Aggregation(rawValue: text) else {
                    throw .choice(
                        file: keys.file, key: "metric_list.aggregation", found: text,
                        expected: Aggregation.allCases.map(\.rawValue))
                }
                aggregation = found
            }
            let metric = MetricConfiguration(
                name: name, aggregation: aggregation,
                higherIsBetter: try item.bool(ifPresent: "higher_is_better")
                    ?? name.defaultHigherIsBetter)
            // Of two with one name, the last counts, in the place of the first.
            if let place = metrics.firstIndex(where: { $0.name == name }) {
                metrics[place] = metric
            } else {
                metrics.append(metric)
            }
        }
        return metrics
    }

    private static func names(
        for outputType: OutputType
    ) -> (defaults: [MetricName], all: [MetricName]) {
        switch outputType {
        case .multipleChoice:
            (
                [.acc, .accNorm],
                [.acc, .accNorm, .accBytes, .accMutualInfo, .exactMatch, .brierScore, .f1, .mcc]
            )
        case .logLikelihood: ([.perplexity, .acc], [.perplexity, .acc])
        case .rolling:
            (
                [.wordPerplexity, .bytePerplexity, .bitsPerByte],
                [.wordPerplexity, .bytePerplexity, .bitsPerByte]
            )
        case .generateUntil: ([.exactMatch], [.exactMatch])
        }
    }
}
