import ArgumentParser
import CommandSupport
import Glibc
import Storage

/// One file to write.
struct FileOutputOptions: ParsableArguments {
    @Option(help: "The file to write, one JSON object a line.")
    var output: String

    @Flag(help: "Write over the file if it exists.")
    var overwrite = false

    /// Refuses, before any work is done, a file that exists or is read, or that cannot be made.
    ///
    /// - Parameter inputs: What the command reads.
    /// - Throws: `OutputError` or `FileError`.
    func check(apartFrom inputs: [OutputRule.Input]) throws {
        try OutputRule.checkFile(output, apartFrom: inputs, isOverwriting: overwrite)
        let folder = FilePath.folder(of: output)
        guard FilePath.isFolder(folder) else {
            throw FileError.system(file: folder, action: "write into", code: ENOENT)
        }
    }
}
