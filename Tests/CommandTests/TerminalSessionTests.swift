import Glibc
import TestSupport
import Testing

@Suite("mtl-chat on a terminal")
struct TerminalSessionTests {
    @Test("Ctrl-C stops an answer, keeps its part, and the next message is answered")
    func interruptedAnswer() throws {
        let workshop = try CommandWorkshop()
        let session = try TerminalSession(
            workshop, ["--max-tokens", "1000000000", "--topology", "chain"])
        try session.terminal.type("Go on.\r")
        try session.terminal.expect("\n")
        // A line of the answer, which has no end of its own.
        try session.terminal.expect("\n")
        try session.terminal.type("\u{3}")
        try session.terminal.expect("[stopped; /regen answers again]")
        try session.terminal.expect(">>> ")
        #expect(try session.enter("/set parameter num_predict 3").contains("is 3"))
        #expect(try session.enter("Another one.").contains("[cut off after 3 tokens"))
        let history = try session.enter("/show history")
        #expect(history.contains("Go on.") && history.contains("Another one."))
        #expect(history.count > 100)
        #expect(try session.leave() == 0)
        #expect(session.terminal.isCooked)
    }

    @Test("what is typed during an answer waits for the next line, and is not echoed")
    func typedAhead() throws {
        let session = try TerminalSession(try CommandWorkshop(), ["--max-tokens", "2000"])
        try session.terminal.type("Go on.\r")
        try session.terminal.expect("\n")
        try session.terminal.expect("\n")
        try session.terminal.type("/help tree\r")
        #expect(try !session.terminal.expect("[cut off").contains("/help tree"))
        try session.terminal.expect("Draw the tree")
        #expect(try session.leave() == 0)
    }

    @Test("Ctrl-C at the prompt clears the line; the second tells how to leave")
    func interruptedLine() throws {
        let session = try TerminalSession(try CommandWorkshop(), ["--max-tokens", "2"])
        try session.terminal.type("half a li\u{3}")
        #expect(try !session.terminal.expect(">>> ").contains("leaves"))
        try session.terminal.type("\"\"\"\rmore\u{3}")
        try session.terminal.expect("Ctrl-D leaves.")
        try session.terminal.expect(">>> ")
        #expect(try session.enter("/show history") == "")
        #expect(try session.leave() == 0)
    }

    @Test("a paste of 200 lines is one message")
    func paste() throws {
        let session = try TerminalSession(try CommandWorkshop(), ["--max-tokens", "2"])
        let lines = (1...200).map { "line \($0)" }
        try session.terminal.type("\u{1B}[200~\(lines.joined(separator: "\r"))\r\u{1B}[201~")
        try session.terminal.expect("[pasted 200 lines #1]")
        try session.enter(" and this")
        #expect(try session.enter("/stats").contains("answers     1"))
        let history = try session.enter("/show history").replacing("\r\n", with: "\n")
        #expect(history.contains(lines.joined(separator: "\n") + " and this"), "\(history)")
        #expect(try session.leave() == 0)
        #expect(session.terminal.text.contains("\u{1B}[?2004h"))
        #expect(session.terminal.text.contains("\u{1B}[?2004l"))
    }

    @Test("a short paste is shown as it is, and is one message too")
    func shortPaste() throws {
        let session = try TerminalSession(try CommandWorkshop(), ["--max-tokens", "2"])
        try session.terminal.type("\u{1B}[200~first\r/second\u{1B}[201~")
        try session.terminal.expect("/second")
        try session.enter("")
        #expect(try session.enter("/stats").contains("answers     1"))
    }

    @Test("lines of one message are joined: a block, a backslash, Alt-Enter")
    func joinedLines() throws {
        let session = try TerminalSession(try CommandWorkshop(), ["--max-tokens", "2"])
        try session.terminal.type("\"\"\"\rone\r")
        try session.terminal.expect("... ")
        try session.enter("two\"\"\"")
        try session.terminal.type("three\\\r")
        try session.terminal.expect("... ")
        try session.enter("four")
        try session.terminal.type("five\u{1B}\rsix")
        try session.terminal.expect("six")
        try session.enter("")
        let history = try session.enter("/show history").replacing("\r\n", with: "\n")
        for joined in ["one\ntwo", "three\nfour", "five\nsix"] {
            #expect(history.contains("> " + joined), "\(history)")
        }
    }

    @Test("a line of a megabyte is a message")
    func longLine() throws {
        let session = try TerminalSession(try CommandWorkshop(), ["--max-tokens", "2"])
        try session.terminal.type(String(repeating: "word ", count: 200_000))
        try session.terminal.expect("[pasted 1000000 characters #1]")
        // More than the model takes: an error, and the session goes on.
        #expect(try session.enter("").contains("prompt has"))
        #expect(try session.enter("/stats").contains("answers     0"))
        #expect(try session.leave() == 0)
    }

    @Test("bytes that are not UTF-8 are replaced")
    func invalidText() throws {
        let session = try TerminalSession(try CommandWorkshop(), ["--max-tokens", "2"])
        try session.terminal.type([0x61, 0xFF, 0xC3, 0x28, 0xF0, 0x9F, 0x62])
        try session.enter("")
        #expect(try session.enter("/show history").contains("> a\u{FFFD}\u{FFFD}(\u{FFFD}b"))
        #expect(try session.leave() == 0)
    }

    @Test("a resized terminal gets its line drawn anew, and answers its new width")
    func resize() throws {
        let session = try TerminalSession(
            try CommandWorkshop(), ["--max-tokens", "1000000000"])
        try session.terminal.type("Go on")
        try session.terminal.expect("Go on")
        for columns in [1, 7, 200, 40] {
            session.terminal.resize(columns: columns)
            try session.terminal.expect("o")
        }
        try session.terminal.expect(">>> Go on")
        try session.terminal.type(".\r")
        try session.terminal.expect("\n")
        try session.terminal.expect("\n")
        session.terminal.resize(columns: 30)
        for _ in 0..<20 { try session.terminal.expect("\n") }
        #expect(try session.terminal.expect("\n").count <= 30)
        try session.terminal.type("\u{3}")
        try session.terminal.expect(">>> ")
        #expect(try session.leave() == 0)
    }

    @Test(
        "a signal that ends the program leaves the terminal as it was",
        arguments: [SIGTERM, SIGHUP])
    func signals(_ number: Int32) throws {
        let workshop = try CommandWorkshop()
        for isAnswering in [false, true] {
            let session = try TerminalSession(workshop, ["--max-tokens", "1000000000"])
            if isAnswering {
                try session.terminal.type("Go on.\r")
                try session.terminal.expect("\n")
                try session.terminal.expect("\n")
            }
            #expect(!session.terminal.isCooked)
            session.terminal.signal(number)
            #expect(try session.terminal.end() == 128 + number)
            #expect(session.terminal.isCooked)
            try session.terminal.expect("\u{1B}[?2004l")
        }
    }

    // A closed window lost all that was said since the last /save.
    @Test(
        "a terminal that is closed, or SIGTERM, saves a conversation that has a file",
        arguments: [SIGTERM, SIGHUP, nil], [false, true])
    func savesBeforeEnd(_ number: Int32?, isAnswering: Bool) throws {
        let workshop = try CommandWorkshop()
        let session = try TerminalSession(workshop, ["--max-tokens", "2"])
        try session.enter("One")
        try session.enter("/save \(workshop("s"))")
        if isAnswering {
            try session.enter("/set parameter num_predict 1000000000")
            try session.terminal.type("Two\r")
            try session.terminal.expect("\n")
            try session.terminal.expect("\n")
        } else {
            try session.enter("Two")
        }
        if let number {
            session.terminal.signal(number)
            // Shells send it a second time.
            if number == SIGHUP { session.terminal.signal(number) }
        } else {
            try session.terminal.hangUp()
        }
        #expect(try session.terminal.end() == 128 + (number ?? SIGHUP))
        let next = try TerminalSession(workshop, ["--max-tokens", "2"])
        #expect(try next.enter("/load \(workshop("s"))").contains("Loaded 2 exchanges"))
        #expect(try next.leave() == 0)
    }

    @Test("a closed standard output ends the program quietly, with status 1")
    func closedOutput() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        // The program must not have the reading end, which alone keeps the pipe open.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let session = try TerminalSession(
            try CommandWorkshop(), ["--max-tokens", "1000000000"], output: ends[1])
        close(ends[1])
        close(ends[0])
        try session.terminal.type("Go on.\r")
        #expect(try session.terminal.end() == 1)
        #expect(session.terminal.isCooked)
        #expect(!session.terminal.text.contains("rror"))
    }

    @Test("a terminal without abilities gets text and nothing else")
    func dumbTerminal() throws {
        let session = try TerminalSession(
            try CommandWorkshop(), ["--max-tokens", "2"], variables: ["TERM": "dumb"])
        try session.terminal.type("\"\"\"one\n")
        try session.terminal.expect("... ")
        try session.terminal.type("half\u{3}")
        try session.terminal.expect(">>> ")
        try session.terminal.type("Hello\n")
        try session.terminal.expect("[cut off")
        try session.terminal.expect(">>> ")
        #expect(try session.leave() == 0)
        #expect(!session.terminal.text.contains("\u{1B}"))
    }

    @Test("NO_COLOR is respected")
    func noColor() throws {
        let workshop = try CommandWorkshop()
        for (variables, hasStyles) in [(["NO_COLOR": ""], true), (["NO_COLOR": "1"], false)] {
            let session = try TerminalSession(workshop, variables: variables)
            #expect(try session.leave() == 0)
            #expect(session.terminal.text.contains("\u{1B}[2m") == hasStyles)
            #expect(session.terminal.text.contains("\u{1B}[32m>>>\u{1B}[0m ") == hasStyles)
        }
    }
}
