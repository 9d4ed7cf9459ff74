import Python
import Storage

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
                SHA256.hexadecimal(of: item.requests.first?.arguments.first ?? ""),
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
                    texts["arg_\(place)"] = .string(text)
                }
                arguments["gen_args_\(number)"] = .object(texts)
            }
            let filtered = zip(responses, item.requests).map { $0.json(of: $1) }
            let hashes = try hashes
            var object: JSONObject = [
                "doc_id": .integer(item.id), "doc": .object(item.document.object),
                "target": .string(try item.target.pythonText()),
                "arguments": .object(arguments), "resps": .array(filtered.map { [$0] }),
                "filtered_resps": .array(filtered), "filter": "none",
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
    /// As text, as the harness writes it: the log-likelihood, and of a continuation whether it is greedy.
    fileprivate func json(of request: PreparedTask.Request) -> JSONValue {
        let likelihood = JSONValue.string(PythonFloat.repr(logLikelihood))
        if case .rolling = request { return likelihood }
        return [likelihood, .string(isGreedy ? "True" : "False")]
    }
}
