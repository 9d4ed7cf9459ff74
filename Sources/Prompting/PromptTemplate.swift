import FoundationEssentials
import Glibc
import Jinja
import Storage
import Tokenization

/// Turns a record into the text of its prompt.
///
/// | Name | Prompt |
/// |---|---|
/// | `alpaca-short` | the blocks `### Instruction:`, `### Input:` (unless empty) and `### Response:` |
/// | `alpaca` | the same after the Stanford project's sentence |
/// | `chat` | the tokenizer's chat template up to the assistant's answer |
/// | `none` | the prompt as it is; an Alpaca record's input follows its instruction on a new line |
/// | a path | a Jinja template over the record's fields |
///
/// A completion's prompt stands for an instruction. Records that are conversations need `chat` or a
/// Jinja file. To `chat`, any other record is one message of the user, with the text of `none`.
///
/// How the conversations of a chat are written, by any template, tells ``prompt(of:endToken:)``.
public struct PromptTemplate: Sendable {
    /// The template that is used unless another is asked for.
    public static let standardName = "alpaca-short"
    /// The names of the templates that need no file.
    public static let builtInNames = ["alpaca-short", "alpaca", "chat", "none"]

    /// The name or path as given.
    public let name: String
    let form: Form

    enum Form: Sendable {
        case blocks(hasPreamble: Bool)
        case chat(ChatPrompt)
        case plain
        case file(FilePrompt)
    }

    /// Finds a template.
    ///
    /// - Parameters:
    ///   - name: One of ``builtInNames``, or the path of a Jinja file.
    ///   - source: The content of that file, where it was recorded; it is then not looked for.
    ///   - tokenizer: Where `chat` is found, and the special tokens that templates may name.
    ///   - time: The time that templates are told by `strftime_now`.
    /// - Throws: ``PromptError``, `FileError`, or `TemplateError` for a template that is not valid.
    public init(
        name: String, source: String? = nil, tokenizer: TokenizerConfiguration,
        time: TemplateTime = .fixed
    ) throws {
        self.name = name
        switch name {
        case "alpaca-short": form = .blocks(hasPreamble: false)
        case "alpaca": form = .blocks(hasPreamble: true)
        case "chat": form = .chat(try ChatPrompt(tokenizer, time))
        case "none": form = .plain
        default:
            let source = try source ?? PromptTemplate.contents(of: name)
            form = .file(try FilePrompt(source, name: name, tokenizer, time))
        }
    }

    /// The text of a template that is a file, so that it can be used without the file.
    ///
    /// - Parameter name: One of ``builtInNames``, or the path of a Jinja file.
    /// - Returns: The text; nil for a built-in template.
    /// - Throws: ``PromptError/unknownTemplate(_:)``, or `FileError`.
    public static func source(of name: String) throws -> String? {
        builtInNames.contains(name) ? nil : try contents(of: name)
    }

    private static func contents(of path: String) throws -> String {
        guard FileManager.default.fileExists(atPath: path) else {
            throw PromptError.unknownTemplate(path)
        }
        return try ByteStream.text(of: path, limit: 1 << 20)
    }

    /// Whether the template itself writes the token before a text, where the model wants one.
    public var writesStartToken: Bool {
        if case .chat = form { true } else { false }
    }

    /// The prompt of a record.
    ///
    /// - Parameter record: A record that holds text and has a prompt.
    /// - Returns: The text.
    /// - Throws: ``PromptError``, with file and line.
    public func prompt(of record: InstructionRecord) throws -> String {
        try locating(record) {
            switch form {
            case .blocks(let hasPreamble):
                guard let (instruction, input) = record.instruction else { break }
                return PromptTemplate.blocks(instruction, input, hasPreamble: hasPreamble)
            case .plain:
                if let text = record.plainPrompt { return text }
            case .chat(let chat):
                return try chat.render(record.askedMessages, addsPrompt: true, of: record).text
            case .file(let file) where record.isConversation && file.namesMessages:
                return try write(record, by: file).prompt
            case .file(let file): return try file.prompt(of: record)
            }
            throw PromptError.unsuitableTemplate(
                place: record.origin.description, template: name, form: record.content.form)
        }
    }

    /// Says in a template's error which record it is about.
    func locating<Result>(_ record: InstructionRecord, _ body: () throws -> Result) throws -> Result
    {
        do {
            return try body()
        } catch let error as TemplateError {
            throw PromptError.template(
                place: record.origin.description, reason: error.description)
        }
    }

    /// The blocks of an Alpaca prompt.
    ///
    /// Source: Taori et al. 2023, "Stanford Alpaca"; without preamble, the released MambaTreeL code.
    private static func blocks(
        _ instruction: String, _ input: String, hasPreamble: Bool
    ) -> String {
        let hasInput = !input.isEmpty
        let preamble =
            hasInput
            ? "Below is an instruction that describes a task, paired with an input that provides "
                + "further context. Write a response that appropriately completes the request.\n\n"
            : "Below is an instruction that describes a task. "
                + "Write a response that appropriately completes the request.\n\n"
        return (hasPreamble ? preamble : "") + "### Instruction:\n\(instruction)\n\n"
            + (hasInput ? "### Input:\n\(input)\n\n" : "") + "### Response:"
    }
}

extension InstructionRecord.Content {
    /// The name of the content's format.
    var form: String {
        switch self {
        case .alpaca: "alpaca"
        case .completion: "completions"
        case .chat: "chat"
        case .text: "text"
        case .ids: "ids"
        }
    }
}

extension InstructionRecord {
    /// Whether it holds a conversation.
    var isConversation: Bool {
        if case .chat = content { true } else { false }
    }

    /// What is learnt after a prompt; nil if the record has none.
    public var answer: String? {
        switch content {
        case .alpaca(_, _, let output): output
        case .completion(_, let completion): completion
        case .chat(_, let answer): answer
        case .text, .ids: nil
        }
    }

    /// The instruction and what it works on; nil for formats without.
    var instruction: (String, input: String)? {
        switch content {
        case .alpaca(let instruction, let input, _): (instruction, input)
        case .completion(let prompt, _): (prompt, "")
        case .chat, .text, .ids: nil
        }
    }

    /// Instruction and input as one text.
    var plainPrompt: String? {
        instruction.map { $1.isEmpty ? $0 : $0 + "\n" + $1 }
    }
}

/// The time that a template is told by `strftime_now`, the same for all it writes.
public struct TemplateTime: Equatable, Sendable {
    let time: LocalTime

    /// The day that templates are told in training unless another is asked for.
    ///
    /// It is the day that the templates of Llama 3.1 take where they are told none.
    public static let fixedDate = "2024-07-26"
    /// Midnight of ``fixedDate``.
    public static let fixed = TemplateTime(LocalTime(year: 2024, month: 7, day: 26))
    /// The present time of this machine's time zone.
    public static var now: TemplateTime {
        var (seconds, parts) = (Glibc.time(nil), tm())
        localtime_r(&seconds, &parts)
        return TemplateTime(
            LocalTime(
                year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1,
                day: Int(parts.tm_mday), hour: Int(parts.tm_hour), minute: Int(parts.tm_min),
                second: Int(parts.tm_sec)))
    }

    /// Reads a day written as `2024-07-26`; nil for another text.
    ///
    /// - Parameter date: The text.
    public init?(date: String) {
        guard let time = LocalTime(date: date) else { return nil }
        self.init(time)
    }

    private init(_ time: LocalTime) { self.time = time }
}

/// What can be wrong with a template, or with what it is to make a prompt of.
public enum PromptError: Error, Equatable {
    /// A template cannot make a prompt of records of this form.
    case unsuitableTemplate(place: String, template: String, form: String)
    /// A template is neither built in nor a file.
    case unknownTemplate(String)
    /// The tokenizer brings no chat template.
    case noChatTemplate
    /// A template failed on a record or a conversation.
    case template(place: String, reason: String)
    /// What a template writes for a conversation with its answer does not begin with what it wrote before.
    case rewritesPrompt(place: String, template: String)
    /// What a template writes for a conversation does not begin with what it wrote for its beginning.
    case notIncremental(template: String)
}

extension PromptError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .unsuitableTemplate(let place, let template, let form):
            "\(place): template '\(template)' is not made for records of the format "
                + "'\(form)'; use --template chat or a Jinja file"
        case .unknownTemplate(let name):
            "template \(quoted(name)) is unknown, expected one of "
                + PromptTemplate.builtInNames.joined(separator: ", ") + " or a Jinja file"
        case .noChatTemplate:
            "tokenizer has no chat template; choose another --template or add chat_template.jinja"
        case .template(let place, let reason):
            "\(place): template fails: \(reason)"
        case .rewritesPrompt(let place, let template):
            "\(place): template '\(template)' writes earlier turns anew where an answer follows, "
                + "expected one that only adds the answer; mark what is to be learnt with "
                + "{% generation %} in a Jinja file of your own"
        case .notIncremental(let template):
            "template '\(template)' writes earlier turns anew with each turn, expected one that only "
                + "adds to them; use --history recompute "
                + "(in a conversation, /set history recompute)"
        }
    }
}
