import Glibc

/// Runs another command of this toolkit, or this one, as a process of its own.
public enum ChildProgram {
    /// The path of a command beside the running one.
    ///
    /// - Parameter name: Such as `mtl-eval`.
    /// - Returns: The path; it need not exist.
    public static func path(of name: String) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let own = String(
            decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let end = own.lastIndex(of: "/") ?? own.startIndex
        return own[..<end] + "/" + name
    }

    /// Runs a command to its end; signals of the terminal reach it, too.
    ///
    /// - Parameters:
    ///   - path: The command.
    ///   - arguments: What a user would type after its name.
    ///   - output: A file that its standard output is appended to.
    /// - Returns: Its exit status; 128 plus the signal if one ended it, 127 if it could not be started.
    public static func run(
        _ path: String, _ arguments: [String], appendingTo output: String
    ) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(
            &actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_APPEND, 0o666)
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var process = pid_t()
        guard posix_spawn(&process, path, &actions, nil, &words, environ) == 0 else { return 127 }
        var status = Int32(0)
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 & 0xFF : 128 + signal
    }
}
