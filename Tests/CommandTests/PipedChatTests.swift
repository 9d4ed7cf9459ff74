import TestSupport
import Testing

@Suite("mtl-chat without a terminal")
struct PipedChatTests {
    private func chat(
        _ workshop: CommandWorkshop, _ input: String, _ arguments: [String] = []
    ) throws -> CommandRun {
        try CommandRun(
            "mtl-chat",
            ["--model", workshop.model, "--temp", "0", "--max-tokens", "4"] + arguments,
            input: input)
    }

    @Test("each line is a message, commands work, and nothing but text is written")
    func lines() throws {
        let workshop = try CommandWorkshop()
        let run = try chat(
            workshop,
            "Hello\n\"\"\"\nOne\ntwo\n\"\"\"\n/show history\n/tokens a b\n/bye\nNever\n")
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.errors == "")
        #expect(run.output.contains("> Hello\n"))
        #expect(run.output.contains("> One\ntwo\n"))
        #expect(!run.output.contains("Never"))
        #expect(!run.output.contains("\u{1B}"))
        #expect(run.output.split(separator: "\n").last?.contains("\t") == true)
    }

    @Test("a last line without end counts, also after a backslash")
    func lastLine() throws {
        let workshop = try CommandWorkshop()
        let run = try chat(workshop, "/set quiet\n/show system\none\\\ntwo")
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.split(separator: "\n").count >= 2)
    }

    @Test("what cannot be carried out is told, the rest goes on, and the status is 1")
    func failures() throws {
        let workshop = try CommandWorkshop()
        let run = try chat(workshop, "/nonsense\n/show model\n\"\"\"\nnever closed\n")
        #expect(run.status == 1)
        #expect(run.errors.contains("unknown command '/nonsense'"))
        #expect(run.errors.contains("input ended inside"))
        #expect(run.output.contains("vocabulary"))
    }

    @Test("a line of a megabyte and bytes that are not UTF-8 end nothing")
    func hostileLines() throws {
        let workshop = try CommandWorkshop()
        let long = String(repeating: "word ", count: 200_000)
        let run = try chat(workshop, "\(long)\n/stats\n")
        #expect(run.status == 1)
        #expect(run.errors.contains("prompt has"), "\(run.errors.prefix(200))")
        #expect(run.output.contains("answers     0"))
    }
}
