import ArgumentParser

/// Runs a program's command on what the user typed.
public enum CommandLineProgram {
    /// The release, as `--version` prints it.
    public static let version = "0.1.0"

    /// Parses the arguments and runs the command; ends the process on an error or a signal.
    ///
    /// - Parameter command: The program's root command.
    public static func run(_ command: (some ParsableCommand).Type) {
        let arguments: [String]
        do {
            arguments = try CommandArguments.prepared(Array(CommandLine.arguments.dropFirst()))
        } catch {
            command.exit(withError: error)
        }
        command.main(arguments)
        if let code = Interruption.exitCode { command.exit(withError: ExitCode(code)) }
    }
}
