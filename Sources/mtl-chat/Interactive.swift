import Chat
import CommandSupport

/// Talks with whoever is at standard input: every line is a question.
enum Interactive {
    /// Answers lines until there are no more.
    ///
    /// - Parameters:
    ///   - session: The conversation.
    ///   - responder: Writes answers to standard output.
    /// - Throws: What is wrong with a question, or `ExitCode` when standard output is gone.
    static func run(_ session: ChatSession, _ responder: Responder) throws {
        if Terminal.isInteractive { Terminal.printNote("Ctrl-D leaves.") }
        while let line = readLine() {
            if !line.isEmpty { try responder.reply(to: line, in: session) }
        }
    }
}
