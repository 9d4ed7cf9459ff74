import Storage

/// A Python function of the harness's own tasks, written in Swift.
///
/// Task files name it as they do the Python function: `!function preprocess_race.doc_to_text`. As
/// many tasks have a module called `utils`, such a function is taken only for a task that says, by its
/// folder, data set or name, whose `utils` it means. A Python file beside the task file that is not
/// the harness's is an error, for it may say something else.
struct NativeFunction: Sendable {
    /// What the function makes of a document.
    enum Body: Sendable {
        /// A text, an index, a list.
        case field(@Sendable (Document) throws -> JSONValue)
        /// The document as the task sees it.
        case document(@Sendable (Document) throws -> JSONObject)
        /// The values of metrics, given the document's log-likelihood.
        case results(@Sendable (Document, Double) throws -> [(MetricName, MetricValue)])
    }

    /// The name, with the module.
    let name: String
    /// The word that tells whose `utils` is meant; empty for modules of their own name.
    let home: String
    /// The SHA-256 of the harness's Python file.
    let python: String
    let body: Body

    /// Calls a function that makes a value.
    func callAsFunction(_ document: Document) throws -> JSONValue {
        guard case .field(let body) = body else {
            throw EvaluationError.functionUse(place: document.place, function: name)
        }
        return try body(document)
    }

    /// Finds a function that a task file names.
    ///
    /// - Parameters:
    ///   - name: The name with the module.
    ///   - file: The file in which it is named.
    ///   - task: The task's keys.
    /// - Returns: The function; nil if it is not built in.
    static func find(_ name: String, namedIn file: String, task: TaskKeys) -> NativeFunction? {
        let texts = [
            FilePath.name(of: FilePath.folder(of: file)), task["dataset_path"]?.stringValue ?? "",
            task["dataset_name"]?.stringValue ?? "", task["task"]?.stringValue ?? "",
        ]
        let words = texts.flatMap { $0.split(separator: "/").map(String.init) }
        return all.first { function in
            function.name == name
                && (function.home.isEmpty || words.contains(function.home))
        }
    }

    /// A Python file beside the task file that is not the harness's, if there is one: it may say
    /// something else than this function.
    func foreignPython(beside file: String) -> String? {
        guard file.utf8.contains(UInt8(ascii: "/")),
            let dot = name.utf8.lastIndex(of: UInt8(ascii: "."))
        else {
            return nil
        }
        let module = name[..<dot].split(separator: ".").joined(separator: "/") + ".py"
        let path = file.neighbour(module)
        guard FilePath.exists(path) else { return nil }
        let content = (try? ByteStream.contents(of: path, limit: 1 << 20)) ?? []
        let isOurs = SHA256.hexadecimal(of: String(decoding: content, as: UTF8.self)) == python
        return isOurs ? nil : path
    }

    /// The names of all, with what tells whose `utils` is meant.
    static var names: [String] {
        Set(all.map { $0.home.isEmpty ? $0.name : "\($0.name) of \($0.home)" }).sorted()
    }

    /// All that are built in.
    static let all: [NativeFunction] =
        winogrande + race + hellaSwag + copa + wsc + wsc273 + wikiText
}
