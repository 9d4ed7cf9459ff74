import Glibc
import TestSupport
import Testing

@testable import Storage

private struct Stop: Error, Equatable {}

@Suite("Atomic folders")
struct AtomicFolderTests {
    let folder = TemporaryFolder()

    private func fill(_ path: String, _ text: String) throws {
        try AtomicFile.write(text, to: "\(path)/a")
        #expect(mkdir("\(path)/sub", 0o755) == 0)
        try AtomicFile.write(text, to: "\(path)/sub/b")
    }

    @Test("a folder appears with all its content")
    func aFolderAppears() throws {
        let path = folder.file("checkpoint-1")
        try AtomicFolder.write(to: path + "/") { temporary in
            try fill(temporary, "one")
            #expect(!folder.names().contains("checkpoint-1"))
        }
        #expect(folder.names() == ["checkpoint-1"])
        #expect(try FolderTree.names(in: path) == ["a", "sub"])
        #expect(rawContents("\(path)/sub/b") == Array("one".utf8))
    }

    @Test("an existing folder is refused, or replaced as a whole")
    func existing() throws {
        let path = folder.file("out")
        try AtomicFolder.write(to: path) { try fill($0, "one") }
        #expect(throws: FileError.exists(file: path)) {
            try AtomicFolder.write(to: path) { _ in Issue.record("body runs") }
        }
        try AtomicFolder.write(to: path, existing: .replace) {
            try AtomicFile.write("two", to: "\($0)/c")
        }
        #expect(try FolderTree.names(in: path) == ["c"])
        #expect(folder.names() == ["out"])
    }

    @Test("a file is never replaced by a folder")
    func aFileIsKept() throws {
        let path = folder.write("x", to: "out")
        #expect(throws: FileError.exists(file: path)) {
            try AtomicFolder.write(to: path, existing: .replace) { _ in }
        }
        #expect(rawContents(path) == Array("x".utf8))
    }

    @Test("a failure leaves the old folder and nothing of the new")
    func aFailureLeavesTheOld() throws {
        let path = folder.file("out")
        try AtomicFolder.write(to: path) { try fill($0, "one") }
        #expect(throws: Stop()) {
            try AtomicFolder.write(to: path, existing: .replace) {
                try fill($0, "two")
                throw Stop()
            }
        }
        #expect(rawContents("\(path)/a") == Array("one".utf8))
        #expect(folder.names() == ["out"])
    }

    @Test("removal does not follow links")
    func removal() throws {
        let outside = folder.write("kept", to: "outside")
        let path = folder.file("tree")
        #expect(mkdir(path, 0o755) == 0)
        #expect(symlink(folder.path, "\(path)/up") == 0)
        try FolderTree.remove(path)
        #expect(rawContents(outside) == Array("kept".utf8))
        #expect(folder.names() == ["outside"])
    }

    @Test("a path with a zero byte is refused")
    func zeroByte() throws {
        let path = folder.file("a\0b")
        #expect(throws: FileError.system(file: path, action: "create", code: EINVAL)) {
            try AtomicFolder.write(to: path) { _ in }
        }
        #expect(folder.names() == [])
    }
}
