import ArgumentParser
import Chat
import ChatTerminal
import CommandSupport
import FoundationEssentials

/// Talks with whoever is at standard input.
enum Interactive {
    /// Talks until there is nothing more to say.
    ///
    /// - Parameters:
    ///   - session: The conversation.
    ///   - name: The model's name.
    /// - Throws: `ExitCode` of another status than 0.
    static func talk(_ session: ChatSession, name: String) throws {
        var options = ChatLoopOptions(environment: ProcessInfo.processInfo.environment)
        options.greeting = greeting(session, name: name)
        let status = ChatLoop(session, options: options).run()
        if status != 0 { throw ExitCode(status) }
    }

    private static func greeting(_ session: ChatSession, name: String) -> String {
        let adapter = session.adapters?.active.map { " with \($0)" }
        // The settings of the topology are what `/show` is for.
        let topology = session.model.flow.description.prefix { $0 != "," }
        return "\(name)\(adapter ?? ""), \(topology)"
    }

    /// Answers every line of standard input with one JSON object.
    ///
    /// - Parameters:
    ///   - session: The conversation.
    ///   - responder: Writes the objects.
    /// - Throws: What is wrong with a question, or `ExitCode` when standard output is gone.
    static func answerLines(_ session: ChatSession, _ responder: Responder) throws {
        var input = StandardInput()
        while let line = try input.nextLine() {
            if !line.isEmpty { try responder.reply(to: line, in: session) }
        }
    }
}
