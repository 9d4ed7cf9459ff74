import Jinja
import Storage
import YAML

/// A key that means nothing, and those that would.
struct UnknownKey {
    let file: String
    let line: Int
    let key: String
    let known: [String]

    /// The error; looking for the nearest key takes longer than reading a file, and few are used.
    var error: TaskError {
        .unknownKey(
            file: file, line: line, key: key, nearest: Spelling.nearest(to: key, among: known))
    }
}

/// The keys that mean something in a task file, level by level.
///
/// Source: lm-evaluation-harness 0.4.13: the fields of `TaskConfig`, `FewshotConfig`, `GroupConfig` and
/// `AggMetricConfig`, which refuse any other; the arguments of its filters and metrics, and those of
/// `datasets.load_dataset`, which its task files use.
enum TaskSchema {
    private static let file = [
        "include", "task", "task_alias", "task_list", "tag", "class", "custom_dataset",
        "dataset_path", "dataset_name", "dataset_kwargs", "training_split", "validation_split",
        "test_split", "fewshot_split", "process_docs", "doc_to_text", "doc_to_target",
        "doc_to_image", "doc_to_audio", "unsafe_code", "doc_to_choice", "process_results",
        "use_prompt", "description", "target_delimiter", "fewshot_delimiter", "fewshot_config",
        "num_fewshot", "metric_list", "output_type", "generation_kwargs", "repeats",
        "filter_list", "should_decontaminate", "doc_to_decontamination_query", "gen_prefix",
        "metadata", "group", "group_alias", "aggregate_metric_list",
    ]
    private static let fewShot = [
        "sampler", "split", "process_docs", "fewshot_indices", "samples", "doc_to_text",
        "doc_to_choice", "doc_to_target", "gen_prefix", "fewshot_delimiter", "target_delimiter",
    ]
    private static let metric = [
        "metric", "aggregation", "higher_is_better", "hf_evaluate", "ignore_case",
        "ignore_punctuation", "ignore_numbers", "regexes_to_ignore", "average", "weight_by_size",
        "k",
    ]
    private static let groupMetric = ["metric", "aggregation", "filter_list", "weight_by_size"]
    private static let filters = ["name", "filter"]
    private static let filter = [
        "function", "regex_pattern", "regex_pattern_to_value", "group_select", "fallback",
        "ignore_case", "ignore_punctuation", "grammar_task", "filter_fn", "clean", "k",
        "mapping_dict", "default_value", "suffix",
    ]
    private static let dataSet = [
        "data_files", "data_dir", "split", "cache_dir", "features", "download_config",
        "download_mode", "verification_mode", "keep_in_memory", "save_infos", "revision", "token",
        "streaming", "num_proc", "storage_options", "trust_remote_code", "field", "encoding",
        "encoding_errors", "chunksize", "delimiter", "sep", "header", "names", "column_names",
        "index_col", "usecols", "quotechar", "skiprows", "nrows", "columns", "sample_by",
        "keep_linebreaks", "name", "path",
    ]
    private static let generation = [
        "until", "do_sample", "temperature", "top_p", "top_k", "min_p", "max_gen_toks",
        "max_new_tokens", "max_tokens", "max_length", "min_length", "min_new_tokens", "num_beams",
        "num_return_sequences", "repetition_penalty", "length_penalty", "no_repeat_ngram_size",
        "early_stopping", "seed", "stop", "presence_penalty", "frequency_penalty", "use_cache",
    ]

    /// The first key that means nothing, nil if there is none.
    ///
    /// - Parameters:
    ///   - members: The keys of a task or group, or of one within a group.
    ///   - file: The file, for the message.
    /// - Returns: The key.
    static func unknownKey(in members: [YAMLNode.Member], file: String) -> UnknownKey? {
        for member in members {
            if let error = unknown(member, among: self.file, file: file) { return error }
            let value = member.value
            let error: UnknownKey? =
                switch member.key {
                case "fewshot_config": unknownKey(in: value, among: fewShot, file: file)
                case "metric_list": unknownKey(in: value, among: metric, file: file)
                case "aggregate_metric_list":
                    unknownKey(in: value, among: groupMetric, file: file)
                case "dataset_kwargs": unknownKey(in: value, among: dataSet, file: file)
                case "generation_kwargs": unknownKey(in: value, among: generation, file: file)
                case "filter_list": unknownFilterKey(in: value, file: file)
                case "task": unknownMemberKey(in: value, file: file)
                default: nil
                }
            if let error { return error }
        }
        return nil
    }

    private static func unknown(
        _ member: YAMLNode.Member, among known: [String], file: String
    ) -> UnknownKey? {
        known.contains(member.key)
            ? nil : UnknownKey(file: file, line: member.line, key: member.key, known: known)
    }

    /// In a mapping, or in each of a list of mappings.
    private static func unknownKey(
        in node: YAMLNode, among known: [String], file: String
    ) -> UnknownKey? {
        for member in (node.elements ?? [node]).compactMap(\.members).joined() {
            if let error = unknown(member, among: known, file: file) { return error }
        }
        return nil
    }

    private static func unknownFilterKey(in node: YAMLNode, file: String) -> UnknownKey? {
        if let error = unknownKey(in: node, among: filters, file: file) { return error }
        for member in (node.elements ?? [node]).compactMap(\.members).joined()
        where member.key == "filter" {
            if let error = unknownKey(in: member.value, among: filter, file: file) { return error }
        }
        return nil
    }

    /// The members of a group that are mappings: tasks with overrides, or groups.
    private static func unknownMemberKey(in node: YAMLNode, file: String) -> UnknownKey? {
        for members in (node.elements ?? []).compactMap(\.members) {
            if let error = unknownKey(in: members, file: file) { return error }
        }
        return nil
    }
}

/// Reads the keys of a task file, with errors that name file and key; `null` counts as absent.
struct TaskKeys {
    let file: String
    let keys: JSONObject
    /// Runs Python functions; nil where that is not allowed.
    let python: PythonRunner?
    private let prefix: String

    init(_ file: TaskFile, python: PythonRunner? = nil) {
        self.init(file: file.path, keys: file.keys, python: python)
    }

    init(file: String, keys: JSONObject, python: PythonRunner? = nil, prefix: String = "") {
        self.file = file
        self.keys = keys
        self.python = python
        self.prefix = prefix
    }

    /// The whole name of a key, for messages.
    func path(of key: String) -> String { prefix + key }

    subscript(key: String) -> JSONValue? {
        guard let value = keys[key], !value.isNull else { return nil }
        return value
    }

    func failure(_ key: String, _ found: JSONValue, expected: String) -> TaskError {
        .kind(
            file: file, key: prefix + key,
            found: found.functionName == nil ? found.kind : "a function",
            expected: expected)
    }

    func string(_ key: String) throws(TaskError) -> String {
        guard let text = try string(ifPresent: key) else {
            throw .missingKey(file: file, key: prefix + key)
        }
        return text
    }

    func string(ifPresent key: String) throws(TaskError) -> String? {
        guard let value = self[key] else { return nil }
        guard let text = value.stringValue else { throw failure(key, value, expected: "text") }
        return text
    }

    func integer(ifPresent key: String) throws(TaskError) -> Int? {
        guard let value = self[key] else { return nil }
        guard let number = value.integerValue, number >= 0 else {
            throw failure(key, value, expected: "an integer of at least 0")
        }
        return number
    }

    func bool(ifPresent key: String) throws(TaskError) -> Bool? {
        guard let value = self[key] else { return nil }
        guard let truth = value.boolValue else {
            throw failure(key, value, expected: "true or false")
        }
        return truth
    }

    func object(ifPresent key: String) throws(TaskError) -> TaskKeys? {
        guard let value = self[key] else { return nil }
        guard let object = value.objectValue, value.functionName == nil else {
            throw failure(key, value, expected: "a mapping")
        }
        return TaskKeys(file: file, keys: object, python: python, prefix: prefix + key + ".")
    }

    /// A text or a list of texts; empty if absent.
    func strings(_ key: String) throws(TaskError) -> [String] {
        guard let value = self[key] else { return [] }
        let items = value.arrayValue ?? [value]
        let texts = items.compactMap(\.stringValue)
        guard texts.count == items.count else {
            throw failure(key, value, expected: "text or a list of texts")
        }
        return texts
    }

    /// A list of mappings, nil if absent.
    func objects(ifPresent key: String) throws(TaskError) -> [TaskKeys]? {
        guard let value = self[key] else { return nil }
        let items = value.arrayValue ?? [value]
        let objects = items.compactMap(\.objectValue)
        guard objects.count == items.count else {
            throw failure(key, value, expected: "a list of mappings")
        }
        return objects.map {
            TaskKeys(file: file, keys: $0, python: python, prefix: prefix + key + ".")
        }
    }

    /// Where a document's text comes from, nil if absent.
    func field(ifPresent key: String) throws(TaskError) -> DocumentField? {
        guard let value = self[key] else { return nil }
        if value.functionName != nil { return .function(try function(key, value)) }
        guard let text = value.stringValue else { return .constant(value) }
        do {
            return .text(text, try Template(text, name: "\(file): key '\(prefix)\(key)'"))
        } catch {
            // The name of a field need not be a template.
            let problem = "\(error)"
            if text.contains("{{") || text.contains("{%") || text.contains("{#") {
                throw .template(file: file, key: prefix + key, problem: problem)
            }
            return .text(text, nil)
        }
    }

    /// A function, nil if absent.
    func function(ifPresent key: String) throws(TaskError) -> TaskFunction? {
        guard let value = self[key] else { return nil }
        guard value.functionName != nil else { throw failure(key, value, expected: "!function") }
        return try function(key, value)
    }

    private func function(_ key: String, _ value: JSONValue) throws(TaskError) -> TaskFunction {
        try TaskFunction.find(
            value.functionName ?? "", namedIn: value["file"]?.stringValue ?? file, task: self,
            key: prefix + key)
    }

    /// A function that only Python can run, nil if absent.
    func pythonFunction(
        ifPresent key: String, what: String
    ) throws(TaskError) -> PythonFunction? {
        guard let value = self[key] else { return nil }
        guard let name = value.functionName else {
            throw failure(key, value, expected: "!function")
        }
        guard let python else {
            throw .needsPython(file: file, key: prefix + key, what: "\(what) \(quoted(name))")
        }
        return try self.python(name, of: value["file"]?.stringValue ?? file, prefix + key, python)
    }

    /// Imports a function.
    func python(
        _ name: String, of file: String, _ key: String, _ python: PythonRunner
    ) throws(TaskError) -> PythonFunction {
        do {
            return try PythonFunction(name, namedIn: file, python)
        } catch {
            throw .python(file: file, key: key, problem: "\(error)")
        }
    }
}

extension JSONValue {
    /// The name of a Python function, nil if this is none.
    var functionName: String? { self[YAMLNode.functionKey]?.stringValue }
}
