import Chat
import CommandSupport

extension ChatLoop {
    /// Asks the model.
    func ask(_ question: String) throws {
        try answer { isCancelled, onReading, onText in
            try session.reply(
                to: question, isCancelled: isCancelled, onReading: onReading, onText: onText)
        }
    }

    /// Answers the last question again.
    func regenerate() throws {
        try answer { isCancelled, onReading, onText in
            try session.regenerate(
                isCancelled: isCancelled, onReading: onReading, onText: onText)
        }
    }

    /// Lets the model answer and shows it.
    private func answer(
        _ reply: (
            _ isCancelled: () -> Bool, _ onReading: (ReadingProgress) -> Void,
            _ onText: (String) -> Void
        ) throws -> Reply
    ) throws {
        var writer = AnswerWriter(screen, wraps: options.wrapsWords)
        var reading = ReadingLine(screen)
        defer { reading.clear() }
        let reply = try reply(interruption(), { reading.update($0) }) { text in
            reading.clear()
            writer.push(text)
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
        var isOn: Bool?
        var reading = ReadingLine(screen)
        func endAnswer() {
            reading.clear()
            writer?.finish()
            writer = nil
        }
        defer { endAnswer() }
        let answers = try session.compare(
            question, isCancelled: interruption(),
            onReading: { progress in
                // The line where the first answer ends is not free for the second one's progress.
                writer?.finish()
                writer = nil
                reading.update(progress)
            }
        ) { adapted, text in
            reading.clear()
            guard !isWide else { return }
            if isOn != adapted {
                endAnswer()
                writer = AnswerWriter(screen, wraps: options.wrapsWords)
                screen.line(adapted ? titles.on : titles.off, style: .bold)
                isOn = adapted
            }
            writer?.push(text)
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
