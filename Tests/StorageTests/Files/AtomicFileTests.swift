import Glibc
import TestSupport
import Testing

@testable import Storage

private struct Stop: Error, Equatable {}

@Suite("Atomic files")
struct AtomicFileTests {
    let folder = TemporaryFolder()

    @Test("a file appears under its name with its content, and nothing else")
    func aFileAppears() throws {
        let path = folder.file("a.txt")
        try AtomicFile.write(to: path) { writer in
            try writer.write("héllo ")
            try writer.write([1, 2, 3] as [UInt8])
            #expect(folder.names().count == 1)
            #expect(!folder.names().contains("a.txt"), "visible before it is complete")
        }
        #expect(rawContents(path) == Array("héllo ".utf8) + [1, 2, 3])
        #expect(folder.names() == ["a.txt"])
    }

    @Test("content larger than the buffer arrives in order")
    func largeContent() throws {
        let path = folder.file("large")
        let pieces = (0..<40).map { [UInt8](repeating: UInt8($0), count: $0 * 9973) }
        try AtomicFile.write(to: path) { writer in
            for piece in pieces { try writer.write(piece) }
        }
        #expect(rawContents(path) == pieces.flatMap { $0 })
    }

    @Test("a failure leaves the old content and no neighbour")
    func aFailureLeavesTheOld() throws {
        let path = folder.write("old", to: "a.txt")
        #expect(throws: Stop()) {
            try AtomicFile.write(to: path) { writer in
                try writer.write("new")
                throw Stop()
            }
        }
        #expect(rawContents(path) == Array("old".utf8))
        #expect(folder.names() == ["a.txt"])
    }

    @Test("two files of one name in the making do not meet")
    func nested() throws {
        let path = folder.file("a")
        try AtomicFile.write(to: path) { outer in
            try outer.write("outer")
            try AtomicFile.write("inner", to: path)
        }
        #expect(rawContents(path) == Array("outer".utf8))
        #expect(folder.names() == ["a"])
    }

    @Test("a link stays a link and its file is replaced")
    func aLinkStays() throws {
        let target = folder.write("old", to: "target")
        let link = folder.file("link")
        #expect(symlink("target", link) == 0)
        try AtomicFile.write("new", to: link)
        #expect(FilePath.kind(of: link, followingLinks: false) == S_IFLNK)
        #expect(rawContents(target) == Array("new".utf8))
    }

    @Test("what a killed process left of the file is removed, and nothing else")
    func leftovers() throws {
        // No process has a number as high as the first.
        let names = [".a.2000000000.0.tmp", ".b.2000000000.0.tmp", ".a.\(getpid()).7.tmp", ".a"]
        for name in names { folder.write("x", to: name) }
        try AtomicFile.write("new", to: folder.file("a"))
        #expect(folder.names() == (["a"] + names.dropFirst()).sorted())
    }

    @Test("devices and folders are not replaced")
    func devices() {
        #expect(throws: FileError.notRegular(file: "/dev/null")) {
            try AtomicFile.write("x", to: "/dev/null")
        }
        #expect(throws: FileError.notRegular(file: folder.path)) {
            try AtomicFile.write("x", to: folder.path)
        }
    }

    @Test("a missing folder and a zero byte are errors that name the path asked for")
    func badPaths() {
        let missing = folder.file("none/a")
        #expect(throws: FileError.system(file: missing, action: "create", code: ENOENT)) {
            try AtomicFile.write("x", to: missing)
        }
        let cut = folder.file("a\0b")
        #expect(throws: FileError.system(file: cut, action: "create", code: EINVAL)) {
            try AtomicFile.write("x", to: cut)
        }
    }

    @Test("a compressed file reads back")
    func compressed() throws {
        let path = folder.file("a.zst")
        let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
        try AtomicFile.write(to: path, compression: .zstd(level: 3)) { writer in
            for start in stride(from: 0, to: content.count, by: 70_001) {
                try writer.write(content[start..<min(start + 70_001, content.count)])
            }
        }
        #expect(rawContents(path).count < content.count)
        #expect(try ByteStream.contents(of: path) == content)
    }

    @Test("an empty compressed file is a frame")
    func emptyCompressed() throws {
        let path = folder.file("a.zst")
        try AtomicFile.write(to: path, compression: .zstd(level: 1)) { _ in }
        #expect(ZstdDecoder.isFrame(rawContents(path)))
        #expect(try ByteStream.contents(of: path) == [])
    }

    @Test("the sentence names file, action and the system's reason")
    func theSentence() {
        let error = FileError.system(file: "out/a", action: "create", code: ENOSPC)
        #expect("\(error)" == "out/a: cannot create: No space left on device")
        #expect(
            "\(FileError.notUTF8(file: "a\nb", line: 3, byte: 7))"
                == "a\\u{a}b:3: not valid UTF-8 at byte 7")
    }
}
