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
    ///   - isCancelled: Asked before each token; true ends the answer. While a prompt is read, also for the
    ///     second answer, see ``reply(to:isCancelled:onReading:onText:)``.
    ///   - onReading: See there; called for each answer's prompt from its beginning.
    ///   - onText: Called with whether the adapter acts and the next piece.
    /// - Returns: Both answers.
    /// - Throws: ``ChatError/noAdapter`` and others.
    public func compare(
        _ question: String? = nil, isCancelled: () -> Bool = { false },
        onReading: (ReadingProgress) -> Void = { _ in },
        onText: (Bool, String) -> Void = { _, _ in }
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
            return try self.draw(
                1, of: &asked, isCancelled: isCancelled, onReading: onReading
            ) { onText(isOn, $1) }.replies[0]
        }
        adapters.turnOff()
        let off = Result { try draw(isOn: false) }
        _ = try adapters.turnOn(name)
        model.flow = flow
        return (try off.get(), try draw(isOn: true))
    }
}
