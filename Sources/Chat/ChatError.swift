import Storage

/// What can go wrong in a conversation.
public enum ChatError: Error, Equatable {
    /// A setting has an invalid value.
    case setting(name: String, found: String, expected: String)
    /// The text is empty, or holds no token.
    case emptyPrompt
    /// A prompt has more tokens than are read at once.
    case promptTooLong(tokens: Int, limit: Int)
    /// The reading of a prompt was stopped, so that there is no answer.
    case readingStopped(tokens: Int, total: Int)
    /// The tokenizer gave an id that the model does not have.
    case foreignToken(id: Int32, vocabulary: Int)
    /// There is no question to answer again, or to take back.
    case nothingSaid
    /// The topology keeps more than one state per layer, so that no turn can go on from one.
    case noSingleState(topology: String)
    /// There is no branch of this name.
    case unknownBranch(name: String, known: [String])
    /// A branch of this name exists.
    case branchExists(name: String)
    /// There is no adapter of this name.
    case unknownAdapter(name: String, known: [String])
    /// The session has no adapters.
    case noAdapter
    /// The layer does not exist.
    case unknownLayer(found: Int, layers: Int)
    /// No tree was built: the topology is a chain, or there was no prompt yet.
    case noTree
    /// The file's name ends in none of the known ways.
    case unknownExport(file: String)
    /// There is nothing to write into a file.
    case nothingToExport(file: String)
    /// A file is not a saved session, or a damaged one.
    case notSession(file: String, reason: String)
    /// A file was written by a newer release.
    case newerSession(file: String, found: Int, known: Int)
}

extension ChatError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .setting(let name, let found, let expected):
            "\(name) is \(oneLine(found)), expected \(expected)"
        case .emptyPrompt: "prompt is empty, expected at least one character"
        case .promptTooLong(let tokens, let limit):
            "prompt has \(tokens) tokens, expected at most \(limit); shorten it, begin a new "
                + "conversation, or use --history carry (in a conversation, /set history carry)"
        case .readingStopped(let tokens, let total):
            "reading the prompt was stopped after \(tokens) of \(total) tokens, and the "
                + "conversation is as it was before"
        case .foreignToken(let id, let vocabulary):
            "tokenizer gives id \(id), expected at most \(vocabulary - 1), the model's last; "
                + "the tokenizer is not the model's"
        case .nothingSaid: "nothing was said yet"
        case .noSingleState(let topology):
            "topology '\(topology)' keeps more than one state per layer, so that no turn can go on from "
                + "the last one's; use --history recompute "
                + "(in a conversation, /set history recompute)"
        case .unknownBranch(let name, let known):
            "branch \(quoted(name)) is unknown, expected one of \(known.joined(separator: ", "))"
        case .branchExists(let name):
            "branch \(quoted(name)) exists already; choose another name"
        case .unknownAdapter(let name, let known):
            "adapter \(quoted(name)) is not loaded, expected one of "
                + (known.isEmpty ? "(none)" : known.joined(separator: ", "))
        case .noAdapter: "no adapter is loaded"
        case .unknownLayer(let found, let layers):
            "layer is \(found), expected 0 to \(layers - 1)"
        case .noTree: "no tree was built: the topology is a chain, or nothing was said yet"
        case .unknownExport(let file):
            "\(quotedPath(file)): name ends in neither .md nor .jsonl; choose one of them"
        case .nothingToExport(let file):
            "\(quotedPath(file)): not written: the conversation has no answer yet"
        case .notSession(let file, let reason):
            "\(quotedPath(file)): not a saved session: \(oneLine(reason))"
        case .newerSession(let file, let found, let known):
            "\(quotedPath(file)): session has version \(found), expected at most \(known); "
                + "use a newer release"
        }
    }
}
