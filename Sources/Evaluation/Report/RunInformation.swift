import Python
import Storage

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
        public init(text: String, id: Int) { (self.text, self.id) = (text, id) }

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
        return "\(model) (\(try JSONValue.object(modelArguments).pythonText())), gen_kwargs: ({}), "
            + "limit: \(limit), num_fewshot: \(shots), batch_size: \(try batchSize.pythonText())"
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
