import Storage

/// Folders with data sets: one folder a data set, one file a split.
///
/// A split `S` of a task `T` is the first file that exists of `T/S.jsonl` and
/// `DATASET/CONFIGURATION/S.jsonl`, `DATASET/S.jsonl`, each also with `.zst`, in the first folder that
/// has one. Files that a task names itself (`dataset_kwargs: {data_files: …}`) come before.
public struct DataFolders: Sendable {
    /// The folders, in the order of search.
    public let folders: [String]

    /// Names the folders.
    public init(_ folders: [String]) { self.folders = folders }

    /// The paths that may hold a split, in the order of search.
    func candidates(_ task: TaskConfiguration, split: String) -> [String] {
        var names = [task.name]
        if let other = task.keys["metadata"]?["data_folder"]?.stringValue { names.append(other) }
        if !task.dataSet.hasPrefix("/") {
            if let configuration = task.dataSetConfiguration {
                names.append(FilePath.join(task.dataSet, configuration))
            }
            names.append(task.dataSet)
        }
        return folders.flatMap { folder in
            names.flatMap { name in
                ["", ".zst"].map { FilePath.join(folder, "\(name)/\(split).jsonl\($0)") }
            }
        }
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
        return candidates(task, split: split).first(where: FilePath.exists).map { [$0] } ?? []
    }

    /// Reads the documents of a split, as the task prepares them; nil if there is no file.
    func documents(
        _ task: TaskConfiguration, split: String, preparation: NativeFunction?
    ) throws -> (documents: [Document], columns: Set<String>, files: [String])? {
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
        let documents = try zip(records, table.rows).map { record, row in
            let document = Document(place: record.place, object: row)
            guard case .document(let prepare)? = preparation?.body else { return document }
            return Document(place: document.place, object: try prepare(document))
        }
        guard let first = documents.first else {
            throw EvaluationError.empty(file: files[0], task: task.name)
        }
        return (documents, Set(first.object.keys), files)
    }
}
