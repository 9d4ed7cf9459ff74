import Python
import Storage
import YAML

/// What the report says about a run besides its results: the caller knows it.
public struct RunInformation: Sendable {
    /// The kind of model, as the harness's `--model` names it.
    public var model = "mambatreel"
    /// The model's arguments; `pretrained` or `peft` names the folder of the report.
    public var modelArguments: JSONObject = [:]
    /// The number of parameters.
    public var parameters: Int?
    /// The type of numbers.
    public var dataType = "float32"
    /// The batch size as given.
    public var batchSize: JSONValue = "auto"
    /// What the model runs on.
    public var device = "cpu"
    /// The random seeds that the harness reports: Python, NumPy, torch.
    public var seeds: (python: Int, numpy: Int, torch: Int) = (0, 1234, 1234)
    /// Seconds since 1970 at the start.
    public var startTime = 0.0
    /// How long the run took.
    public var duration: Duration = .zero
    /// A description of the machine and the libraries.
    public var environment = ""
    /// The program and its version.
    public var version = ""
    /// The revision of the source the program was built from.
    public var revision: String?
    /// The padding, end and beginning tokens, each a text and its id.
    public var tokens: (padding: Token?, end: Token?, beginning: Token?) = (nil, nil, nil)
    /// The end token's id.
    public var endTokenID: Int?

    /// A token as the report shows it.
    public struct Token: Sendable {
        /// The token as text.
        public var text: String
        /// Its id.
        public var id: Int

        /// Groups text and id.
        public init(text: String, id: Int) {
            self.text = text
            self.id = id
        }

        var json: JSONValue { [.string(text), .string("\(id)")] }
    }

    /// Creates information of which only the defaults are known.
    public init() {}

    /// The line that the harness prints before its tables, without a line's end.
    ///
    /// - Parameter options: How tasks were run.
    /// - Returns: Model, arguments, limit, examples and batch size in Python's notation.
    /// - Throws: `TemplateError` for arguments that cannot be printed.
    public func headline(_ options: EvaluationOptions) throws -> String {
        let limit = options.limit.map { PythonFloat.repr($0) } ?? "None"
        let shots = options.shots.map { "\($0)" } ?? "None"
        return "\(model) (\(try JSONValue.object(modelArguments).pythonText())), "
            + "gen_kwargs: (\(try JSONValue.object(options.generationChanges).pythonText())), limit: \(limit), num_fewshot: \(shots), batch_size: \(try batchSize.pythonText())"
    }

    /// The value of the first argument that names a model.
    var modelName: String {
        for key in ["peft", "delta", "pretrained", "model", "path", "engine"] {
            if let name = modelArguments[key]?.stringValue { return name }
        }
        return model
    }

    /// The model's name as the name of a folder.
    var folderName: String {
        var result = String.UnicodeScalarView()
        var wasReplaced = false
        for scalar in modelName.unicodeScalars {
            let isReplaced = "\"<>:/|\\?*[]".unicodeScalars.contains(scalar)
            if !isReplaced {
                result.append(scalar)
            } else if !wasReplaced {
                result.append(contentsOf: "__".unicodeScalars)
            }
            wasReplaced = isReplaced
        }
        return String(result)
    }
}

extension TaskConfiguration {
    /// The whole configuration in the harness's order, as its results file shows it.
    ///
    /// Keys that are unset are left out. A function is shown by its name, where the harness shows its
    /// source.
    func dump(shots: Int, modelArguments: JSONObject) -> JSONObject {
        let defaults: JSONObject = [
            "unsafe_code": false, "description": "", "target_delimiter": " ",
            "fewshot_delimiter": "\n\n", "repeats": 1, "should_decontaminate": false,
        ]
        var object = JSONObject()
        for key in TaskConfiguration.reportedKeys {
            let value: JSONValue? =
                switch key {
                case "num_fewshot": .integer(shots)
                case "output_type": .string(outputType.rawValue)
                case "fewshot_config": .object(fewShotDump)
                case "generation_kwargs": generation.map { .object($0.object) }
                case "metadata": .object(metadataDump(modelArguments))
                default: TaskKeys(file: path, keys: keys)[key] ?? defaults[key]
                }
            if let value { object[key] = value.namingFunctions }
        }
        return object
    }

    private static let reportedKeys = [
        "task", "task_alias", "dataset_path", "dataset_name", "dataset_kwargs", "training_split",
        "validation_split", "test_split", "fewshot_split", "process_docs", "doc_to_text",
        "doc_to_target", "unsafe_code", "doc_to_choice", "process_results", "description",
        "target_delimiter", "fewshot_delimiter", "fewshot_config", "num_fewshot", "metric_list",
        "output_type", "generation_kwargs", "repeats", "filter_list", "should_decontaminate",
        "doc_to_decontamination_query", "gen_prefix", "metadata",
    ]

    private var fewShotDump: JSONObject {
        let own = keys["fewshot_config"]?.objectValue ?? [:]
        func chosen(_ key: String, _ fallback: JSONValue = .null) -> JSONValue {
            own[key] ?? keys[key] ?? fallback
        }
        return [
            "sampler": .string(fewShot.sampler.rawValue),
            "split": fewShot.split.map { .string($0) } ?? .null,
            "process_docs": chosen("process_docs"), "fewshot_indices": .null,
            "samples": own["samples"] ?? .null, "doc_to_text": chosen("doc_to_text"),
            "doc_to_choice": chosen("doc_to_choice"), "doc_to_target": chosen("doc_to_target"),
            "gen_prefix": chosen("gen_prefix"),
            "fewshot_delimiter": chosen("fewshot_delimiter", "\n\n"),
            "target_delimiter": chosen("target_delimiter", " "),
        ]
    }

    private func metadataDump(_ modelArguments: JSONObject) -> JSONObject {
        var metadata = keys["metadata"]?.objectValue ?? [:]
        for member in modelArguments.members { metadata[member.key] = member.value }
        metadata["config_source"] = .string(path)
        return metadata
    }
}

extension JSONValue {
    /// The value with functions as text.
    fileprivate var namingFunctions: JSONValue {
        if let name = functionName { return .string("\(YAMLNode.functionKey) \(name)") }
        return switch self {
        case .array(let items): .array(items.map(\.namingFunctions))
        case .object(let object):
            .object(JSONObject(object.members.map { ($0.key, $0.value.namingFunctions) }))
        default: self
        }
    }
}

/// The list of all tasks, groups and tags.
extension TaskIndex {
    /// Three tables in Markdown, each with a blank line behind it: groups, tags, tasks.
    public var listing: String {
        func table(_ headers: [String], _ rows: [[String]]) -> String {
            MarkdownTable(
                headers: headers, rows: rows.map { $0.map { .text($0) } }, keepsTexts: true
            ).text + "\n"
        }
        return table(["Group", "Config Location"], sorted(.group).map { [$0.name, $0.path] })
            + table(["Tag"], sorted(.tag).map { [$0.name] })
            + table(
                ["Task", "Config Location", "Output Type"],
                sorted(.task).map { [$0.name, $0.path, $0.outputType] })
    }
}

extension PreparedTask {
    /// The first document's requests and target, for a look at what the model will see.
    public var firstPrompt: String {
        guard let item = items.first else { return "task '\(task.name)' has no documents\n" }
        var text = "task '\(task.name)', document \(item.id), \(shots) examples\n"
        for (number, request) in item.requests.enumerated() {
            switch request {
            case .continuation(let context, let continuation):
                if number == 0 || item.requests[number - 1].arguments[0] != .string(context) {
                    text += "--- context\n\(context)\n"
                }
                text += "--- continuation \(number)\n\(continuation)\n"
            case .rolling(let whole): text += "--- text\n\(whole)\n"
            case .answer(let context, let arguments):
                text += "--- context\n\(context)\n--- generation arguments\n"
                text += JSONWriter(escapesNonASCII: false).string(.object(arguments)) + "\n"
            }
        }
        let target = (try? item.target.pythonText()) ?? ""
        return text + "--- target\n\(target)\n"
    }
}
