import Glibc
import TestSupport
import Testing

@Suite("Commands of mtl-chat on a terminal")
struct TerminalCommandTests {
    private static let question = "What is the capital of Norway?"

    @Test("every command does what the help says, and none leaves the session")
    func everyCommand() throws {
        let workshop = try CommandWorkshop()
        for name in ["one", "two"] { try #require(try workshop.train(to: name).status == 0) }
        let session = try TerminalSession(
            workshop,
            ["--adapter", workshop("one"), "--max-tokens", "8", "--topology", "tree"],
            columns: 250)
        let (saved, exported) = (workshop("session"), workshop("talk"))
        for (line, expected) in [
            ("/help", "/set parameter [NAME VALUE]"), ("/? fork", "/fork NAME"),
            ("/help nonsense", "unknown command"),
            ("/stats", "answers     0"), ("/regen", "nothing was said yet"),
            ("/undo", "nothing was said yet"), ("/tree", "no tree was built"),
            (Self.question, "[cut off after 8 tokens"),
            ("/tree 1", "layer 1: "), ("/tree 99", "layer is 99, expected 0 to"),
            ("/set verbose", "figures"), ("/regen", "/s), cut off"),
            ("/set quiet", "alone"), ("/set parameter num_predict 4", "num_predict is 4"),
            ("/regenerate", "[cut off after 4 tokens"),
            ("/set parameter temp -1", "temperature is -1.0, expected at least 0"),
            ("/set parameter", "repeat_last_n"), ("/set system Be brief.", "told this first"),
            ("/show", "topology    tree, scale 0.3"), ("/show model", "vocabulary"),
            ("/show parameters", "num_predict    4"), ("/show system", "Be brief."),
            ("/show template", "QUESTION"), ("/show history", "> " + Self.question),
            ("/show me", "expected info, model"),
            ("/set history carry", "goes on from the state"), ("And of Sweden?", "[cut off"),
            ("/set history recompute", "whole conversation"), ("/undo", "Taken back: And of"),
            ("/set nowordwrap", "full"), ("/set wordwrap", "between words"),
            ("/set nohistory", "no more"), ("/set history", "are kept"),
            ("/fork other", "goes on from here"),
            ("/branch", "* other"), ("/switch main", "has 1 exchange."), ("/branch none", "none"),
            ("/save \(saved)", "Saved to"), ("/clear", "forgotten"),
            ("/load \(saved)", "Loaded 1 exchange"), ("/load \(saved).none", "No such file"),
            ("/export \(exported).md", "Exported"), ("/export \(exported).jsonl", "Exported"),
            ("/export \(exported).txt", "name ends in neither"),
            ("/adapter list", "* \(workshop("one"))"), ("/adapter off", "is off"),
            ("/adapter on", "is on"), ("/adapter load \(workshop("two"))", "is on"),
            ("/adapter load \(workshop("three"))", "three"), ("/adapter on nine", "'nine'"),
            ("/adapter", "expected list, on, off, load"),
            ("/ab " + Self.question, "─┼─"), ("/score Oslo is.", "log-likelihood -"),
            ("/tokens Oslo is.", " tokens"), ("/stats", "last answer "),
            ("/hlep", "did you mean /help?"), ("/set", "lacks its second word"),
            ("/reset", "forgotten"), ("/show history", ""),
        ] {
            let written = try session.enter(line)
            #expect(written.contains(expected) || expected.isEmpty, "\(line): \(written)")
        }
        #expect(try !workshop.bytes("talk.md").isEmpty)
        #expect(try !workshop.bytes("talk.jsonl").isEmpty)
        try session.terminal.type("/bye\r")
        #expect(try session.terminal.end() == 0)
        #expect(session.terminal.isCooked)
    }

    @Test(
        "Tab lists what a word may become, and files; an emoji of several people is one character")
    func listsAndCharacters() throws {
        let workshop = try CommandWorkshop()
        let session = try TerminalSession(workshop, ["--max-tokens", "2"])
        try session.terminal.type("/show m\u{15}/adapter o\t")
        try session.terminal.expect("on   off")
        try session.terminal.expect("/adapter o")
        try session.terminal.type("\u{15}/load ~/mod\t")
        try session.terminal.expect("el/")
        try session.terminal.type("\u{15}")
        // Two backspaces leave nothing of the letter and the family, and then there is a question.
        _ = try session.enter("/set system a👨‍👩‍👧\u{7F}\u{7F}b")
        #expect(try session.enter("/show system").split(whereSeparator: \.isNewline).contains("b"))
        // The cursor passes a flag at once, and Ctrl-D deletes it.
        _ = try session.enter("/set system x🇩🇪y\u{1B}[D\u{1B}[D\u{4}")
        #expect(try session.enter("/show system").split(whereSeparator: \.isNewline).contains("xy"))
        #expect(try session.leave() == 0)
    }

    @Test("small models take the most likely token, each message alone, and say so; flags win")
    func smallModels() throws {
        let workshop = try CommandWorkshop()
        func greeting(_ arguments: [String]) throws -> String {
            let session = try TerminalSession(workshop, arguments, columns: 200, isGreedy: false)
            let shown = try session.enter("/show parameters")
            #expect(try session.leave() == 0)
            return session.terminal.text + shown
        }
        let plain = try greeting([])
        #expect(plain.contains("a small model, 0."))
        #expect(plain.contains("temperature    0.0") && plain.contains("repeat_penalty 1.0"))
        let drawn = try greeting(["--temp", "0.7"])
        #expect(!drawn.contains("most likely") && drawn.contains("repeat_penalty 1.1"))
        let seeded = try greeting(["--seed", "1"])
        #expect(!seeded.contains("most likely") && seeded.contains("each message stands alone"))
        let whole = try greeting(["--seed", "1", "--history", "recompute"])
        #expect(!whole.contains("a small model"))
    }

    @Test("a command is completed by Tab, and the last message found by the arrow keys")
    func completionAndHistory() throws {
        let workshop = try CommandWorkshop()
        let session = try TerminalSession(workshop, ["--max-tokens", "2"])
        #expect(try session.enter("/sta\t").contains("answers"))
        try session.terminal.type("日本é")
        try session.terminal.expect("日本é")
        try session.enter("\u{7F}\u{7F}\u{7F}")
        #expect(try session.enter("Tell me\u{1B}[D\u{1B}[D\u{1B}[D, do").contains("[cut off"))
        #expect(try session.leave() == 0)
        let next = try TerminalSession(workshop, ["--max-tokens", "2"])
        try next.terminal.type("\u{1B}[A")
        try next.terminal.expect("Tell, do me")
        try next.terminal.type("\u{1B}[A")
        try next.terminal.expect("/stats")
        #expect(try next.enter("").contains("answers"))
        #expect(try next.leave() == 0)
    }

    @Test("the columns of two answers become rows where the terminal is narrow")
    func narrowComparison() throws {
        let workshop = try CommandWorkshop()
        try #require(try workshop.train(to: "one").status == 0)
        let session = try TerminalSession(
            workshop, ["--adapter", workshop("one"), "--max-tokens", "4"], columns: 50)
        let written = try session.enter("/ab Hello")
        #expect(written.contains("adapter off") && !written.contains("│"), "\(written)")
    }
}
