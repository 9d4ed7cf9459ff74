import Glibc

@testable import Storage

/// A folder of its own for one test, removed when the test is over.
final class TemporaryFolder {
    let path: String

    init() {
        var template = Array("/tmp/lora-tests-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap(mkdtemp) }
        precondition(made != nil, "no temporary folder: \(errno)")
        path = String(
            decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { try? FolderTree.remove(path) }

    /// The path of a name in the folder.
    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// The content of a file.
    func bytes(_ name: String) throws -> [UInt8] {
        try ByteStream.contents(of: file(name), limit: 1 << 20)
    }
}
