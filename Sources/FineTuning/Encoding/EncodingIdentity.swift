import Storage

/// All that decides what the records of some files become as tokens, their content included.
///
/// Two identities are equal only if encoding gives the same records; the names of the data files
/// are no part of it.
public struct EncodingIdentity: Equatable, Sendable {
    /// Raised whenever the same files and settings give other tokens, or are stored differently.
    static let version = 2

    private let settings: JSONObject
    private var data: [String] = []

    /// Gathers what decides, except for the data.
    ///
    /// - Parameters:
    ///   - program: The version of the program, whose other versions may encode differently.
    ///   - configuration: The template and its day, the limit, and what happens to longer records.
    ///   - templateSource: The template's text, where it came from a file.
    ///   - vocabulary: The model's number of token ids.
    ///   - endTokens: The model's own end tokens.
    ///   - tokenizerFiles: The files that the tokenizer is read from; those missing are left out.
    /// - Throws: `FileError`.
    public init(
        program: String, configuration: TrainingConfiguration, templateSource: String?,
        vocabulary: Int, endTokens: [Int32], tokenizerFiles: [String]
    ) throws {
        let files = try tokenizerFiles.filter(FilePath.isFile).map {
            ($0, try SHA256.hexadecimal(ofFile: $0))
        }
        settings = [
            "version": .integer(EncodingIdentity.version), "program": .string(program),
            "data_format": .string(configuration.dataFormat.rawValue),
            "template": .string(configuration.template),
            "template_source": templateSource.map { .string($0) } ?? .null,
            "template_date": .string(configuration.templateDate),
            "max_seq_length": .integer(configuration.maxSequenceLength),
            "truncation": .string(configuration.truncation.rawValue),
            "vocabulary": .integer(vocabulary),
            "end_tokens": .array(endTokens.map { .integer(Int($0)) }),
            "tokenizer": .object(
                JSONObject(files.map { (FilePath.name(of: $0), .string($1)) })),
        ]
    }

    /// The same for some data.
    ///
    /// - Parameters:
    ///   - files: The data files.
    ///   - format: Their format, if it is known already.
    /// - Returns: The identity; nil if a file is a pipe or the like, which can be read only once.
    /// - Throws: `FileError`.
    func reading(_ files: [String], format: DataFormat) throws -> EncodingIdentity? {
        guard files.allSatisfy(FilePath.isFile) else { return nil }
        var identity = self
        identity.data =
            [format.rawValue] + (try files.map { try SHA256.hexadecimal(ofFile: $0) })
        return identity
    }

    /// The identity as JSON; equal identities have equal texts.
    var text: String {
        var object = settings
        object["data"] = .array(data.map { .string($0) })
        return JSONWriter(sortsKeys: true, isCompact: true).string(.object(object))
    }
}
