import ArgumentParser
import TestSupport
import Testing

@testable import CommandSupport

@Suite("Command lines")
struct CommandLineTests {
    struct Sample: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "sample")

        @Option(help: "A rate.")
        var learningRate = 1.0
        @Option(help: "A name.")
        var name: String
        @Flag(inversion: .prefixedNo, help: "Whether records are shuffled.")
        var shuffle = true
        @OptionGroup var file: ConfigurationOption
    }

    private func parsed(_ typed: [String]) throws -> Sample {
        let words = try CommandArguments(typed, of: Sample.self).words
        return try #require(try Sample.parseAsRoot(words) as? Sample)
    }

    @Test("flags may be in snake case, and negative numbers are values")
    func snakeCaseAndNegativeNumbers() throws {
        let sample = try parsed(["--learning_rate", "-0.5", "--name", "a", "--no-shuffle"])
        #expect(sample.learningRate == -0.5 && sample.name == "a" && !sample.shuffle)
    }

    @Test("a file holds flags, and the command line wins")
    func fileHoldsFlags() throws {
        let folder = TemporaryFolder()
        let file = folder.write("learning_rate: 2\nname: a\nshuffle: no\n", to: "run.yaml")
        let sample = try parsed(["--name", "b", "--config", file])
        #expect(sample.learningRate == 2 && sample.name == "b" && !sample.shuffle)
    }

    @Test("a key that is no flag is named with its line and the nearest one")
    func unknownKeyIsNamed() throws {
        let folder = TemporaryFolder()
        let file = folder.write("name: a\nlearning_rat: 2\n", to: "run.yaml")
        #expect(
            throws: ConfigurationFileError.unknown(
                file: file, line: 2, key: "learning_rat", nearest: "learning_rate")
        ) { try parsed(["--config", file]) }
    }

    @Test(
        "what is unknown is said before what is missing",
        arguments: [
            (
                ["--learning-rat", "2"],
                "unknown option '--learning-rat'; did you mean '--learning-rate'?"
            ),
            (["--learning-rate", "2"], "--name is missing"),
            (
                ["--name", "a", "b"],
                "unexpected word 'b'; a text of several words stands in quotes"
            ),
            (["--name", "a", "--shuffle=1"], "--shuffle is '1', expected no value"),
        ])
    func problemsInOrder(_ arguments: [String], _ sentence: String) throws {
        let words = try #require(CommandWords(Sample.self, arguments: arguments))
        #expect(UsageProblem(arguments, words)?.sentence == sentence)
    }

    @Test("the parser's sentence about a value is put into the words of all others")
    func parserMessage() {
        let message = "The value 'x' is invalid for '--learning-rate <learning-rate>'"
        #expect(
            UsageProblem(parserMessage: message)?.sentence
                == "--learning-rate is 'x', expected a number")
        #expect(UsageProblem(parserMessage: "Something else") == nil)
    }
}
