import Glibc

/// Files that hold the input for readers that take a path, written anew for each.
enum InputFile {
    private static let folder: String = {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        let folder = "\(parent)/mtl-fuzz-\(getpid())"
        guard mkdir(folder, 0o700) == 0 else {
            complain("cannot make \(folder)")
            exit(1)
        }
        return folder
    }()

    /// The path of a file with this content; files of other names stay beside it.
    static func path(_ name: String, holding bytes: some Collection<UInt8>) -> String {
        let path = "\(folder)/\(name)"
        let content = Array(bytes)
        guard let file = fopen(path, "w") else {
            complain("cannot write \(path)")
            exit(1)
        }
        let written = fwrite(content, 1, content.count, file)
        guard fclose(file) == 0, written == content.count else {
            complain("cannot write \(path)")
            exit(1)
        }
        return path
    }

    /// The folder of the files.
    static func inFolder() -> String { folder }
}

/// Says what is wrong with the run itself, on standard error.
func complain(_ text: String) {
    let bytes = Array("fuzz: \(text)\n".utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
}
