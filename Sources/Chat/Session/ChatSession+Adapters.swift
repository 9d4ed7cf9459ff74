extension ChatSession {
    /// Lets the model act without its adapter; topology and template stay.
    ///
    /// What was read with it counts no more: the next turn reads the whole conversation again.
    ///
    /// - Throws: ``ChatError/noAdapter``.
    public func turnAdapterOff() throws {
        guard let adapters, adapters.active != nil else { throw ChatError.noAdapter }
        adapters.turnOff()
        forgetReadings()
    }

    /// Lets an adapter act again, with the topology and the template that it was trained with.
    ///
    /// What was read without it counts no more: the next turn reads the whole conversation again.
    ///
    /// - Parameter name: One of the loaded ones; `nil` for the newest.
    /// - Throws: ``ChatError/noAdapter`` or ``ChatError/unknownAdapter(name:known:)``.
    public func turnAdapterOn(_ name: String? = nil) throws {
        guard let adapters, let name = name ?? adapters.active ?? adapters.names.last else {
            throw ChatError.noAdapter
        }
        if let template = try adapters.turnOn(name) { self.template = template }
        forgetReadings()
    }

    /// Reads an adapter, which then acts, with the topology and the template that it was trained with.
    ///
    /// - Parameter folder: Its folder.
    /// - Throws: What is wrong with its files; then everything is as before.
    public func loadAdapter(_ folder: String) throws {
        guard let adapters else { throw ChatError.noAdapter }
        if let template = try adapters.load(folder) { self.template = template }
        forgetReadings()
    }

    /// Answers a question twice, without adapter and with it, with the same random numbers, topology and
    /// template; adds nothing to the conversation.
    ///
    /// - Parameters:
    ///   - question: What the user says; `nil` for the last question, in its place in the conversation.
    ///   - onEvent: See ``reply(to:onEvent:)``; the reading of each answer's prompt begins at 0.
    /// - Returns: Both answers.
    /// - Throws: ``ChatError/noAdapter`` and others.
    public func compare(
        _ question: String? = nil, onEvent: (ReplyEvent) -> Bool = { _ in true }
    ) throws -> (off: Reply, on: Reply) {
        guard let adapters, let name = adapters.active ?? adapters.names.last else {
            throw ChatError.noAdapter
        }
        let wasOn = adapters.active != nil
        let flow = model.flow
        defer {
            // As it was, so that what was read still counts.
            if !wasOn { adapters.turnOff() }
            model.flow = flow
        }
        func draw(isOn: Bool) throws -> Reply {
            var asked = try question.map { try asking($0) } ?? askingAgain()
            if isOn != wasOn { asked.forgetReadings() }
            return try self.draw(1, of: &asked) { event in
                if case .text(let piece, _) = event {
                    onEvent(.text(piece, answer: isOn ? 1 : 0))
                } else {
                    onEvent(event)
                }
            }.replies[0]
        }
        adapters.turnOff()
        let off = Result { try draw(isOn: false) }
        _ = try adapters.turnOn(name)
        model.flow = flow
        return (try off.get(), try draw(isOn: true))
    }
}
