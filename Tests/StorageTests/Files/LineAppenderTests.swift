import TestSupport
import Testing

@testable import Storage

@Suite("Line appender")
struct LineAppenderTests {
    let folder = TemporaryFolder()

    @Test("lines are seen at once and follow those of an earlier run")
    func linesFollow() throws {
        let path = folder.file("metrics.jsonl")
        let first = try LineAppender(path: path)
        try first.append("{\"step\": 1}")
        #expect(rawContents(path) == Array("{\"step\": 1}\n".utf8))
        try LineAppender(path: path).append("é")
        try first.append("")
        #expect(rawContents(path) == Array("{\"step\": 1}\né\n\n".utf8))
    }

    @Test("a line that a crash cut is ended first")
    func aCutLineIsEnded() throws {
        let path = folder.write("{\"step\": 1}\n{\"st", to: "metrics.jsonl")
        try LineAppender(path: path).append("next")
        #expect(rawContents(path) == Array("{\"step\": 1}\n{\"st\nnext\n".utf8))
    }
}
