import Storage

/// Encoded records kept on disk, so that the same data are not read and encoded again.
///
/// What is kept goes by the hash of an ``EncodingIdentity``: the content of the data, of the
/// tokenizer's files and of the template, and every setting that decides the tokens. What is read
/// back is checked: a damaged file is an error to be reported, and never used.
public struct TokenCache: Sendable {
    private let folder: CacheFolder
    private let identity: EncodingIdentity

    /// Names a cache.
    ///
    /// - Parameters:
    ///   - folder: The folder, made when it is first needed; nothing else may be kept in it.
    ///   - identity: All that decides the tokens, except for the data.
    ///   - byteLimit: The most bytes kept; those not used for longest go first.
    public init(folder: String, identity: EncodingIdentity, byteLimit: Int = 1 << 30) {
        self.folder = CacheFolder(path: folder, byteLimit: byteLimit)
        self.identity = identity
    }

    /// The place for the records of some files.
    ///
    /// - Parameters:
    ///   - files: The data files.
    ///   - format: The format asked for.
    /// - Returns: The place; nil if a file can be read only once, as a pipe can.
    /// - Throws: `FileError` for a data file that cannot be read.
    func slot(for files: [String], format: DataFormat) throws -> Slot? {
        try identity.reading(files, format: format).map {
            Slot(folder: folder, identity: $0, files: files, format: format)
        }
    }

    /// The place of one set of data files in the cache.
    struct Slot {
        fileprivate let folder: CacheFolder
        fileprivate let identity: EncodingIdentity
        fileprivate let files: [String]
        fileprivate let format: DataFormat

        private var name: String { SHA256.hexadecimal(of: identity.text) + ".safetensors" }

        /// What is kept.
        ///
        /// - Parameter vocabulary: The model's number of token ids.
        /// - Returns: The records; nil if there are none.
        /// - Throws: ``TokenCacheError``, or an error of the file.
        func read(vocabulary: Int) throws -> LoadedRecords? {
            guard folder.holds(name) else { return nil }
            let records = try TokenCacheFile.read(
                folder.path(of: name), identity: identity.text, files: files,
                vocabulary: vocabulary)
            folder.touch(name)
            return records
        }

        /// Keeps records, unless a data file was changed since they were read.
        ///
        /// - Throws: `FileError`.
        func write(_ records: LoadedRecords) throws {
            guard try identity.reading(files, format: format) == identity else { return }
            try folder.create()
            try TokenCacheFile.write(
                records, to: folder.path(of: name), identity: identity.text, files: files)
            folder.trim()
        }
    }
}

/// Why what a cache holds cannot be used.
public enum TokenCacheError: Error, Equatable {
    /// A file of the cache does not hold what its checksum says, or contradicts itself.
    case damaged(file: String, reason: String)
}

extension TokenCacheError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .damaged(let file, let reason): "\(file): damaged: \(reason)"
        }
    }
}
