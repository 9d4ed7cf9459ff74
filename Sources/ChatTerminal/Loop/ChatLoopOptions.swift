/// How a session talks with a person.
public struct ChatLoopOptions: Sendable {
    /// What the person is told first: the model's name and the like.
    public var greeting = ""
    /// Whether the terminal understands nothing but text (`TERM=dumb`).
    public var isDumb = false
    /// Whether text may be faint or bold (no `NO_COLOR`).
    public var hasStyles = true
    /// The file of messages for later sessions; `nil` for none.
    public var historyFile: String?
    /// The person's folder, for which `~` stands in the names of files.
    public var homeFolder: String?
    /// Whether each answer is followed by its figures.
    public var isVerbose = false
    /// Whether the lines of answers are broken between words.
    public var wrapsWords = true
    /// Whether messages are kept for the arrow keys.
    public var recordsMessages = true

    /// Creates the defaults.
    public init() {}

    /// Takes what a process's environment says about its terminal.
    ///
    /// `TERM`, `NO_COLOR`, `HOME` and, for the file of messages, `XDG_STATE_HOME`.
    ///
    /// - Parameter environment: The variables by their names.
    public init(environment: [String: String]) {
        let terminal = environment["TERM"] ?? ""
        isDumb = terminal.isEmpty || terminal == "dumb"
        hasStyles = (environment["NO_COLOR"] ?? "").isEmpty
        homeFolder = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 }
        // The standard asks for absolute paths, and to pass over others.
        let states = environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        let folder = states ?? homeFolder.map { $0 + "/.local/state" }
        historyFile = folder.map { $0 + "/mambatreel/chat-history.jsonl" }
    }
}
