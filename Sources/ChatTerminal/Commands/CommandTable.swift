import Chat

/// All commands, in the order of the help.
///
/// Names are those of ollama; aliases are what users of mlx-lm and llama.cpp expect.
enum CommandTable {
    static let commands: [Command] = conversation + settings + files + branches + adapters + texts

    private static let conversation = [
        Command(
            name: "help", aliases: ["?", "h"], argument: .optional("COMMAND"),
            summary: "Explain the commands, or one of them"
        ) { .help($0) },
        Command(
            name: "bye", aliases: ["exit", "quit", "q", "x"], summary: "Leave, as Ctrl-D does"
        ) { _ in .leave },
        Command(
            name: "clear", aliases: ["reset", "new"], summary: "Forget the conversation",
            details: "What the model is told first stays."
        ) { _ in .clear },
        Command(
            name: "regen", aliases: ["regenerate", "retry"],
            summary: "Answer the last question again",
            details: "With other random numbers, in place of the answer."
        ) { _ in .regenerate },
        Command(
            name: "undo", summary: "Take back the last question and its answer"
        ) { _ in .undo },
        Command(
            name: "show", argument: .optional("TOPIC"), choices: ShowTopic.allCases.map(\.rawValue),
            summary: "Show a part of the session",
            details: "TOPIC is one of "
                + ShowTopic.allCases.map(\.rawValue).joined(separator: ", ") + ".",
            action: show),
    ]

    private static let settings = [
        Command(
            name: "set", subcommand: "parameter", argument: .optional("NAME VALUE"),
            choices: ChatParameter.all.map(\.name), summary: "Change how answers are drawn",
            details: "Without NAME, the parameters are listed.", action: parameter),
        Command(
            name: "set", subcommand: "system", argument: .optional("TEXT"),
            summary: "Change what the model is told first",
            details: "Without TEXT, it is told nothing."
        ) { .change(.system($0)) },
        Command(
            name: "set", subcommand: "history", argument: .optional("recompute|carry|none"),
            choices: HistoryMode.allCases.map(\.rawValue),
            summary: "Change what becomes of earlier turns",
            details: """
                Each turn reads the whole conversation (recompute, exact), goes on from the state \
                after the last one (carry, at constant cost), or reads its message alone (none). \
                Without a word, messages are \
                kept for the arrow keys again.
                """, action: history),
        Command(
            name: "set", subcommand: "nohistory", summary: "Keep no messages for the arrow keys",
            details: "Nor for later sessions."
        ) { _ in .change(.recording(false)) },
        Command(
            name: "set", subcommand: "verbose", summary: "Show figures after each answer"
        ) { _ in .change(.verbose(true)) },
        Command(
            name: "set", subcommand: "quiet", summary: "Show no figures"
        ) { _ in .change(.verbose(false)) },
        Command(
            name: "set", subcommand: "wordwrap", summary: "Break lines between words"
        ) { _ in .change(.wordWrap(true)) },
        Command(
            name: "set", subcommand: "nowordwrap", summary: "Break lines where they are full"
        ) { _ in .change(.wordWrap(false)) },
    ]

    private static let files = [
        Command(
            name: "save", argument: .required("FILE"), completes: .files,
            summary: "Save the session",
            details: """
                All branches, the settings and the state, to go on from later. A file that exists \
                is replaced if the session was saved to it or loaded from it, or with \
                /save --overwrite FILE.
                """
        ) { text throws(CommandError) in .file(.save(try target(text, usage: "/save"))) },
        Command(
            name: "load", argument: .required("FILE"), completes: .files,
            summary: "Go on with a saved session"
        ) { .file(.load($0 ?? "")) },
        Command(
            name: "export", argument: .required("FILE.md|.jsonl"), completes: .files,
            summary: "Write the conversation to a file",
            details: """
                To read (.md), or to train with (.jsonl). A file that exists is replaced if the \
                conversation was exported to it before, or with /export --overwrite FILE.
                """
        ) { text throws(CommandError) in .file(.export(try target(text, usage: "/export"))) },
    ]

    private static let branches = [
        Command(
            name: "fork", argument: .required("NAME"),
            summary: "Copy the conversation, go on in the copy"
        ) { .branch(.fork($0 ?? "")) },
        Command(
            name: "branch", aliases: ["branches", "switch"], argument: .optional("NAME"),
            completes: .branches, summary: "List the branches, or go on in one"
        ) { .branch($0.map { .change(to: $0) } ?? .list) },
    ]

    private static let adapters = [
        Command(
            name: "adapter", subcommand: "list", summary: "List the adapters"
        ) { _ in .adapter(.list) },
        Command(
            name: "adapter", subcommand: "on", argument: .optional("NAME"), completes: .adapters,
            summary: "Turn an adapter on", details: "Without NAME, the one that acted last."
        ) { .adapter(.on($0)) },
        Command(
            name: "adapter", subcommand: "off", summary: "Turn the adapter off"
        ) { _ in .adapter(.off) },
        Command(
            name: "adapter", subcommand: "load", argument: .required("DIR"), completes: .folders,
            summary: "Load an adapter and turn it on"
        ) { .adapter(.load($0 ?? "")) },
        Command(
            name: "ab", aliases: ["compare"], argument: .optional("TEXT"),
            summary: "Answer without and with the adapter",
            details: """
                Side by side, where the terminal is wide enough. Without TEXT, the last question. \
                The conversation stays as it is.
                """
        ) { .compare($0) },
    ]

    private static let texts = [
        Command(
            name: "score", argument: .required("TEXT"),
            summary: "Tell how likely the model finds a text"
        ) { .score($0 ?? "") },
        Command(
            name: "tokens", aliases: ["tokenize"], argument: .required("TEXT"),
            summary: "Show the tokens of a text and their ids"
        ) { .tokens($0 ?? "") },
        Command(
            name: "stats", aliases: ["statistics"], summary: "Show counts, times and sizes so far"
        ) { _ in .statistics },
        Command(
            name: "tree", argument: .optional("LAYER"), summary: "Draw the tree of the last prompt",
            details: """
                That of one layer, from 0. Lines flow to the right, then down, to the last token; \
                a branch joins the first token of the line below it in the same column. Tokens \
                that follow each other in the text are parted by a dot, others by an arrow.
                """, action: tree),
    ]

    private static func target(_ text: String?, usage: String) throws(CommandError) -> FileTarget {
        let (word, rest) = CommandParser.split(text ?? "")
        guard word == "--overwrite" else { return FileTarget(name: text ?? "") }
        guard !rest.isEmpty else {
            throw CommandError.missingArgument(usage: "\(usage) --overwrite FILE")
        }
        return FileTarget(name: rest, isOverwriting: true)
    }

    private static func parameter(_ text: String?) throws(CommandError) -> CommandAction {
        guard let text else { return .change(.listParameters) }
        let (name, value) = CommandParser.split(text)
        guard !value.isEmpty else {
            throw CommandError.missingArgument(usage: "/set parameter NAME VALUE")
        }
        return .change(.parameter(name: name, value: value))
    }

    private static func history(_ word: String?) throws(CommandError) -> CommandAction {
        guard let word else { return .change(.recording(true)) }
        return .change(
            .history(try choice(word, usage: "/set history", of: HistoryMode.self)))
    }

    private static func show(_ word: String?) throws(CommandError) -> CommandAction {
        guard let word else { return .show(.info) }
        return .show(try choice(word, usage: "/show", of: ShowTopic.self))
    }

    private static func tree(_ word: String?) throws(CommandError) -> CommandAction {
        guard let word else { return .tree(layer: 0) }
        guard let layer = Int(word), layer >= 0 else {
            throw CommandError.value(
                usage: "/tree [LAYER]", found: word, expected: "the number of a layer, from 0")
        }
        return .tree(layer: layer)
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ word: String, usage: String, of type: Choice.Type
    ) throws(CommandError) -> Choice {
        guard let choice = Choice(rawValue: word) else {
            throw CommandError.value(
                usage: usage, found: word,
                expected: Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return choice
    }
}
