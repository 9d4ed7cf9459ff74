import Glibc
import TestSupport
import Testing

@testable import Storage

@Suite("Folders that several files make up")
struct FolderTests {
    private let folder = TemporaryFolder()

    private func put(_ weights: String, _ configuration: String) throws {
        try AtomicFolder.put(into: folder.path, key: "config") {
            try AtomicFile.write(weights, to: "\($0)/weights")
            try AtomicFile.write(configuration, to: "\($0)/config")
        }
    }

    @Test("a set of files takes the place of another, beside what else is there")
    func sets() throws {
        folder.write("mine", to: "notes")
        for (weights, configuration) in [("1", "a"), ("2", "a"), ("3", "b"), ("3", "b")] {
            try put(weights, configuration)
            #expect(rawContents(folder.file("weights")) == Array(weights.utf8))
            #expect(rawContents(folder.file("config")) == Array(configuration.utf8))
            #expect(folder.names() == ["config", "notes", "weights"])
        }
    }

    @Test("between the old set and the new one there is none")
    func noMixture() throws {
        try put("1", "a")
        // A folder in the place of the weights stops the exchange half-way.
        unlink(folder.file("weights"))
        folder.makeFolders("weights/full")
        #expect(throws: FileError.self) { try put("2", "b") }
        #expect(folder.names() == ["weights"])
    }

    @Test("the digests of files are checked")
    func digests() throws {
        folder.write("one", to: "a")
        folder.write("two", to: "b c")
        try DigestList.check(folder.path)
        try DigestList.write(to: folder.path)
        try DigestList.check(folder.path)
        let list = folder.file(DigestList.fileName)
        #expect(String(decoding: rawContents(list), as: UTF8.self).hasSuffix("  b c\n"))
        folder.write("twp", to: "b c")
        #expect(
            throws: DigestError.differs(file: folder.file("b c"), list: DigestList.fileName)
        ) { try DigestList.check(folder.path) }
        unlink(folder.file("b c"))
        #expect(throws: FileError.self) { try DigestList.check(folder.path) }
        folder.write("abc  ../a\n", to: DigestList.fileName)
        #expect(throws: DigestError.malformed(file: list)) { try DigestList.check(folder.path) }
    }

    @Test("a lock is let go, and a file that a killed process left is taken over")
    func locks() throws {
        folder.write("process 1, which began long ago\n", to: FolderLock.fileName)
        do {
            let lock = try FolderLock(folder.path)
            let error = #expect(throws: OutputError.self) { _ = try FolderLock(folder.path) }
            #expect(error?.description.contains("in use by process \(getpid()), which") == true)
            withExtendedLifetime(lock) {}
        }
        #expect(folder.names() == [])
        _ = try FolderLock(folder.path)
    }

    @Test("what a killed process left beside a folder goes when that is written again")
    func leftovers() throws {
        folder.makeFolders(".out.4194304.0.tmp/sub")
        folder.makeFolders(".other.4194304.0.tmp")
        try AtomicFolder.write(to: folder.file("out")) { try AtomicFile.write("x", to: "\($0)/a") }
        #expect(folder.names() == [".other.4194304.0.tmp", "out"])
    }
}
