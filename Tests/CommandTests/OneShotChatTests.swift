import FoundationEssentials
import Storage
import TestSupport
import Testing

@Suite("mtl-chat, one prompt")
struct OneShotChatTests {
    private static let question = "What is the capital of Norway?"

    private func chat(
        _ workshop: CommandWorkshop, _ arguments: [String], input: String = ""
    ) throws -> CommandRun {
        try CommandRun(
            "mtl-chat",
            ["--model", workshop.model, "--max-tokens", "8", "--topology", "tree"] + arguments,
            input: input)
    }

    /// Runs a line of shell in the workshop's folder, where `mtl-chat` is found.
    private func shell(_ workshop: CommandWorkshop, _ line: String) throws -> CommandRun {
        try CommandRun(
            "/bin/sh",
            ["-c", "cd '\(workshop(""))'; PATH='\(CommandRun.folder)':$PATH; \(line)"])
    }

    @Test("one prompt is answered, the same each time and from standard input")
    func answers() throws {
        let workshop = try CommandWorkshop()
        let first = try chat(workshop, ["--prompt", Self.question])
        try #require(first.status == 0, "\(first.errors)")
        #expect(first.output.count > 1)
        #expect(try chat(workshop, ["-p", Self.question]).output == first.output)
        #expect(
            try chat(workshop, ["-p", "-"], input: Self.question + "\n").output == first.output)
        #expect(
            try chat(workshop, ["-p", Self.question, "--history", "carry"]).output == first.output)
        #expect(try chat(workshop, ["-p", Self.question, "--seed", "7"]).output != first.output)
    }

    @Test("--json tells about the answer, and with --n about each")
    func json() throws {
        let workshop = try CommandWorkshop()
        let drawn = ["-p", Self.question, "--temp", "0.7"]
        let text = try chat(workshop, drawn).output
        let run = try chat(workshop, drawn + ["--json", "--logprobs"])
        let object = try JSONValue(parsing: run.output, file: "output")
        let count = try #require(object["ids"]?.arrayValue?.count)
        #expect((1...8).contains(count))
        #expect(object["token_logprobs"]?.arrayValue?.count == count)
        #expect(object["text"]?.stringValue.map { $0 + "\n" } == text)
        #expect(object["stop_reason"] == "length" || object["stop_reason"] == "end")
        #expect((object["prompt_tokens"]?.integerValue ?? 0) > 5)
        #expect((object["prefill_seconds"]?.numberValue ?? 0) > 0)

        let four = try chat(workshop, ["-p", Self.question, "--n", "4", "--json"])
        let choices = try JSONValue(parsing: four.output, file: "output")["choices"]?.arrayValue
        #expect(choices?.count == 4)
        #expect(choices?[0]["text"] == object["text"])
        let plain = try chat(workshop, ["-p", Self.question, "--n", "2"])
        let second = try #require(choices?[1]["text"]?.stringValue)
        #expect(plain.output == text + "--- 2 of 2\n" + second + "\n")
    }

    @Test("stop strings, system prompt and the window of repetition reach the model")
    func options() throws {
        let workshop = try CommandWorkshop()
        func told(_ arguments: [String]) throws -> JSONValue {
            let run = try chat(workshop, ["-p", Self.question, "--json"] + arguments)
            return try JSONValue(parsing: run.output, file: "output")
        }
        let plain = try told([])
        let text = try #require(plain["text"]?.stringValue)
        let stop = String(text.dropFirst(2).prefix(2))
        let stopped = try told(["--stop", "nowhere", "--stop", stop])
        let place = try #require(text.firstRange(of: stop)).lowerBound
        #expect(stopped["text"] == .string(String(text[..<place])))
        #expect(stopped["stop_reason"] == "stop" && stopped["stop_string"] == .string(stop))
        let system = try told(["--system-prompt", "Be brief."])
        #expect(
            (system["prompt_tokens"]?.integerValue ?? 0)
                > (plain["prompt_tokens"]?.integerValue ?? 0))
        let penalised = ["--temp", "0", "--repeat-penalty", "1000", "--max-tokens", "40"]
        let short = try told(penalised + ["--repeat-last-n", "1"])["ids"]?.arrayValue ?? []
        let long = try told(penalised + ["--repeat-last-n", "-1"])["ids"]?.arrayValue ?? []
        let none = try told(penalised + ["--repeat-last-n", "0"])["ids"]?.arrayValue ?? []
        let counts = [none, short, long].map { Set($0.map { $0.integerValue ?? -1 }).count }
        #expect(counts[2] == long.count && counts[0] < counts[2])
        #expect(zip(short, short.dropFirst()).allSatisfy { $0 != $1 })
    }

    @Test("Ctrl-C ends the answer with what there is, and with status 130")
    func interruption() throws {
        let workshop = try CommandWorkshop()
        let run = try shell(
            workshop,
            """
            mtl-chat --model model -p Hi --temp 0 --repeat-penalty 1 --max-tokens 10000000 >text &
            until [ -s text ]; do :; done; kill -INT $!; wait $!; echo $?; wc -c <text
            """)
        let lines = run.output.split(separator: "\n")
        #expect(lines.first == "130", "\(run.output) \(run.errors)")
        #expect((lines.last.flatMap { Int($0) } ?? 0) > 0)
    }

    @Test(
        "Ctrl-C before the prompt is read ends with status 130 and no answer",
        arguments: ["", "--json", "--n 2"])
    func interruptedReading(option: String) throws {
        let workshop = try CommandWorkshop()
        // The prompt is short, but what is piped in is more than a pipe holds: once most of it is
        // taken, the program waits for the rest, and takes signals.
        _ = try workshop.write("Hi", to: "short.jinja")
        let run = try shell(
            workshop,
            """
            mkfifo in; mtl-chat --model model --template short.jinja \(option) -p - <in >text 2>&1 &
            { head -c 200000 /dev/zero | tr '\\0' a; kill -INT $!; } >in
            wait $!; echo $?; wc -c <text
            """)
        #expect(
            run.output.split(whereSeparator: \.isWhitespace) == ["130", "0"],
            "\(run.output) \(run.errors)")
    }

    @Test("nobody who reads: a quiet end")
    func closedOutput() throws {
        let workshop = try CommandWorkshop()
        let command = "mtl-chat --model model -p Hi --temp 0 --repeat-penalty 1"
        let piped = try shell(
            workshop,
            "{ \(command) --max-tokens 100000; echo $? >status; } | head -c 1 >first; cat status")
        #expect(piped.output == "141\n" && piped.errors.isEmpty, "\(piped.errors)")
        let ignored = try shell(
            workshop,
            "trap '' PIPE; { \(command) --max-tokens 100000; echo $? >status; } | head -c 1 >first; cat status"
        )
        #expect(ignored.output == "1\n" && ignored.errors.isEmpty, "\(ignored.errors)")
        let closed = try shell(workshop, "\(command) --max-tokens 100000 >&-; echo $?")
        #expect(closed.output == "1\n" && closed.errors.isEmpty, "\(closed.errors)")
    }

    @Test("an invalid value is wrong usage or a clear error")
    func refusals() throws {
        let workshop = try CommandWorkshop()
        for arguments in [
            ["-p", "x", "--n", "0"], ["--n", "2"], ["-p", "x", "--logprobs"],
            ["-p", "x", "--stop", ""], ["-p", "x", "--temp", "-1"],
            ["-p", "x", "--history", "some"], ["-p", "x", "--repeat-last-n", "-2"],
        ] {
            let run = try chat(workshop, arguments)
            #expect(run.status == 64, "\(arguments) \(run.errors)")
        }
        let empty = try chat(workshop, ["-p", "-"])
        #expect(empty.status == 1)
        #expect(empty.errorLines == ["Error: prompt is empty, expected at least one character"])
        let child = try chat(
            workshop, ["-p", "x", "--history", "carry", "--edge-transition", "child"])
        #expect(child.status == 1)
        #expect(child.errors.contains("use --history recompute"))
    }

    @Test("the guide's commands run")
    func guide() throws {
        let workshop = try CommandWorkshop()
        try #require(try workshop.train(to: "out/mine", steps: 2).status == 0)
        let guide = String(
            decoding: rawContents(CommandWorkshop.demo + "/../../docs/guide-chat.md"),
            as: UTF8.self)
        let commands = guide.split(separator: "\n").filter { $0.hasPrefix("$ ") }
            .map { $0.dropFirst(2) }
        #expect(commands.count > 4)
        for command in commands {
            let run = try shell(workshop, String(command))
            #expect(run.status == 0, "\(command): \(run.errors)")
            #expect(!run.output.isEmpty, "\(command)")
        }
    }
}
