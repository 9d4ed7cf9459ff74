import Glibc
import TestSupport

/// One run of a command, as a process of its own.
struct CommandRun {
    /// The exit status; 128 plus the signal if one ended the process.
    let status: Int32
    /// What it wrote to standard output.
    let output: String
    /// What it wrote to standard error.
    let errors: String

    /// Runs a command to its end.
    ///
    /// - Parameters:
    ///   - program: `mtl-finetune`, `mtl-eval` or `mtl-chat`, or another one's path.
    ///   - arguments: What a user would type after it.
    ///   - input: What it reads from standard input.
    ///   - interrupting: A file; when it appears, the process gets a signal.
    ///   - signal: The signal.
    ///   - cache: The user's cache folder; by default one of the run's own, removed after it.
    /// - Throws: ``LaunchError``.
    init(
        _ program: String, _ arguments: [String], input: String = "",
        interrupting: String? = nil, signal: Int32 = SIGINT, cache: String? = nil
    ) throws {
        let folder = TemporaryFolder()
        let inputFile = folder.write(input, to: "in")
        let (outputFile, errorFile) = (folder.file("out"), folder.file("err"))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 0, inputFile, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputFile, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errorFile, flags, 0o600)
        // Threads of the test runner may block signals; the command must not inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let path = program.hasPrefix("/") ? program : Self.folder + "/" + program
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var variables = Self.environment(cache: cache ?? folder.file("cache"))
        defer { variables.forEach { free($0) } }
        var process = pid_t()
        let code = posix_spawn(&process, path, &actions, &attributes, &words, &variables)
        guard code == 0 else { throw LaunchError(path: path, code: code) }
        if let interrupting {
            while access(interrupting, F_OK) != 0, waitpid(process, nil, WNOHANG) == 0 {
                usleep(2000)
            }
            kill(process, signal)
        }
        var ended = Int32(0)
        waitpid(process, &ended, 0)
        let deadly = ended & 0x7f
        status = deadly == 0 ? (ended >> 8) & 0xff : 128 + deadly
        output = Self.text(of: outputFile)
        errors = Self.text(of: errorFile)
    }

    /// The lines of standard error that are an error message.
    var errorLines: [Substring] {
        errors.split(separator: "\n").filter { $0.hasPrefix("Error:") }
    }

    /// The folder of the built commands: that of the test bundle.
    static let folder: String = {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? ""
        let executable = bundle.isEmpty ? CommandLine.arguments[0] : bundle
        return executable.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/")
    }()

    /// The variables of this process, with a cache of its own and without the network; to be freed.
    private static func environment(cache: String) -> [UnsafeMutablePointer<CChar>?] {
        let own = ["XDG_CACHE_HOME=\(cache)", "HF_HUB_OFFLINE=1"]
        var variables = own.map { strdup($0) }
        var next = environ
        while let variable = next.pointee {
            let isOwn = own.contains { setting in
                let name = setting.utf8.prefix { $0 != UInt8(ascii: "=") }
                return strncmp(variable, setting, name.count + 1) == 0
            }
            if !isOwn { variables.append(strdup(variable)) }
            next += 1
        }
        return variables + [nil]
    }

    static func text(of path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The process could not be started.
struct LaunchError: Error {
    let path: String
    let code: Int32
}
