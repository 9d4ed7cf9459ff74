import Chat
import CommandSupport
import Prompting

extension ChatLoop {
    /// Shows a part of the session.
    func show(_ topic: ShowTopic) throws {
        switch topic {
        case .info:
            table(modelRows + sessionRows)
        case .model: table(modelRows)
        case .parameters: parameters(withSummaries: false)
        case .system: screen.line(session.system.map(shown) ?? "The model is told nothing first.")
        case .template: try template()
        case .history: history()
        }
    }

    /// The parameters of answers, each with what it does if asked for.
    func parameters(withSummaries: Bool) {
        let rows = ChatParameter.all.map { parameter in
            let value = padded(parameter.name, to: 15) + parameter.text(session.settings)
            return (value, withSummaries ? [parameter.summary] : [])
        }
        withSummaries ? list(rows) : rows.forEach { screen.line($0.0) }
    }

    private var modelRows: [(String, String)] {
        let model = session.model.configuration
        let end = session.adapters?.active.map { PlainText.escaped($0) + ", on" }
        return [
            (
                "model",
                "Mamba, \(Figures.count(model.layers, "layer")), width \(model.model), "
                    + "inner width \(model.inner), state \(model.state)"
            ),
            ("parameters", Figures.grouped(model.parameterCount)),
            ("vocabulary", Figures.count(model.vocabulary, "token")),
            ("topology", session.model.flow.description),
            ("adapter", end ?? (session.adapters?.names.isEmpty == false ? "off" : "none")),
        ]
    }

    private var sessionRows: [(String, String)] {
        [
            ("template", PlainText.escaped(session.template.name)),
            ("system", session.system.map(PlainText.short) ?? "none"),
            (
                "branch",
                "\(PlainText.escaped(session.currentBranch)), 1 of \(session.branches.count), "
                    + Figures.count(session.transcript.exchanges.count, "exchange")
            ),
            ("history", session.settings.history.rawValue),
        ]
    }

    private func template() throws {
        screen.line(PlainText.escaped(session.template.name), style: .bold)
        let record = InstructionRecord(prompt: "QUESTION")
        screen.line(shown(try session.template.prompt(of: record)))
    }

    private func history() {
        for exchange in session.transcript.exchanges {
            screen.line("> " + shown(exchange.question), style: .bold)
            screen.line(exchange.answer.map(shown) ?? "")
        }
    }

    /// What the session did so far.
    func statistics() {
        let x = session.statistics
        let rate = { (tokens: Int, duration: Duration) in
            let seconds = duration / .seconds(1)
            return Figures.rate(seconds > 0 ? Double(tokens) / seconds : 0)
        }
        table([
            ("answers", Figures.grouped(x.replies)),
            (
                "read",
                "\(Figures.count(x.readTokens, "token")) in "
                    + "\(Figures.seconds(x.prefillDuration)) "
                    + "(\(rate(x.readTokens, x.prefillDuration)))"
            ),
            (
                "drawn",
                "\(Figures.count(x.drawnTokens, "token")) in "
                    + "\(Figures.seconds(x.decodeDuration)) "
                    + "(\(rate(x.drawnTokens, x.decodeDuration)))"
            ),
            ("last answer", lastReply.map(Figures.line) ?? "none"),
            ("state", "\(Figures.size(x.stateBytes)), however long the conversation"),
            ("position", Figures.count(x.position, "token")),
        ])
    }

    /// Rows of a name and what belongs to it.
    private func table(_ rows: [(String, String)]) {
        for (name, value) in rows { row(name, [value], indent: 12) }
    }

    func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - DisplayWidth.of(text)))
    }

    /// A text from model or person as the output takes it.
    func shown(_ text: String) -> String {
        screen.isTerminal ? PlainText.visible(text) : text
    }
}
