import Glibc
import TestSupport

/// `mtl-chat` on a terminal, with a model of random weights that never ends an answer by itself.
struct TerminalSession {
    /// The terminal.
    let terminal: PseudoTerminal
    /// Whose folder lives as long as the session.
    private let workshop: CommandWorkshop

    /// Starts the program and waits until it invites to type.
    ///
    /// - Parameters:
    ///   - workshop: Where the model and the messages of earlier sessions are.
    ///   - arguments: More arguments.
    ///   - variables: More variables of the environment.
    ///   - columns: The terminal's width.
    ///   - output: A file for standard output, if that is not the terminal.
    ///   - isGreedy: Whether the most likely tokens are asked for.
    /// - Throws: ``PseudoTerminalError``.
    init(
        _ workshop: CommandWorkshop, _ arguments: [String] = [], variables: [String: String] = [:],
        columns: Int = 80, output: Int32? = nil, isGreedy: Bool = true
    ) throws {
        self.workshop = workshop
        let environment = [
            "TERM": "xterm", "HOME": workshop(""), "XDG_STATE_HOME": workshop("state"),
            "LC_ALL": "POSIX", "PATH": "/usr/bin:/bin",
            // Texts are looked for as they are; a test of colours gives an empty one.
            "NO_COLOR": "1",
        ]
        terminal = try PseudoTerminal(
            CommandRun.folder + "/mtl-chat",
            ["--model", workshop.model]
                + (isGreedy ? ["--temp", "0", "--repeat-penalty", "1"] : []) + arguments,
            environment: environment.merging(variables) { $1 }, columns: columns, output: output)
        try terminal.expect(">>>")
    }

    /// Types a line that fits into the terminal's, and waits for the next prompt.
    ///
    /// - Returns: What was written between the line and the prompt.
    @discardableResult
    func enter(_ line: String) throws -> String {
        try terminal.type(line + "\r")
        // The line is echoed and ended before anything else is written.
        try terminal.expect("\n")
        return try terminal.expect(">>> ")
    }

    /// Leaves by Ctrl-D, and waits for the end.
    ///
    /// - Returns: The exit status.
    func leave() throws -> Int32 {
        try terminal.type("\u{4}")
        return try terminal.end()
    }
}
