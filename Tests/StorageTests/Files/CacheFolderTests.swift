import FoundationEssentials
import Glibc
import TestSupport
import Testing

@testable import Storage

@Suite("Cache folder")
struct CacheFolderTests {
    private let parent = TemporaryFolder()

    private func folder(limit: Int) throws -> CacheFolder {
        let folder = CacheFolder(path: parent.file("below/cache"), byteLimit: limit)
        try folder.create()
        return folder
    }

    /// Writes a file of 10 bytes that was last used some seconds ago.
    private func write(_ name: String, age: Int, in folder: CacheFolder) throws {
        try AtomicFile.write("0123456789", to: folder.path(of: name))
        let times = [timeval](repeating: timeval(tv_sec: time(nil) - age, tv_usec: 0), count: 2)
        utimes(folder.path(of: name), times)
    }

    @Test("the files not used for longest go first, until the rest fits")
    func oldestGoFirst() throws {
        let folder = try folder(limit: 25)
        for (name, age) in [("a", 30), ("b", 20), ("c", 40), ("d", 10)] {
            try write(name, age: age, in: folder)
        }
        folder.touch("a")
        folder.trim()
        #expect(["a", "b", "c", "d"].filter(folder.holds) == ["a", "d"])
    }

    @Test("nothing goes while all fits, but what was never finished does after an hour")
    func unfinishedFilesGo() throws {
        let folder = try folder(limit: 1000)
        try write("a", age: 100_000, in: folder)
        try write(".b.1.0.tmp", age: 4000, in: folder)
        try write(".c.1.0.tmp", age: 10, in: folder)
        folder.trim()
        #expect(["a", ".b.1.0.tmp", ".c.1.0.tmp"].map(folder.holds) == [true, false, true])
    }
}
