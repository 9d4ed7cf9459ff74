import Storage

/// A data set of the hub, or a part of it.
///
///     org/name        its train split, and what it has to validate on
///     org/name:test   another split
///     org/name/main   one of several configurations; a split may follow, too
public struct HubDataSetName: Equatable, Sendable {
    let repository: RepositoryName
    let configuration: String?
    /// The split that is named.
    public let split: String?
    /// As it is written.
    public let text: String

    /// Reads a name; nil if the text is none, or that of a file of records.
    public init?(_ text: String) {
        let sides = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(sides.count), !DataSplits.isData(sides[0]) else { return nil }
        let parts = sides[0].split(separator: "/", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count),
            let repository = RepositoryName(parts.prefix(2).joined(separator: "/")),
            sides.dropFirst().allSatisfy(CachedRepository.isPlain),
            parts.dropFirst(2).allSatisfy({ CachedRepository.isPlain(String($0)) })
        else { return nil }
        (self.repository, self.text) = (repository, text)
        configuration = parts.count == 3 ? String(parts[2]) : nil
        split = sides.count == 2 ? sides[1] : nil
    }

    /// Names a part as tasks do.
    public init?(dataSet: String, configuration: String?, split: String) {
        let folder = configuration.map { "/" + $0 } ?? ""
        self.init(dataSet + folder + ":" + split)
    }

    /// The name without the split.
    var withoutSplit: String { repository.text + (configuration.map { "/" + $0 } ?? "") }
}

extension HubCache {
    /// Finds files of a data set, downloading those that are not in the cache.
    ///
    /// The newest commit counts; offline, the one that was fetched last. Of data sets that have no files of records,
    /// the Parquet copy that the hub makes of them is taken.
    ///
    /// - Parameters:
    ///   - name: The data set.
    ///   - splits: The splits, the first of which must be there.
    ///   - progress: Called now and then during a download; false stops it.
    /// - Returns: The files of each split that there is.
    /// - Throws: ``HubError``, `DataSplitError`, `FileError` or `JSONError`.
    public func files(
        of name: HubDataSetName, splits: [String],
        progress: (DownloadProgress) -> Bool = { _ in true }
    ) throws -> [String: [String]] {
        let cached = CachedRepository(name.repository, in: folder, kind: .dataSet)
        var seen: [String] = []
        for revision in ["main", "refs/convert/parquet"] {
            var download = HubDownload(repository: name.repository, environment: environment)
            (download.kind, download.revision) = (.dataSet, revision)
            guard let (commit, names) = try names(cached, download, isNeeded: revision == "main")
            else { continue }
            if seen.isEmpty { seen = names.filter(DataSplits.isData) }
            let listing = DataSetListing(name, names)
            guard let first = try listing.files(of: splits[0]) else { continue }
            var found = [splits[0]: first]
            for split in splits.dropFirst() where found[split] == nil {
                found[split] = try listing.files(of: split)
            }
            let wanted = found.values.flatMap { $0 }.sorted()
            let snapshot =
                environment.isOffline
                ? cached.snapshot(of: commit)
                : try download.fetch(wanted, at: commit, into: cached, progress)
            return found.mapValues { $0.map { FilePath.join(snapshot, $0) } }
        }
        throw HubError.noSplit(dataSet: name.withoutSplit, split: splits[0], files: seen)
    }

    /// The commit and names of files on the hub; offline, those in the cache.
    private func names(
        _ cached: CachedRepository, _ download: HubDownload, isNeeded: Bool
    ) throws -> (commit: String, names: [String])? {
        guard environment.isOffline else {
            do {
                return try download.listing()
            } catch HubError.unknown where !isNeeded {
                return nil
            }
        }
        guard let snapshot = cached.snapshot(ofRevision: download.revision) else {
            if !isNeeded { return nil }
            throw HubError.dataSetOffline(
                name: download.repository.text, cache: cached.folder)
        }
        return (FilePath.name(of: snapshot), try FolderTree.files(below: snapshot, depth: 4))
    }
}

/// Which of a data set's files are those of a split.
struct DataSetListing {
    private let name: HubDataSetName
    private let names: [String]

    /// Files beside the data that end as files of records do.
    private static let others: Set = ["dataset_infos.json", "dataset_info.json", "state.json"]

    /// Takes a listing; names that cannot stand in a path are left out.
    init(_ name: HubDataSetName, _ names: [String]) {
        self.name = name
        self.names = names.filter { path in
            let parts = path.split(separator: "/", omittingEmptySubsequences: false)
            return parts.count <= 5 && DataSplits.isData(path)
                && parts.allSatisfy { !$0.isEmpty && $0.first != "." && !$0.utf8.contains(0) }
                && !Self.others.contains(FilePath.name(of: path))
        }
    }

    /// The files of a split, in their order; nil if there are none.
    func files(of split: String) throws -> [String]? {
        let folder = name.configuration.map { $0 + "/" } ?? ""
        let scope = below(folder)
        let found = try choose(split, among: scope)
        if !found.isEmpty { return found.map { folder + $0 } }
        if name.configuration == nil {
            let folders = Set(
                names.compactMap { $0.contains("/") ? $0.split(separator: "/")[0] : nil })
            let having = try folders.map(String.init).sorted().filter {
                try !choose(split, among: below($0 + "/")).isEmpty
            }
            if let one = having.count == 1 ? having[0] : having.first(where: { $0 == "default" }) {
                return try choose(split, among: below(one + "/")).map { one + "/" + $0 }
            }
            if having.count > 1 {
                throw HubError.severalConfigurations(
                    dataSet: name.repository.text, names: having)
            }
        }
        // Where no file has the name of a split, all are to train on.
        guard split == "train" else { return nil }
        for inner in ["", "data/"] {
            let files = scope.filter {
                $0.hasPrefix(inner) && !$0.dropFirst(inner.count).contains("/")
            }
            let isSplit = try ["test", "validation", "valid", "val", "dev"].contains {
                try !choose($0, among: files).isEmpty
            }
            if !files.isEmpty, !isSplit { return files.sorted().map { folder + $0 } }
        }
        return nil
    }

    private func below(_ folder: String) -> [String] {
        names.filter { $0.hasPrefix(folder) }.map { String($0.dropFirst(folder.count)) }
    }

    private func choose(_ split: String, among names: [String]) throws -> [String] {
        try DataSplits.choose(split, among: names, place: name.withoutSplit)
    }
}
