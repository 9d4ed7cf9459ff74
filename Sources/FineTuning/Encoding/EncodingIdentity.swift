import Prompting
import Storage
import Tokenization

/// What turns the records of a run into tokens.
public struct EncodingSource: Sendable {
    let folder: String
    let configuration: TrainingConfiguration
    let templateSource: String?
    let vocabulary: Int
    let endTokens: [Int32]

    /// Names it; nothing is read yet.
    ///
    /// - Parameters:
    ///   - folder: The folder of the model, with its tokenizer.
    ///   - configuration: The template and its day, the limit, and what happens to longer records.
    ///   - templateSource: The text of a template that is a file.
    ///   - vocabulary: The model's number of token ids.
    ///   - endTokens: The model's own end tokens.
    public init(
        folder: String, configuration: TrainingConfiguration, templateSource: String?,
        vocabulary: Int, endTokens: [Int32]
    ) {
        self.folder = folder
        self.configuration = configuration
        self.templateSource = templateSource
        self.vocabulary = vocabulary
        self.endTokens = endTokens
    }

    /// Reads the tokenizer, and makes the template for it.
    ///
    /// - Returns: Both.
    /// - Throws: An error of the tokenizer's files or of the template.
    public func prompting() throws -> (tokenizer: LoadedTokenizer, template: PromptTemplate) {
        let tokenizer = try TokenizerLoader.load(at: folder)
        let template = try PromptTemplate(
            name: configuration.template, source: templateSource,
            tokenizer: tokenizer.configuration,
            time: TemplateTime(date: configuration.templateDate) ?? .fixed)
        return (tokenizer, template)
    }

    /// The encoder of records of a format; of ids it needs no tokenizer.
    func encoder(for format: DataFormat) throws -> RecordEncoder {
        var text: RecordEncoder.TextEncoding?
        if format.needsTokenizer {
            let (tokenizer, template) = try prompting()
            text = try RecordEncoder.TextEncoding(
                tokenizer: tokenizer, template: template,
                endToken: tokenizer.eosID ?? endTokens.first)
        }
        return RecordEncoder(text: text, configuration: configuration, vocabulary: vocabulary)
    }
}

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
    ///   - source: What turns records into tokens.
    ///   - tokenizerFiles: The names of the files that the tokenizer is read from; those missing are left out.
    /// - Throws: `FileError`.
    public init(
        program: String, source: EncodingSource, tokenizerFiles: [String]
    ) throws {
        let configuration = source.configuration
        let files = try tokenizerFiles.map { "\(source.folder)/\($0)" }.filter(FilePath.isFile).map
        {
            ($0, try SHA256.hexadecimal(ofFile: $0))
        }
        settings = [
            "version": .integer(EncodingIdentity.version), "program": .string(program),
            "data_format": .string(configuration.dataFormat.rawValue),
            "columns": .string(configuration.columns),
            "template": .string(configuration.template),
            "template_source": source.templateSource.map { .string($0) } ?? .null,
            "template_date": .string(configuration.templateDate),
            "max_seq_length": .integer(configuration.maxSequenceLength),
            "truncation": .string(configuration.truncation.rawValue),
            "vocabulary": .integer(source.vocabulary),
            "end_tokens": .array(source.endTokens.map { .integer(Int($0)) }),
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
