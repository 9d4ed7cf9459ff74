/// The encoded records of some data files.
public struct LoadedRecords: Equatable, Sendable {
    /// The format of the data; never `auto`.
    public let format: DataFormat
    /// The records that can be trained on, and what became of the others.
    public let encoded: EncodedRecords
}

/// What is reported while records are loaded.
public enum LoadingEvent: Equatable, Sendable {
    /// So many records are encoded.
    case encoded(done: Int, total: Int)
    /// The cache cannot be used, for this reason; loading goes on without it.
    case cacheFailed(String)
}

/// Loads the records of data files as tokens: from a cache, or from the files themselves.
public struct RecordLoader {
    private let source: EncodingSource
    private let threads: Int
    private let cache: TokenCache?

    /// Prepares to load.
    ///
    /// - Parameters:
    ///   - source: What turns records into tokens; its tokenizer is read only where text is encoded.
    ///   - threads: At least 1; has no influence on the result.
    ///   - cache: Where records are kept; nil for nowhere.
    public init(_ source: EncodingSource, threads: Int, cache: TokenCache?) {
        self.source = source
        self.threads = threads
        self.cache = cache
    }

    /// Loads the records of some files.
    ///
    /// - Parameters:
    ///   - files: Files that end in `.json` or `.jsonl`, either with `.zst`.
    ///   - format: The format of all files; `auto` takes what the very first record tells.
    ///   - report: Called with what happens, on this thread.
    /// - Returns: The records, in the files' order.
    /// - Throws: An error of the data or of the tokenizer; never one of the cache.
    public func load(
        _ files: [String], format: DataFormat, report: (LoadingEvent) -> Void = { _ in }
    ) throws -> LoadedRecords {
        let slot = try cache?.slot(for: files, format: format)
        do {
            if let kept = try slot?.read(vocabulary: source.vocabulary) { return kept }
        } catch {
            report(.cacheFailed("\(error); its records are encoded anew"))
        }
        let data = try InstructionData(
            files: files, format: format, vocabulary: source.vocabulary,
            columns: ColumnNames(parsing: source.configuration.columns))
        let encoder = try source.encoder(for: data.format)
        let encoded = try encoder.encode(data.records, threads: threads) {
            report(.encoded(done: $0, total: $1))
        }
        let loaded = LoadedRecords(format: data.format, encoded: encoded)
        do {
            try slot?.write(loaded)
        } catch {
            report(.cacheFailed("\(error); its tokens are not kept"))
        }
        return loaded
    }
}
