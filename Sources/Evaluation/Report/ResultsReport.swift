import FoundationEssentials
import Glibc
import Python
import Storage

/// Writes the results in the harness's schema: `results_DATE.json` and `samples_TASK_DATE.jsonl`.
public struct ResultsReport {
    private let results: EvaluationResults
    private let options: EvaluationOptions
    private let information: RunInformation

    /// Prepares to write.
    ///
    /// - Parameters:
    ///   - results: What came out.
    ///   - options: How tasks were run.
    ///   - information: What else the report says.
    public init(
        _ results: EvaluationResults, options: EvaluationOptions, information: RunInformation
    ) {
        self.results = results
        self.options = options
        self.information = information
    }

    /// The folder that a report goes to: that of an output path ending in `.json`, else a folder named
    /// after the model below the output path.
    ///
    /// - Parameters:
    ///   - outputPath: As the user gave it.
    ///   - information: Names the model.
    /// - Returns: The path of the folder.
    public static func folder(for outputPath: String, _ information: RunInformation) -> String {
        if outputPath.hasSuffix(".json") {
            return FilePath.folder(of: outputPath)
        }
        return FilePath.join(outputPath, information.folderName)
    }

    /// Writes the files; folders are made.
    ///
    /// - Parameters:
    ///   - outputPath: A folder, or a name ending in `.json` of which the stem is kept.
    ///   - date: When the run ended, as ``localTime()`` gives it.
    ///   - includesSamples: Whether the samples are written, too.
    /// - Returns: The paths written, that of the results first.
    /// - Throws: `FileError`.
    @discardableResult
    public func write(
        to outputPath: String, date: String, includesSamples: Bool
    ) throws -> [String] {
        let folder = ResultsReport.folder(for: outputPath, information)
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw FileError.system(file: folder, action: "create", code: errno)
        }
        let date = date.replacing(":", with: "-", count: -1)
        let name =
            outputPath.hasSuffix(".json")
            ? "\(FilePath.name(of: outputPath).dropLast(5))_\(date).json" : "results_\(date).json"
        var paths = [FilePath.join(folder, name)]
        let writer = JSONWriter(indent: 2, escapesNonASCII: false)
        try AtomicFile.write(
            writer.string(.object(try object(includesSamples: includesSamples))), to: paths[0])
        guard includesSamples else { return paths }
        for task in results.tasks {
            let path = FilePath.join(folder, "samples_\(task.task.fileName)_\(date).jsonl")
            try AtomicFile.write(to: path) { file in
                let line = JSONWriter(escapesNonASCII: false)
                for sample in try task.sampleObjects {
                    try file.write(line.string(.object(sample)) + "\n")
                }
            }
            paths.append(path)
        }
        return paths
    }

    /// The local time with microseconds: `2026-11-23T08:21:36.690643`.
    public static func localTime() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        var seconds = now.tv_sec
        localtime_r(&seconds, &parts)
        func digits(_ value: some BinaryInteger, _ count: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
        }
        let day =
            "\(parts.tm_year + 1900)-\(digits(parts.tm_mon + 1, 2))-\(digits(parts.tm_mday, 2))"
        let time = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { digits($0, 2) }
        return "\(day)T\(time.joined(separator: ":")).\(digits(now.tv_nsec / 1000, 6))"
    }

    /// The content of the results file.
    ///
    /// - Parameter includesSamples: Whether the hashes of samples are in it.
    /// - Returns: The keys in the harness's order.
    /// - Throws: `TemplateError` for a target that cannot be printed.
    public func object(includesSamples: Bool) throws -> JSONObject {
        var figures = JSONObject()
        for task in results.tasks { figures[task.task.name] = .object(summary(task)) }
        var groups = JSONObject()
        for group in results.groups {
            figures[group.group.name] = .object(summary(group))
            if !group.group.metrics.isEmpty { groups[group.group.name] = .object(summary(group)) }
        }
        var object: JSONObject = ["results": .object(figures)]
        if !groups.isEmpty { object["groups"] = .object(groups) }
        for member in taskMembers.members { object[member.key] = member.value }
        for member in try runMembers(includesSamples: includesSamples).members {
            object[member.key] = member.value
        }
        // A key of our own, only where there is something to say.
        if !results.notices.isEmpty {
            object["warnings"] = .array(results.notices.map { .string("\($0)") })
        }
        return object
    }

    private func summary(_ result: TaskResult) -> JSONObject {
        var object: JSONObject = [
            "name": .string(result.task.name), "alias": .string(result.task.alias),
            "sample_len": .integer(result.sampleCount),
        ]
        for figure in result.figures {
            let name = figure.metric.name.rawValue
            object["\(name),\(figure.filter)"] =
                figure.isInteger ? .integer(Int(figure.value)) : .number(figure.value)
            object["\(name)_stderr,\(figure.filter)"] = figure.error.map { .number($0) } ?? "N/A"
        }
        return object
    }

    private func summary(_ result: EvaluationResults.GroupResult) -> JSONObject {
        var object: JSONObject = [
            "alias": .string(result.group.alias), "name": .string(result.group.name),
        ]
        guard !result.group.metrics.isEmpty else { return object }
        object["sample_len"] = .integer(result.documents)
        var counts = JSONObject()
        for figure in result.figures {
            object["\(figure.metric),\(figure.filter)"] = .number(figure.value)
            object["\(figure.metric)_stderr,\(figure.filter)"] =
                figure.error.map { .number($0) } ?? "N/A"
            counts["\(figure.metric),\(figure.filter)"] = .integer(figure.documents)
        }
        if !counts.isEmpty { object["sample_count"] = .object(counts) }
        return object
    }

    /// What is said of every task and group.
    private var taskMembers: JSONObject {
        var (subtasks, configurations, samples) = (JSONObject(), JSONObject(), JSONObject())
        var (versions, shots, directions) = (JSONObject(), JSONObject(), JSONObject())
        for name in results.groupNames {
            guard let group = results.groups.first(where: { $0.group.name == name }) else {
                continue
            }
            subtasks[name] = .array(group.group.members.map { .string($0) })
            versions[name] = .string(group.group.version)
            if let count = group.shots { shots[name] = .integer(count) }
            if !group.higherIsBetter.isEmpty {
                directions[name] = .object(
                    JSONObject(
                        group.higherIsBetter.map {
                            ($0.metric, $0.value.map { .bool($0) } ?? .null)
                        }
                    ))
            }
        }
        for result in results.tasks {
            let (task, name) = (result.task, result.task.name)
            configurations[name] = .object(
                task.dump(
                    shots: result.prepared.shots, modelArguments: information.modelArguments))
            versions[name] = task.version
            shots[name] = .integer(result.prepared.shots)
            directions[name] = .object(
                JSONObject(
                    task.metrics.map {
                        ($0.name.rawValue, $0.higherIsBetter.map { .bool($0) } ?? .null)
                    }))
            samples[name] = [
                "original": .integer(result.prepared.documents),
                "effective": .integer(result.sampleCount),
            ]
        }
        return [
            "group_subtasks": .object(subtasks), "configs": .object(configurations.sorted),
            "versions": .object(versions.sorted), "n-shot": .object(shots.sorted),
            "higher_is_better": .object(directions.sorted), "n-samples": .object(samples),
        ]
    }

    /// What is said of the run.
    private func runMembers(includesSamples: Bool) throws -> JSONObject {
        var hashes = JSONObject()
        if includesSamples {
            for task in results.tasks { hashes[task.task.name] = .string(try task.hash) }
        }
        let seconds =
            Double(information.duration.components.seconds)
            + Double(information.duration.components.attoseconds) * 1e-18
        return [
            "config": [
                "model": .string(information.model),
                "model_args": .object(information.modelArguments),
                "model_num_parameters": information.parameters.map { .integer($0) } ?? .null,
                "model_dtype": .string(information.dataType), "model_revision": "main",
                "model_sha": "", "batch_size": information.batchSize, "batch_sizes": [],
                "device": .string(information.device), "use_cache": nil,
                "limit": options.limit.map { .number($0) } ?? .null,
                "bootstrap_iters": .integer(options.bootstrapIterations),
                "gen_kwargs": .object(options.generationChanges),
                "random_seed": .integer(information.seeds.python),
                "numpy_seed": .integer(information.seeds.numpy),
                "torch_seed": .integer(information.seeds.torch),
                "fewshot_seed": .integer(Int(clamping: options.fewShotSeed)),
            ],
            "git_hash": information.revision.map { .string($0) } ?? .null,
            "date": .number(information.startTime),
            "pretty_env_info": .string(information.environment), "transformers_version": nil,
            "lm_eval_version": .string(information.version), "upper_git_hash": nil,
            "tokenizer_pad_token": information.tokens.padding?.json ?? .null,
            "tokenizer_eos_token": information.tokens.end?.json ?? .null,
            "tokenizer_bos_token": information.tokens.beginning?.json ?? .null,
            "eot_token_id": information.endTokenID.map { .integer($0) } ?? .null,
            "max_length": .integer(options.maximumLength), "task_hashes": .object(hashes),
            "model_source": .string(information.model),
            "model_name": .string(information.modelName),
            "model_name_sanitized": .string(information.folderName),
            "system_instruction": options.systemInstruction.map { .string($0) } ?? .null,
            "system_instruction_sha": options.systemInstruction.map {
                .string(SHA256.hexadecimal(of: $0))
            } ?? .null,
            "fewshot_as_multiturn": false, "chat_template": nil, "chat_template_sha": nil,
            "total_evaluation_time_seconds": .string(PythonFloat.repr(seconds)),
        ]
    }
}

extension TaskConfiguration {
    /// The name without what would lead to another folder.
    fileprivate var fileName: String {
        name.replacing("/", with: "__", count: -1).replacing("\0", with: "__", count: -1)
    }
}

extension JSONObject {
    /// The members in the order of their keys.
    fileprivate var sorted: JSONObject {
        JSONObject(
            members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                .map { ($0.key, $0.value) })
    }
}

extension TaskResult {
    /// The samples as the harness writes them, one object per line of `samples_*.jsonl`.
    public var sampleObjects: [JSONObject] {
        get throws { try samples.map { try $0.object } }
    }

    /// The hash of all samples' hashes.
    var hash: String {
        get throws {
            SHA256.hexadecimal(
                of: try samples.map { sample in
                    let hashes = try sample.hashes
                    return hashes.document + hashes.prompt + hashes.target
                }.joined())
        }
    }
}

extension TaskResult.Sample {
    /// The hashes of the document, the first prompt and the target.
    var hashes: (document: String, prompt: String, target: String) {
        get throws {
            let document = JSONWriter(indent: 2, escapesNonASCII: false)
                .string(.object(item.document.object))
            return (
                SHA256.hexadecimal(of: document),
                SHA256.hexadecimal(of: item.requests.first?.arguments.first?.stringValue ?? ""),
                SHA256.hexadecimal(of: try item.target.pythonText())
            )
        }
    }

    /// The sample in the harness's schema.
    var object: JSONObject {
        get throws {
            var arguments = JSONObject()
            for (number, request) in item.requests.enumerated() {
                var texts = JSONObject()
                for (place, text) in request.arguments.enumerated() {
                    texts["arg_\(place)"] = text
                }
                arguments["gen_args_\(number)"] = .object(texts)
            }
            let raw = zip(responses, item.requests).map { $0.json(of: $1, repeats: repeats) }
            let seen =
                try filtered?.map { try $0.withoutPythonMarks.sanitized }
                ?? raw.map {
                    $0.arrayValue?.first ?? .null
                }
            let hashes = try hashes
            var object: JSONObject = [
                "doc_id": .integer(item.id), "doc": .object(item.document.object),
                "target": .string(try item.target.pythonText()),
                "arguments": .object(arguments), "resps": .array(raw),
                "filtered_resps": .array(seen), "filter": .string(filter),
                "metrics": .array(metrics.map { .string($0.name.rawValue) }),
                "doc_hash": .string(hashes.document), "prompt_hash": .string(hashes.prompt),
                "target_hash": .string(hashes.target),
            ]
            for metric in metrics { object[metric.name.rawValue] = metric.value.json }
            return object
        }
    }
}

extension TaskResult.Response {
    /// As text, as the harness writes it, once for each repetition: the log-likelihood and of a
    /// continuation whether it is greedy, or what the model wrote.
    fileprivate func json(of request: PreparedTask.Request, repeats: Int) -> JSONValue {
        let likelihood = JSONValue.string(PythonFloat.repr(logLikelihood))
        let one: JSONValue
        switch request {
        case .answer: return .array(texts.map { .string($0) })
        case .rolling: one = likelihood
        case .continuation: one = [likelihood, .string(isGreedy ? "True" : "False")]
        }
        return .array(Array(repeating: one, count: repeats))
    }
}

extension JSONValue {
    /// The value with all that lists hold as text, as the harness writes responses.
    fileprivate var sanitized: JSONValue {
        get throws {
            if let items = arrayValue { return .array(try items.map { try $0.sanitized }) }
            return .string(try pythonText())
        }
    }
}
