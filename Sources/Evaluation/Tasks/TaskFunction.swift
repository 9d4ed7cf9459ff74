import Storage

/// A function that a task file names: one of the harness's own, written in Swift, or its author's.
enum TaskFunction: Sendable {
    /// Built in.
    case native(NativeFunction)
    /// Run by Python, if the user allows that.
    case python(PythonFunction)

    /// The name, with the module.
    var name: String {
        switch self {
        case .native(let function): function.name
        case .python(let function): function.name
        }
    }

    /// Calls a function that makes a value of a document.
    func callAsFunction(_ document: Document) throws -> JSONValue {
        switch self {
        case .native(let function): try function(document)
        case .python(let function):
            try function.ask("call", [.object(document.object)]).withoutPythonMarks
        }
    }

    /// The documents of a split as the task sees them.
    func callAsFunction(preparing documents: [Document]) throws -> [Document] {
        switch self {
        case .native(let function):
            guard case .document(let prepare) = function.body else { return documents }
            return try documents.map { Document(place: $0.place, object: try prepare($0)) }
        case .python(let function):
            let made = try function.ask("process_docs", documents.map { .object($0.object) })
            return try Document.made(by: function, made)
        }
    }

    /// Finds a function that a task file names.
    ///
    /// - Parameters:
    ///   - name: The name with the module.
    ///   - file: The file in which it is named.
    ///   - task: The task's keys.
    ///   - key: The key that names it.
    /// - Returns: The built-in function where it is the one that is meant, else that of Python.
    /// - Throws: ``TaskError`` if it is not built in, or another one stands in a file beside the task, and
    ///   Python is not run.
    static func find(
        _ name: String, namedIn file: String, task: TaskKeys, key: String
    ) throws(TaskError) -> TaskFunction {
        let native = NativeFunction.find(name, namedIn: file, task: task)
        let foreign = native?.foreignPython(beside: file)
        if let native, foreign == nil { return .native(native) }
        if let python = task.python { return .python(try task.python(name, of: file, key, python)) }
        if let foreign {
            throw .foreignPython(file: file, function: name, python: foreign)
        }
        throw .unknownFunction(file: file, key: key, function: name, known: NativeFunction.names)
    }
}

extension Document {
    /// Documents that a Python function made.
    static func made(by function: PythonFunction, _ value: JSONValue) throws -> [Document] {
        let objects = (value.withoutPythonMarks.arrayValue ?? []).compactMap(\.objectValue)
        // As in the harness, where they are a table again.
        return DocumentTable(objects).rows.enumerated().map { number, row in
            Document(place: "\(function.name): document \(number)", object: row)
        }
    }
}
