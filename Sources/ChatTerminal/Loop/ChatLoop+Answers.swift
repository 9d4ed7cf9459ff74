import Chat
import CommandSupport

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
