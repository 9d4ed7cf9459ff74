import Chat
import CommandSupport

extension ChatLoop {
    /// Asks the model.
    func ask(_ question: String) throws {
        try answer(reading: question) { isCancelled, onText in
            try session.reply(to: question, isCancelled: isCancelled, onText: onText)
        }
    }

    /// Answers the last question again.
    func regenerate() throws {
        try answer(reading: "") { isCancelled, onText in
            try session.regenerate(isCancelled: isCancelled, onText: onText)
        }
    }

    /// Lets the model answer and shows it.
    private func answer(
        reading question: String,
        _ reply: (_ isCancelled: () -> Bool, _ onText: (String) -> Void) throws -> Reply
    ) throws {
        var writer = AnswerWriter(screen, wraps: options.wrapsWords)
        let waiting = ReadingNote(tokens: tokensToRead(for: question), screen: screen)
        defer { waiting.end(screen) }
        let isCancelled = interruption()
        let reply = try reply(isCancelled) { text in
            waiting.end(screen)
            writer.push(text)
        }
        waiting.end(screen)
        writer.finish()
        tell(about: reply)
    }

    /// About how many tokens are read before the answer to a question begins.
    private func tokensToRead(for question: String) -> Int {
        var texts = [question]
        if session.settings.history == .recompute, session.model.flow.dependsOnPrompt {
            texts += session.transcript.exchanges.flatMap { [$0.question, $0.answer ?? ""] }
        }
        return texts.reduce(0) { $0 + session.tokens(of: $1).count }
    }

    /// What tells whether the person pressed Ctrl-C since, or the output is gone.
    func interruption() -> () -> Bool {
        var isInterrupted = false
        return { [screen, signals] in
            isInterrupted = isInterrupted || signals?.take(.interrupt) == true
            return isInterrupted || screen.failure != nil
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
        var isOn: Bool?
        let waiting = ReadingNote(tokens: tokensToRead(for: question ?? ""), screen: screen)
        defer { waiting.end(screen) }
        let answers = try session.compare(question, isCancelled: interruption()) { adapted, text in
            waiting.end(screen)
            guard !isWide else { return }
            if isOn != adapted {
                writer?.finish()
                writer = AnswerWriter(screen, wraps: options.wrapsWords)
                screen.line(adapted ? titles.on : titles.off, style: .bold)
                isOn = adapted
            }
            writer?.push(text)
        }
        waiting.end(screen)
        writer?.finish()
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
