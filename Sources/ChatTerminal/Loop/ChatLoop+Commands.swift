import Chat
import CommandSupport
import Prompting
import Python

extension ChatLoop {
    /// Does what a command asks.
    func perform(_ action: CommandAction) throws {
        switch action {
        case .help(let command): try help(command)
        case .leave: isLeaving = true
        case .clear:
            session.clear()
            confirm("The conversation is forgotten.")
        case .show(let topic): try show(topic)
        case .regenerate: try regenerate()
        case .undo: try undo()
        case .compare(let question): try compare(question)
        case .score(let text): try score(text)
        case .tokens(let text): tokens(text)
        case .statistics: statistics()
        case .tree(let layer): try tree(layer: layer)
        case .change(let change): try self.change(change)
        case .file(let action): try perform(action)
        case .branch(let action): try perform(action)
        case .adapter(let action): try perform(action)
        }
    }

    /// Tells that a command was carried out.
    private func confirm(_ text: String) { screen.note(text) }

    private func undo() throws {
        let exchange = try session.undo()
        confirm("Taken back: \(PlainText.short(exchange.question))")
    }

    private func change(_ change: SettingChange) throws {
        switch change {
        case .listParameters: parameters(withSummaries: true)
        case .parameter(let name, let value): try set(name, value)
        case .system(let text):
            session.system = text
            confirm("The model is told \(text == nil ? "nothing" : "this") first.")
        case .history(let mode):
            session.settings.history = mode
            let effect =
                switch mode {
                case .carry: "Each turn goes on from the state after the last one."
                case .recompute: "Each turn reads the whole conversation."
                case .separate: "Each message stands alone: what was said before is not read."
                }
            confirm(effect)
        case .recording(let isOn):
            options.recordsMessages = isOn
            confirm(isOn ? "Messages are kept." : "Messages are kept no more.")
        case .verbose(let isOn):
            options.isVerbose = isOn
            confirm(isOn ? "Answers are followed by their figures." : "Answers stand alone.")
        case .wordWrap(let isOn):
            options.wrapsWords = isOn
            confirm(isOn ? "Lines break between words." : "Lines break where they are full.")
        }
    }

    private func set(_ name: String, _ value: String) throws {
        guard let parameter = ChatParameter.named(name) else {
            throw CommandError.value(
                usage: "/set parameter", found: name,
                expected: ChatParameter.all.map(\.name).joined(separator: ", "))
        }
        var settings = session.settings
        guard parameter.change(&settings, value) else {
            throw CommandError.value(
                usage: "/set parameter \(parameter.name)", found: value, expected: "a number")
        }
        do {
            try settings.validate()
        } catch ChatError.setting(_, let found, let expected) {
            // By the name that was typed here, not by that of the flag.
            throw ChatError.setting(name: parameter.name, found: found, expected: expected)
        }
        session.settings = settings
        confirm("\(parameter.name) is \(parameter.text(settings))")
    }

    private func perform(_ action: FileAction) throws {
        switch action {
        case .save(let file):
            let path = path(of: file.name)
            try session.save(to: path, isOverwriting: file.isOverwriting)
            confirm("Saved to \(PlainText.escaped(path)).")
        case .load(let file):
            let state = try session.load(from: path(of: file))
            let count = Figures.count(session.transcript.exchanges.count, "exchange")
            switch state {
            case .kept: confirm("Loaded \(count), with the state.")
            case .recomputed(let reason):
                confirm("Loaded \(count); the next turn reads them again: \(reason).")
            }
        case .export(let file):
            let path = path(of: file.name)
            try session.export(to: path, isOverwriting: file.isOverwriting)
            confirm("Exported to \(PlainText.escaped(path)).")
        }
    }

    /// The path of a file as typed: it may stand in quotes, and `~` is the person's folder.
    private func path(of text: String) -> String {
        let words = QuotedWords.split(text)
        let path = text.hasPrefix("\"") && words.count == 1 ? words[0] : text
        guard path == "~" || path.hasPrefix("~/"), let home = options.homeFolder else {
            return path
        }
        return home + path.dropFirst()
    }

    private func perform(_ action: BranchAction) throws {
        switch action {
        case .fork(let name):
            try session.fork(name)
            confirm("Branch '\(PlainText.short(name))' goes on from here.")
        case .change(let name):
            try session.switchBranch(to: name)
            let count = Figures.count(session.transcript.exchanges.count, "exchange")
            confirm("Branch '\(PlainText.short(name))' has \(count).")
        case .list: list(session.branches, current: session.currentBranch)
        }
    }

    private func perform(_ action: AdapterAction) throws {
        switch action {
        case .on(let name):
            try session.turnAdapterOn(name)
            confirm("Adapter '\(PlainText.short(session.adapters?.active ?? ""))' is on.")
        case .off:
            try session.turnAdapterOff()
            confirm("The adapter is off.")
        case .load(let folder):
            try session.loadAdapter(path(of: folder))
            confirm("Adapter '\(PlainText.short(session.adapters?.active ?? ""))' is on.")
        case .list:
            let names = session.adapters?.names ?? []
            if names.isEmpty { confirm("No adapter is loaded; /adapter load DIR loads one.") }
            list(names, current: session.adapters?.active)
        }
    }

    /// Lists names, one of which may be marked.
    private func list(_ names: [String], current: String?) {
        for name in names {
            screen.line((name == current ? "* " : "  ") + PlainText.escaped(name))
        }
    }
}

extension ChatLoop {
    /// Explains all commands, or one.
    func help(_ name: String?) throws {
        guard let name else { return overview() }
        let commands = CommandParser.named(name)
        guard let first = commands.first else {
            throw CommandError.unknown(found: name, nearest: CommandParser.nearest(to: name))
        }
        list(commands.map { ($0.usage, [$0.summary, $0.details]) })
        if !first.aliases.isEmpty {
            screen.line("Also: " + first.aliases.map { "/" + $0 }.joined(separator: ", "))
        }
        if first.name == "set" {
            screen.line()
            parameters(withSummaries: true)
        }
    }

    private func overview() {
        list(CommandTable.commands.map { ($0.usage, [$0.summary]) })
        screen.line()
        list([
            ("\"\"\"", ["Begins and ends a message of several lines"]),
            ("\\ at a line's end, Alt-Enter", ["Goes on with the message on a new line"]),
            ("Ctrl-C", ["Stops an answer, or clears the line"]),
            ("Ctrl-D", ["Leaves"]),
        ])
    }

    /// Rows of a word and sentences about it.
    func list(_ rows: [(String, [String])]) {
        for (word, sentences) in rows { row(word, sentences, indent: 33) }
    }

    /// A word and sentences about it, broken between words on a terminal.
    func row(_ word: String, _ sentences: [String], indent: Int) {
        let text = sentences.filter { !$0.isEmpty }.joined(separator: ". ")
        let room = screen.isTerminal ? screen.width - 1 : .max
        // Where two columns do not fit, sentences stand below their word.
        guard room >= indent + 30 || indent < 20 else {
            screen.line(word, style: .bold)
            return WordWrap.lines(of: text, width: max(room - 2, 10)).forEach {
                screen.line("  " + $0)
            }
        }
        let lines = WordWrap.lines(of: text, width: max(room - indent, 30))
        screen.line(padded(word, to: indent) + (lines.first ?? ""))
        for line in lines.dropFirst() {
            screen.line(String(repeating: " ", count: indent) + line)
        }
    }
}

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

extension ChatLoop {
    /// Shows the tokens of a text: side by side on a terminal, else one a line, its id and text.
    func tokens(_ text: String) {
        let pieces = session.tokens(of: text)
        guard screen.isTerminal else {
            for piece in pieces { screen.line("\(piece.id)\t\(PlainText.escaped(piece.text))") }
            return
        }
        screen.line(Figures.count(pieces.count, "token"))
        flow(pieces.map { "\($0.id) '\(PlainText.escaped($0.text))'" })
    }

    /// Tells how likely a text is, and each of its tokens.
    func score(_ text: String) throws {
        let score = try session.score(text)
        let perplexity = score.perplexity.map { ", perplexity \(PythonFloat.fixed($0, places: 2))" }
        screen.line(
            "log-likelihood \(PythonFloat.fixed(score.logLikelihood, places: 3)) of "
                + Figures.count(score.pieces.count, "token") + (perplexity ?? ""))
        let cells = zip(score.pieces, score.logProbabilities).map { piece, value in
            (PlainText.escaped(piece.text), value.map { PythonFloat.fixed($0, places: 2) } ?? "-")
        }
        if screen.isTerminal {
            flow(cells.map { "'\($0)' \($1)" })
        } else {
            for (text, value) in cells { screen.line("\(value)\t\(text)") }
        }
    }

    /// Draws the tree that a layer built over the last prompt.
    func tree(layer: Int) throws {
        let tree = try session.tree(layer: layer)
        let drawing = TreeDrawing(
            labels: tree.pieces.map { Self.label($0.text) }, parents: tree.parents,
            width: screen.width - 1)
        screen.line(
            "layer \(tree.layer): \(Figures.count(tree.pieces.count, "token")), "
                + Figures.count(drawing.leafCount, "leaf", plural: "leaves")
                + ", depth \(drawing.depth)")
        for line in drawing.lines { screen.line(line) }
        guard screen.isTerminal else { return }
        screen.note(
            "Read right, then down; a branch joins the line below it. · next token, → jump.")
    }

    /// How a token stands in a drawing: a space alone could not be seen.
    private static func label(_ text: String) -> String {
        text.allSatisfy { $0 == " " } ? text.replacing(" ", with: "␣") : PlainText.escaped(text)
    }

    /// Cells side by side, two spaces between them, as many as fit into a line.
    private func flow(_ cells: [String]) {
        let width = screen.width - 1
        var (line, column) = ("", 0)
        for cell in cells {
            let columns = DisplayWidth.of(cell)
            if column > 0, column + 2 + columns > width {
                screen.line(line)
                line = ""
                column = 0
            }
            line += (column > 0 ? "  " : "") + cell
            column += (column > 0 ? 2 : 0) + columns
        }
        if column > 0 { screen.line(line) }
    }
}
