import Chat

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
    func confirm(_ text: String) { screen.note(text) }

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
            confirm(
                mode == .carry
                    ? "Each turn goes on from the state after the last one."
                    : "Each turn reads the whole conversation.")
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
