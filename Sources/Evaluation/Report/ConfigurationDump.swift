import Storage
import YAML

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
