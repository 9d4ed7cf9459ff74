import Chat
import CommandSupport
import Glibc

/// Talks with a person, or with a script, until there is nothing more to say.
///
/// On a terminal, lines are edited, answers can be interrupted, and nothing but `/bye` or Ctrl-D
/// leaves. Where standard input is no terminal, each line is a message, and nothing is written but
/// answers, results and notes.
///
///     let status = ChatLoop(session, options: ChatLoopOptions()).run()
public final class ChatLoop {
    let session: ChatSession
    let screen: Screen
    var options: ChatLoopOptions
    var signals: TerminalSignals?
    private var lines: any LineSource
    private var history: HistoryFile?
    /// The answer to the last question, for its figures.
    var lastReply: Reply?
    var isLeaving = false
    private var hasFailed = false

    /// Prepares a conversation.
    ///
    /// - Parameters:
    ///   - session: What is talked with.
    ///   - options: How.
    public init(_ session: ChatSession, options: ChatLoopOptions) {
        self.session = session
        self.options = options
        screen = Screen(isDumb: options.isDumb, hasStyles: options.hasStyles)
        lines = PlainLines(input: STDIN_FILENO)
    }

    /// Whether a person types.
    private var isTerminal: Bool { signals != nil }

    /// Talks.
    ///
    /// A terminal that is closed, or SIGTERM, ends the conversation; what has a file is saved to it first.
    ///
    /// - Returns: The status to exit with: 0, or 1 if a line of a script could not be carried out or
    ///   standard output failed, without a message if it was closed; 128 and the number of the signal
    ///   that asked for the end.
    public func run() -> Int32 {
        openTerminal()
        // Closing gives the terminal its modes back.
        defer { (lines, signals) = (PlainLines(input: STDIN_FILENO), nil) }
        greet()
        talk()
        if let status = signals?.endingStatus {
            saveBeforeEnd()
            return status
        }
        guard let code = screen.failure else { return hasFailed && !isTerminal ? 1 : 0 }
        // A reader that has had enough is not told about it.
        if code != EPIPE {
            screen.note("standard output: cannot write: \(String(cString: strerror(code)))")
        }
        return 1
    }

    private func openTerminal() {
        guard isatty(STDIN_FILENO) == 1, let output = screen.terminal else { return }
        let canEdit = !options.isDumb
        signals = TerminalSignals(input: STDIN_FILENO, output: output, marksPastes: canEdit)
        guard let signals else { return }
        if canEdit,
            let editor = LineEditor(
                input: STDIN_FILENO, output: output, signals: signals,
                promptStyle: screen.hasStyles ? .prompt : .plain,
                complete: { [weak self] in self?.complete($0) ?? .nothing })
        {
            lines = editor
            openHistory()
        } else {
            lines = PlainLines(input: STDIN_FILENO, signals: signals, showPrompt: screen.noteRaw)
        }
    }

    /// What the Tab key does behind a text.
    private func complete(_ text: String) -> Completion.Result {
        let completion = Completion(
            branches: session.branches, adapters: session.adapters?.names ?? [],
            homeFolder: options.homeFolder)
        return completion.complete(text) { words in
            let lines = Completion.columns(words.map(PlainText.escaped), width: screen.width - 1)
            screen.noteRaw("\n" + lines.prefix(100).joined(separator: "\n") + "\n")
        }
    }

    private func openHistory() {
        guard let path = options.historyFile else { return }
        do {
            let file = try HistoryFile(path: path)
            for message in try file.messages() { lines.remember(message) }
            history = file
        } catch {
            screen.note("messages are not kept for later sessions: \(error)")
        }
    }

    private func greet() {
        guard isTerminal else { return }
        screen.note(options.greeting)
        screen.note("/help lists the commands, Ctrl-D leaves.")
    }

    private func talk() {
        var assembler = MessageAssembler()
        var interrupts = 0
        while !isLeaving, screen.failure == nil, signals?.isEnding != true {
            switch lines.read(prompt: assembler.isUnfinished ? "... " : prompt) {
            case .line(let line):
                interrupts = 0
                if let message = assembler.push(line) { handle(message) }
            case .interrupted:
                assembler.cancel()
                interrupts += 1
                screen.note("^C")
                if interrupts == 2 { screen.note("/bye or Ctrl-D leaves.") }
            case .end:
                end(&assembler)
                return
            }
        }
    }

    /// Saves a conversation that has a file, unless it is there already.
    private func saveBeforeEnd() {
        guard let file = session.file, session.isChanged else { return }
        do {
            try session.save(to: file)
            screen.note("Saved to \(PlainText.escaped(file)).")
        } catch {
            screen.note("\(error)")
        }
    }

    private var prompt: String {
        let branch = session.currentBranch
        guard isTerminal, branch != ChatSession.mainBranch else { return ">>> " }
        return "(\(PlainText.short(branch))) >>> "
    }

    private func end(_ assembler: inout MessageAssembler) {
        if isTerminal { return screen.noteRaw("\n") }
        let isOpen = assembler.isUnfinished
        if let message = assembler.end() {
            handle(message)
        } else if isOpen {
            fail("input ended inside a \(MessageAssembler.mark) block, which was not sent")
        }
    }

    /// Carries a message out: asks the model, or does what a command says.
    private func handle(_ shown: String) {
        guard shown.contains(where: { !$0.isWhitespace }) else { return }
        let message = lines.expanded(shown)
        remember(message, shown: shown)
        do {
            // What was pasted under a name is never a command.
            if CommandParser.isCommand(shown) {
                try perform(CommandParser.action(of: message))
            } else {
                try ask(message)
            }
        } catch {
            // What the loss of the output has stopped is no failure of its own.
            if screen.failure == nil { fail("\(error)") }
        }
        // A Ctrl-C that came too late was meant for this, not for the next line.
        _ = signals?.take(.interrupt)
    }

    private func remember(_ message: String, shown: String) {
        guard options.recordsMessages else { return }
        lines.remember(shown)
        do {
            try history?.append(message)
        } catch {
            history = nil
            screen.note("messages are not kept for later sessions: \(error)")
        }
    }

    private func fail(_ text: String) {
        hasFailed = true
        screen.note(text, style: .error)
    }
}

extension ChatLoop {
    /// Asks the model.
    func ask(_ question: String) throws {
        try answer { try session.reply(to: question, onEvent: $0) }
    }

    /// Answers the last question again.
    func regenerate() throws {
        try answer { try session.regenerate(onEvent: $0) }
    }

    /// Lets the model answer and shows it.
    private func answer(_ reply: (_ onEvent: (ReplyEvent) -> Bool) throws -> Reply) throws {
        var writer = AnswerWriter(screen, wraps: options.wrapsWords)
        var reading = ReadingLine(screen)
        defer { reading.clear() }
        let isInterrupted = interruption()
        let reply = try reply { event in
            guard !isInterrupted() else { return false }
            switch event {
            case .reading(let progress): reading.update(progress)
            case .drawing: break
            case .text(let text, _):
                reading.clear()
                writer.push(text)
            }
            return true
        }
        reading.clear()
        writer.finish()
        tell(about: reply)
    }

    /// What tells whether the person pressed Ctrl-C since, the process is to end, or the output is gone.
    func interruption() -> () -> Bool {
        var isInterrupted = false
        return { [screen, signals] in
            isInterrupted = isInterrupted || signals?.take(.interrupt) == true
            return isInterrupted || screen.failure != nil || signals?.isEnding == true
        }
    }

    private func tell(about reply: Reply) {
        lastReply = reply
        if signals != nil {
            switch reply.stopReason {
            case .stopped: screen.note("[stopped; /regen answers again]")
            case .length:
                screen.note(
                    "[cut off after \(reply.tokens.count) tokens; "
                        + "/set parameter num_predict N allows more]")
            case .end, .stop: break
            }
        }
        if options.isVerbose { screen.note(Figures.line(of: reply)) }
        if signals != nil { screen.note("") }
    }

    /// Answers a question without and with the adapter.
    func compare(_ question: String?) throws {
        let name = session.adapters?.active ?? session.adapters?.names.last ?? ""
        let titles = (off: "adapter off", on: "adapter \(PlainText.escaped(name))")
        let isWide = screen.isTerminal && screen.width >= Columns.leastWidth
        var writer: AnswerWriter?
        var shown: Int?
        var reading = ReadingLine(screen)
        func endAnswer() {
            reading.clear()
            writer?.finish()
            writer = nil
        }
        defer { endAnswer() }
        let isInterrupted = interruption()
        let answers = try session.compare(question) { event in
            guard !isInterrupted() else { return false }
            switch event {
            case .reading(let progress):
                // The line where the first answer ends is not free for the second one's progress.
                writer?.finish()
                writer = nil
                reading.update(progress)
            case .drawing: break
            case .text(let text, let answer):
                reading.clear()
                if isWide { break }
                if shown != answer {
                    endAnswer()
                    writer = AnswerWriter(screen, wraps: options.wrapsWords)
                    screen.line(answer == 1 ? titles.on : titles.off, style: .bold)
                    shown = answer
                }
                writer?.push(text)
            }
            return true
        }
        endAnswer()
        if isWide {
            Columns.lines(
                (titles.off, PlainText.visible(answers.off.text)),
                (titles.on, PlainText.visible(answers.on.text)), width: screen.width - 1
            ).forEach { screen.line($0) }
        }
        if options.isVerbose {
            screen.note("\(titles.off): " + Figures.line(of: answers.off))
            screen.note("\(titles.on): " + Figures.line(of: answers.on))
        }
    }
}

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
