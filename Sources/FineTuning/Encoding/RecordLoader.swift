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
    private let vocabulary: Int
    private let threads: Int
    private let cache: TokenCache?
    private let makeEncoder: (DataFormat) throws -> RecordEncoder

    /// Prepares to load.
    ///
    /// - Parameters:
    ///   - vocabulary: The model's number of token ids.
    ///   - threads: At least 1; has no influence on the result.
    ///   - cache: Where records are kept; nil for nowhere.
    ///   - makeEncoder: Makes the encoder for data of a format; called only where it is needed.
    public init(
        vocabulary: Int, threads: Int, cache: TokenCache?,
        makeEncoder: @escaping (DataFormat) throws -> RecordEncoder
    ) {
        (self.vocabulary, self.threads, self.cache) = (vocabulary, threads, cache)
        self.makeEncoder = makeEncoder
    }

    /// Loads the records of some files.
    ///
    /// - Parameters:
    ///   - files: Files that end in `.json` or `.jsonl`, either with `.zst`.
    ///   - format: The format of all files; `auto` takes what the very first record tells.
    ///   - report: Called with what happens, on this thread.
    /// - Returns: The records, in the files' order.
    /// - Throws: An error of the data or of `makeEncoder`; never one of the cache.
    public func load(
        _ files: [String], format: DataFormat, report: (LoadingEvent) -> Void = { _ in }
    ) throws -> LoadedRecords {
        let slot = try cache?.slot(for: files, format: format)
        do {
            if let kept = try slot?.read(vocabulary: vocabulary) { return kept }
        } catch {
            report(.cacheFailed("\(error); its records are encoded anew"))
        }
        let data = try InstructionData(files: files, format: format, vocabulary: vocabulary)
        let encoded = try makeEncoder(data.format).encode(data.records, threads: threads) {
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
