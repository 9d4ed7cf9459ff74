import ArgumentParser
import ModelLoading
import Storage

/// Runs a program's command on what the user typed.
public enum CommandLineProgram {
    /// The release, as `--version` prints it.
    public static let version = Release.version

    /// Parses the arguments and runs the command; ends the process on an error or a signal.
    ///
    /// - Parameters:
    ///   - program: The program's root command.
    ///   - recipes: Texts of flags that `--recipe` may name.
    public static func run(
        _ program: (some ParsableCommand).Type, recipes: [String: [UInt8]] = [:]
    ) {
        do {
            var command = try parse(Array(CommandLine.arguments.dropFirst()), program, recipes)
            try command.run()
        } catch let error as UsageFailure {
            Terminal.printNote(error.text)
            program.exit(withError: ExitCode.validationFailure)
        } catch  where program.exitCode(for: error) != .success {
            // An exit status of its own comes without a message.
            let text = program.fullMessage(for: error)
            if !text.isEmpty { Terminal.printNote(text) }
            program.exit(withError: program.exitCode(for: error))
        } catch {
            program.exit(withError: error)
        }
        if let code = Interruption.exitCode { program.exit(withError: ExitCode(code)) }
    }

    /// The words that were typed, to be shown to who wants to type them again.
    ///
    /// - Parameters:
    ///   - name: The program, however it was called.
    ///   - flags: Flags that are left out, such as `--resume`.
    /// - Returns: The words, the program first.
    public static func typedWords(_ name: String, without flags: Set<String> = []) -> [String] {
        [name] + CommandLine.arguments.dropFirst().filter { !flags.contains($0) }
    }

    private static func parse(
        _ typed: [String], _ program: (some ParsableCommand).Type, _ recipes: [String: [UInt8]]
    ) throws -> any ParsableCommand {
        let arguments: CommandArguments
        do {
            arguments = try CommandArguments(typed, of: program, recipes: recipes)
        } catch let error as ConfigurationFileError {
            throw UsageFailure(text: "Error: \(error)")
        } catch let error as ForeignNameError {
            throw UsageFailure(text: "Error: \(error)")
        }
        if let text = help(arguments.words, program) { throw CleanExit.message(text) }
        if !arguments.leftOut.isEmpty {
            Terminal.printNote(
                "left out, since they change no result here: "
                    + arguments.leftOut.joined(separator: ", "))
        }
        do {
            return try program.parseAsRoot(arguments.words)
        } catch  where program.exitCode(for: error) != .success {
            throw UsageFailure(text: text(of: error, arguments, program))
        }
    }

    /// The help of a program whose subcommand goes without saying: its own, and that of the subcommand.
    private static func help(
        _ words: [String], _ program: (some ParsableCommand).Type
    ) -> String? {
        guard let chosen = program.configuration.defaultSubcommand,
            words.first?.hasPrefix("-") == true,
            words.prefix(while: { $0 != "--" }).contains(where: { $0 == "-h" || $0 == "--help" })
        else { return nil }
        let own = program.helpMessage()
        let more = program.helpMessage(for: chosen)
        let start =
            (more.firstRange(of: HelpText.examplesTitle) ?? more.firstRange(of: "USAGE: "))?
            .lowerBound ?? more.startIndex
        return own + "\n\nWithout a subcommand:\n\n" + more[start...]
    }

    /// What is wrong with the arguments: the problem, help about it, and how the command is used.
    private static func text(
        of error: any Error, _ arguments: CommandArguments, _ program: (some ParsableCommand).Type
    ) -> String {
        let message = program.message(for: error)
        let words = CommandWords(program, arguments: arguments.words)
        let problem =
            words.flatMap { UsageProblem(arguments.words, $0) }
            ?? UsageProblem(parserMessage: message)
        let full = program.fullMessage(for: error)
        // Where nothing at all was typed, the parser has no line of usage.
        let name = words?.name ?? ""
        let usage =
            full.firstRange(of: "\nUsage:").map { String(full[$0.lowerBound...].dropFirst()) }
            ?? "Usage: \(name) <options>\n  See '\(name) --help' for more information."
        let sentence = problem?.sentence ?? arguments.asWritten(message)
        let lines =
            ["Error: " + arguments.spelled(sentence)]
            + (problem?.help ?? []).map { "Help:  " + $0 } + [usage]
        return lines.joined(separator: "\n")
    }
}

/// The arguments are wrong.
private struct UsageFailure: Error {
    let text: String
}
