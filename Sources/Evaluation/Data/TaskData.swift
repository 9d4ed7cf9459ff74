import Python
import Storage

/// The documents of a task and what its examples are picked from.
struct TaskData: Sendable {
    let fields: TaskFields
    let documents: [Document]
    let hasMultipleInputs: Bool
    let hasMultipleTargets: Bool
    /// The pool of examples; empty if none are wanted.
    let pool: [Document]
    /// Whether a document must not be among its own examples, and how that is done.
    let exclusion: ExampleSampler.Exclusion
    /// What the user should know of where examples come from.
    let notice: ExampleNotice?

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
        try TaskData.requireColumn(fields, first)
        (pool, exclusion, notice) = try TaskData.pool(
            task, folders, shots: shots, documents: documents)
    }

    /// Refuses a lone word in the place of a column that is not there; as a text it would be every
    /// document's prompt.
    private static func requireColumn(_ fields: TaskFields, _ first: Document) throws {
        let task = fields.task
        for (name, field) in [("doc_to_text", task.text), ("doc_to_target", task.target)] {
            guard case .text(let word, _)? = field, word.isIdentifier,
                !fields.columns.contains(word)
            else { continue }
            if name == "doc_to_target", task.choices != nil,
                try fields.choices(first).contains(where: { $0.hasSameScalars(as: word) })
            {
                continue
            }
            throw EvaluationError.noColumn(
                place: first.place, task: task.name, field: name, column: word,
                nearest: Spelling.nearest(to: word, among: fields.columns.sorted()))
        }
    }

    /// Where examples come from: the split that the task names, its own samples, else the first split
    /// there is of training, validation and test.
    ///
    /// The harness stops where a split has no file; here the next one counts, with a notice.
    private static func pool(
        _ task: TaskConfiguration, _ folders: DataFolders, shots: Int, documents: [Document]
    ) throws -> (pool: [Document], ExampleSampler.Exclusion, ExampleNotice?) {
        guard shots > 0, task.outputType != .rolling else { return ([], .none, nil) }
        let settings = task.fewShot
        let evaluated = try task.evaluatedSplit
        var missing: String?
        func notice(instead: String?) -> ExampleNotice? {
            missing.map {
                .missingSplit(
                    task: task.name, split: $0,
                    lookedFor: folders.candidates(task, split: $0), instead: instead)
            }
        }
        func read(_ split: String, _ preparation: TaskFunction?) throws -> [Document]? {
            let read = try folders.documents(task, split: split, preparation: preparation)
            if read == nil { missing = missing ?? split }
            return read?.documents
        }
        if let split = settings.split,
            let pool = try read(split, settings.processDocuments)
        {
            return (pool, split == task.testSplit ? .drawsOneMore : .none, nil)
        }
        let exclusion: ExampleSampler.Exclusion = task.testSplit == nil ? .drawsOneMore : .none
        let made = try settings.samplesFunction?.ask().withoutPythonMarks.arrayValue
        if let samples = settings.samples ?? made?.compactMap(\.objectValue) {
            let place = "\(task.path): fewshot_config.samples"
            return (
                samples.map { Document(place: place, object: $0) }, exclusion,
                notice(instead: "fewshot_config.samples")
            )
        }
        for split in [task.trainingSplit, task.validationSplit] {
            guard let split else { continue }
            if split == evaluated { break }
            if let pool = try read(split, task.processDocuments) {
                return (pool, exclusion, notice(instead: split))
            }
        }
        if let notice = notice(instead: nil) {
            return (documents, exclusion == .none ? .replaces : exclusion, notice)
        }
        return (documents, exclusion, .scoredDocuments(task: task.name))
    }
}

extension String {
    /// Whether this is a name as a field of a record may have: letters, digits and underscores.
    fileprivate var isIdentifier: Bool {
        utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        } && !isEmpty && !isDigits
    }
}

/// Folders with data sets: one folder a data set, one file a split.
///
/// A split `S` of a task `T` is the first file that exists of `T/S.jsonl` and
/// `DATASET/CONFIGURATION/S.jsonl`, `DATASET/S.jsonl`, each also with `.zst`, in the first folder that
/// has one; beside these, other files of records and parts count as `DataSplits` finds them. Files that a task
/// names itself (`dataset_kwargs: {data_files: …}`) come before.
public struct DataFolders: Sendable {
    /// Finds the files of a split elsewhere, given the data set, its configuration and the split; none if there are
    /// none.
    public typealias Fetch =
        @Sendable (_ dataSet: String, _ configuration: String?, _ split: String) throws -> [String]

    /// The folders, in the order of search.
    public let folders: [String]
    private let fetch: Fetch?

    /// Names the folders.
    ///
    /// - Parameters:
    ///   - folders: The folders, in the order of search.
    ///   - fetch: Asked for what is in none of them.
    public init(_ folders: [String], fetch: Fetch? = nil) {
        self.folders = folders
        self.fetch = fetch
    }

    /// The paths that may hold a split, in the order of search.
    func candidates(_ task: TaskConfiguration, split: String) -> [String] {
        places(task).flatMap { place in
            ["", ".zst"].map { FilePath.join(place, "\(split).jsonl\($0)") }
        }
    }

    /// The folders that may hold a task's data, in the order of search.
    private func places(_ task: TaskConfiguration) -> [String] {
        var names = [task.name]
        if let other = task.keys["metadata"]?["data_folder"]?.stringValue { names.append(other) }
        if !task.dataSet.hasPrefix("/") {
            if let configuration = task.dataSetConfiguration {
                names.append(FilePath.join(task.dataSet, configuration))
            }
            names.append(task.dataSet)
        }
        return folders.flatMap { folder in names.map { FilePath.join(folder, $0) } }
    }

    /// The files of a split; none if there are none.
    func files(_ task: TaskConfiguration, split: String) throws -> [String] {
        if let own = task.dataFiles[split] {
            for path in own where !FilePath.isFile(path) {
                throw EvaluationError.noData(task: task.name, split: split, lookedFor: own)
            }
            return own
        }
        guard task.dataFiles.isEmpty else { return [] }
        for place in places(task) {
            let plain = ["", ".zst"].map { FilePath.join(place, "\(split).jsonl\($0)") }
            if let file = plain.first(where: FilePath.exists) { return [file] }
            let files = try DataSplits.files(of: split, in: place)
            if !files.isEmpty { return files }
        }
        return try fetch?(task.dataSet, task.dataSetConfiguration, split) ?? []
    }

    /// Reads the documents of a split, as the task prepares them; nil if there is no file.
    func documents(
        _ task: TaskConfiguration, split: String, preparation: TaskFunction?
    ) throws -> (documents: [Document], columns: Set<String>, files: [String])? {
        if let function = task.customDataSet {
            return try made(by: function, task, split: split, preparation: preparation)
        }
        let files = try files(task, split: split)
        guard !files.isEmpty else { return nil }
        // Python's reader takes NaN, too.
        let options = JSONOptions(allowsNonFinite: true)
        var records: [JSONRecord] = []
        for file in files {
            let reader = try JSONRecords(path: file, options: options)
            while let record = try reader.next() { records.append(record) }
        }
        let table = DocumentTable(records.map(\.object))
        let rows = zip(records, table.rows).map { Document(place: $0.place, object: $1) }
        let documents = try preparation?(preparing: rows) ?? rows
        guard let first = documents.first else {
            throw EvaluationError.empty(file: files[0], task: task.name)
        }
        return (documents, Set(first.object.keys), files)
    }

    /// The documents of a split that the task's own function makes; nil if it makes no such split.
    private func made(
        by function: PythonFunction, _ task: TaskConfiguration, split: String,
        preparation: TaskFunction?
    ) throws -> (documents: [Document], columns: Set<String>, files: [String])? {
        var keywords = task.keys["metadata"]?.objectValue ?? [:]
        for member in task.keys["dataset_kwargs"]?.objectValue?.members ?? [] {
            keywords[member.key] = member.value
        }
        let value = try function.ask("data_set", keywords: keywords, split: split)
        guard !value.isNull else { return nil }
        let rows = try Document.made(by: function, value)
        let documents = try preparation?(preparing: rows) ?? rows
        guard let first = documents.first else {
            throw EvaluationError.empty(file: function.name, task: task.name)
        }
        return (documents, Set(first.object.keys), [function.name])
    }
}

/// Why the examples of prompts are not what one may think they are.
public enum ExampleNotice: Equatable, Sendable {
    /// The split that examples come from has no file; they come from another split, or where that is
    /// nil, from the documents that are scored.
    case missingSplit(task: String, split: String, lookedFor: [String], instead: String?)
    /// The task names no split for examples, so they come from the documents that are scored.
    case scoredDocuments(task: String)
}

extension ExampleNotice: CustomStringConvertible {
    /// One line that names the task.
    public var description: String {
        switch self {
        case .missingSplit(let task, let split, let paths, let instead):
            "task \(quoted(task)): found no file for split \(quoted(split)), from which examples come, "
                + "looked for \(paths.joined(separator: ", ")); they are drawn from "
                + (instead.map { "split \(quoted($0))" } ?? "the documents that are scored")
                + " instead, and figures are not those of the task"
        case .scoredDocuments(let task):
            "task \(quoted(task)): names no split for examples, expected 'fewshot_split' or "
                + "'training_split'; they are drawn from the documents that are scored, as in the "
                + "harness"
        }
    }
}
