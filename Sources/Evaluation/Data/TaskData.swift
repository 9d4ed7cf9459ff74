import Storage

/// The documents of a task and what its examples are picked from.
struct TaskData: Sendable {
    let fields: TaskFields
    let documents: [Document]
    let hasMultipleInputs: Bool
    let hasMultipleTargets: Bool
    /// The pool of examples; empty if none are wanted.
    let pool: [Document]
    /// Whether a document must not be among its own examples.
    let excludesDocument: Bool

    /// Reads what a task needs.
    ///
    /// - Parameters:
    ///   - task: The task.
    ///   - folders: Where files are.
    ///   - shots: The number of examples in a prompt.
    /// - Throws: ``EvaluationError``, ``TaskError``, `JSONError` or `FileError`.
    init(_ task: TaskConfiguration, in folders: DataFolders, shots: Int) throws {
        let split = try task.evaluatedSplit
        guard
            let read = try folders.documents(
                task, split: split, preparation: task.processDocuments)
        else {
            throw EvaluationError.noData(
                task: task.name, split: split,
                lookedFor: folders.candidates(task, split: split))
        }
        documents = read.documents
        fields = TaskFields(task: task, columns: read.columns)
        // The first document decides for all, as in the harness.
        let first = documents[0]
        if task.choices != nil, task.outputType == .multipleChoice,
            case .index = try fields.question(first)
        {
            hasMultipleInputs = true
        } else {
            hasMultipleInputs = false
        }
        hasMultipleTargets = try fields.target(first).arrayValue != nil
        (pool, excludesDocument) = try TaskData.pool(
            task, folders, shots: shots, documents: documents)
    }

    /// Where examples come from: the split that the task names, its own samples, else the first split
    /// there is of training, validation and test.
    private static func pool(
        _ task: TaskConfiguration, _ folders: DataFolders, shots: Int, documents: [Document]
    ) throws -> (pool: [Document], excludesDocument: Bool) {
        guard shots > 0 else { return ([], false) }
        let settings = task.fewShot
        let evaluated = try task.evaluatedSplit
        func read(_ split: String, _ preparation: NativeFunction?) throws -> [Document]? {
            try folders.documents(task, split: split, preparation: preparation)?.documents
        }
        // A split without a file counts as one that the task does not name.
        if let split = settings.split,
            let pool = try read(split, settings.processDocuments)
        {
            return (pool, split == task.testSplit)
        }
        let excludes = task.testSplit == nil
        if let samples = settings.samples {
            let place = "\(task.path): fewshot_config.samples"
            return (samples.map { Document(place: place, object: $0) }, excludes)
        }
        for split in [task.trainingSplit, task.validationSplit] {
            guard let split else { continue }
            if split == evaluated { return (documents, excludes) }
            if let pool = try read(split, task.processDocuments) { return (pool, excludes) }
        }
        return (documents, excludes)
    }
}
