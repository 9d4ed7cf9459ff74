import Storage

/// What can be wrong with documents, or with what is asked of a run.
public enum EvaluationError: Error, Equatable {
    /// A split that a task is evaluated on has no file.
    case noData(task: String, split: String, lookedFor: [String])
    /// A split has no documents.
    case empty(file: String, task: String)
    /// A task file's function is used where it does not fit.
    case functionUse(place: String, function: String)
    /// A template cannot be rendered for a document.
    case template(place: String, task: String, field: String, problem: String)
    /// A field of a task does not come out as it should for a document.
    case value(place: String, task: String, field: String, found: String, expected: String)
    /// A document cannot be read the way the task wants.
    case document(place: String, task: String, problem: String)
    /// A task names a column that no document has.
    case noColumn(place: String, task: String, field: String, column: String, nearest: String?)
    /// Examples are not drawn from where the task says, which strict runs do not accept.
    case examples(ExampleNotice)
    /// There are not enough documents to draw examples from.
    case fewExamples(task: String, found: Int, expected: Int)
    /// A continuation has no tokens, or more than fit.
    case continuation(place: String, task: String, text: String, tokens: Int, limit: Int)
    /// A token of a request is not one of the model's.
    case unknownToken(place: String, task: String, id: Int, vocabulary: Int)
    /// A metric cannot be summed up.
    case aggregation(task: String, metric: String, problem: String)
    /// An invalid number of documents.
    case limit(Double)
    /// A document is asked for that the split does not have.
    case sample(task: String, index: Int, documents: Int)
    /// A file of results does not hold what is needed from it.
    case results(file: String, problem: String)
}

extension EvaluationError: CustomStringConvertible {
    /// One line that names the file or task.
    public var description: String {
        switch self {
        case .noData(let task, let split, let paths):
            "task \(quoted(task)): found no file for split \(quoted(split))"
                + (paths.isEmpty
                    ? "; give the folder that holds \(task)/\(split).jsonl with --data-dir"
                    : ", looked for " + paths.joined(separator: ", "))
        case .empty(let file, let task):
            "\(quotedPath(file)): has no documents, expected at least one for task \(quoted(task))"
        case .functionUse(let place, let function):
            "\(quotedPath(place)): function \(quoted(function)) does not make texts"
        case .template(let place, let task, let field, let problem):
            "\(quotedPath(place)): field \(quoted(field)) of task \(quoted(task)): \(problem)"
        case .value(let place, let task, let field, let found, let expected):
            "\(quotedPath(place)): field \(quoted(field)) of task \(quoted(task)) is \(found), expected \(expected)"
        case .document(let place, let task, let problem):
            "\(quotedPath(place)): task \(quoted(task)): \(problem)"
        case .noColumn(let place, let task, let field, let column, let nearest):
            "\(quotedPath(place)): key \(quoted(field)) of task \(quoted(task)) is \(quoted(column)), "
                + "which is no column of the documents, expected a column or a template"
                + (nearest.map { "; did you mean '\($0)'?" } ?? "")
        case .examples(let notice): "\(notice) (an error with --strict)"
        case .fewExamples(let task, let found, let expected):
            "task \(quoted(task)): found \(found) documents to draw examples from, "
                + "expected at least \(expected)"
        case .continuation(let place, let task, let text, let tokens, let limit):
            "\(quotedPath(place)): continuation \(quoted(text)) of task \(quoted(task)) has \(tokens) tokens, "
                + "expected 1 to \(limit)"
                + (tokens > limit ? "; raise --max-length" : "")
        case .unknownToken(let place, let task, let id, let vocabulary):
            "\(quotedPath(place)): a request of task \(quoted(task)) has the token id \(id), "
                + "expected 0 to \(vocabulary - 1); tokenizer and model do not fit"
        case .aggregation(let task, let metric, let problem):
            "task \(quoted(task)): metric \(quoted(metric)): \(problem)"
        case .limit(let found):
            "limit is \(found), expected a number above 0; below 1 it is a fraction"
        case .sample(let task, let index, let documents):
            "task \(quoted(task)): found the document number \(index), expected 0 to \(documents - 1)"
        case .results(let file, let problem): "\(quotedPath(file)): \(problem)"
        }
    }
}
