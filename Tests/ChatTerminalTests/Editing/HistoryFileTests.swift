import Glibc
import Storage
import TestSupport
import Testing

@testable import ChatTerminal

@Suite("The file of messages")
struct HistoryFileTests {
    @Test("messages of one session are found by the next, whatever they hold")
    func messages() throws {
        let folder = TemporaryFolder()
        let path = folder.file("deep/er/history.jsonl")
        let messages = ["one", "zwei\nLinien \\ \"\"\"", "\u{1B}[2J\t\u{0}", "👩‍🚀"]
        let first = try HistoryFile(path: path)
        for message in messages { try first.append(message) }
        #expect(try HistoryFile(path: path).messages() == messages)
        #expect(rawContents(path).split(separator: 0x0A).count == messages.count)
    }

    @Test("a line that was cut off by a crash is passed over, and hurts no other")
    func damage() throws {
        let folder = TemporaryFolder()
        let path = folder.write("\"a\"\n\"cut o", to: "history.jsonl")
        try HistoryFile(path: path).append("b")
        #expect(try HistoryFile(path: path).messages() == ["a", "b"])
        folder.write([0x22, 0xFF, 0x22, 0x0A, 0x37, 0x0A, 0x22, 0x62, 0x22], to: "history.jsonl")
        #expect(try HistoryFile(path: path).messages() == ["b"])
    }

    @Test("a pipe in place of the file is refused at once")
    func pipe() {
        let folder = TemporaryFolder()
        defer { folder.write("", to: "other") }
        let path = folder.file("history.jsonl")
        mkfifo(path, 0o600)
        #expect(throws: FileError.notRegular(file: path)) { try HistoryFile(path: path) }
    }

    @Test("a file that has grown is cut to the newest messages")
    func limit() throws {
        let folder = TemporaryFolder()
        let count = 2 * HistoryFile.limit + 1
        let text = (0..<count).map { "\"\($0)\"\n" }.joined()
        let file = try HistoryFile(path: folder.write(text, to: "history.jsonl"))
        let messages = try file.messages()
        #expect(messages.count == HistoryFile.limit)
        #expect(messages.last == "\(count - 1)")
        try file.append("new")
        let kept = rawContents(folder.file("history.jsonl")).split(separator: 0x0A)
        #expect(kept.count == HistoryFile.limit + 1)
    }

    @Test("a message too long to be kept is left out")
    func tooLong() throws {
        let folder = TemporaryFolder()
        let file = try HistoryFile(path: folder.file("history.jsonl"))
        try file.append(String(repeating: "x", count: HistoryFile.longest + 1))
        #expect(try file.messages() == [])
    }

    @Test("a folder that cannot be made is an error")
    func noFolder() {
        #expect(throws: (any Error).self) { try HistoryFile(path: "/dev/null/x/history.jsonl") }
    }
}
