import FineTuning
import Prompting
import Storage
import TestSupport
import Testing

@testable import Chat

@Suite("Exports")
struct ExportTests {
    private func talked(_ session: ChatSession, answers: [String]) -> ChatSession {
        session.branch.transcript.exchanges = answers.enumerated().map {
            .init(question: "Question \($0)\n\"?\"", answer: $1)
        }
        session.branch.answers = answers.map { _ in nil }
        return session
    }

    private func records(_ session: ChatSession) throws -> [InstructionRecord.Content] {
        let folder = TemporaryFolder()
        try session.export(to: folder.file("out.jsonl"))
        return try InstructionData(
            files: [folder.file("out.jsonl")], format: .auto, vocabulary: 260
        ).records
            .map(\.content)
    }

    @Test("questions and answers are Alpaca records again")
    func alpaca() throws {
        let session = talked(try makeSession(system: "S"), answers: ["One", "", "Three ü"])
        #expect(
            try records(session)
                == zip(0..., ["One", "", "Three ü"]).map {
                    .alpaca(instruction: "Question \($0)\n\"?\"", input: "", output: $1)
                })
    }

    @Test("a conversation is one record again, up to the last answer that is not empty")
    func chat() throws {
        let session = talked(
            try makeSession(template: "chat", chatTemplate: turnsTemplate, system: "S"),
            answers: ["One", "Two", ""])
        let content = try #require(try records(session).first)
        guard case .chat(let messages, let answer) = content else {
            Issue.record("\(content)")
            return
        }
        #expect(messages.map(\.role) == ["system", "user", "assistant", "user"])
        #expect(messages.map(\.content).first == "S" && answer == "Two")
        #expect(talked(session, answers: [""]).records().isEmpty)
    }

    @Test("Markdown has a heading a turn; other names are refused")
    func markdown() throws {
        let folder = TemporaryFolder()
        let session = try makeSession(system: "S")
        session.branch.transcript.exchanges = [.init(question: "Q", answer: "A")]
        try session.export(to: folder.file("out.md"))
        #expect(
            String(decoding: rawContents(folder.file("out.md")), as: UTF8.self)
                == "## System\n\nS\n\n## User\n\nQ\n\n## Assistant\n\nA\n")
        #expect(try makeSession().markdown() == "")
        #expect(throws: ChatError.unknownExport(file: "x.txt")) { try session.export(to: "x.txt") }
    }

    // /export train.jsonl in an empty conversation emptied 300 records.
    @Test("nothing is written of nothing, or over what is there unless the user says so")
    func existing() throws {
        let folder = TemporaryFolder()
        let session = try makeSession(system: "S")
        for name in ["v.jsonl", "v.md", "new.jsonl"] {
            let path = folder.file(name)
            if name != "new.jsonl" { folder.write("mine", to: name) }
            for isOverwriting in [false, true] {
                #expect(throws: ChatError.nothingToExport(file: path)) {
                    try session.export(to: path, isOverwriting: isOverwriting)
                }
            }
        }
        #expect(folder.names() == ["v.jsonl", "v.md"])
        let talked = talked(session, answers: ["One"])
        for name in ["v.jsonl", "v.md"] {
            #expect(throws: OutputError.self) { try talked.export(to: folder.file(name)) }
            #expect(rawContents(folder.file(name)) == Array("mine".utf8))
            try talked.export(to: folder.file(name), isOverwriting: true)
            // Now it is the conversation's own.
            try talked.export(to: folder.file(name))
        }
        try talked.export(to: folder.file("new.md"))
        try talked.save(to: folder.file("s.jsonl"))
        #expect(throws: OutputError.self) { try talked.export(to: folder.file("s.jsonl")) }
    }
}
