import Glibc

/// A program on a terminal of its own, driven as a person would: by typing, and by reading what
/// stands there.
///
/// Nothing here sleeps: what is typed next waits until what is expected has been written. None of
/// the code under test is used.
public final class PseudoTerminal {
    /// What a test has waited for this long never comes.
    public static let patience = Duration.seconds(60)

    /// Everything that was written so far.
    public private(set) var transcript: [UInt8] = []
    /// The number of bytes of the transcript that an expectation has used.
    private var used = 0
    private let master: Int32
    private let keeper: Int32
    private let process: pid_t
    private static let setLock: UInt = 0x4004_5431
    private static let getNumber: UInt = 0x8004_5430
    private var status: Int32?
    /// What keeps silent in the terminal's place once it was closed.
    private var silence: Int32 = -1

    /// Starts a program as the leader of a session on a new terminal.
    ///
    /// - Parameters:
    ///   - path: The program.
    ///   - arguments: What follows its name.
    ///   - environment: All its variables.
    ///   - columns: The terminal's width; it has 24 rows.
    ///   - output: A file for standard output, if that is not the terminal.
    /// - Throws: ``PseudoTerminalError``.
    public init(
        _ path: String, _ arguments: [String], environment: [String: String], columns: Int = 80,
        output: Int32? = nil
    ) throws {
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        // What `unlockpt` and `ptsname` do, which Swift does not import.
        var (number, isLocked) = (UInt32(0), Int32(0))
        guard master >= 0, ioctl(master, Self.setLock, &isLocked) == 0,
            ioctl(master, Self.getNumber, &number) == 0
        else { throw PseudoTerminalError.system(action: "open a terminal", code: errno) }
        let name = "/dev/pts/\(number)"
        // While somebody has it open, the terminal and its modes outlive the program.
        keeper = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
        Self.setSize(of: master, columns: columns)
        process = try Self.spawn(
            path, arguments, environment: environment, terminal: name, output: output)
    }

    deinit {
        if status == nil {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
        }
        close(master)
        close(keeper)
        if silence >= 0 { close(silence) }
    }

    private static func spawn(
        _ path: String, _ arguments: [String], environment: [String: String], terminal: String,
        output: Int32?
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The first terminal that the leader of a session opens becomes its own.
        posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, output ?? 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Threads of the test runner may block or ignore signals; the program must not inherit that.
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let newSession: Int32 = 0x80
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | newSession))
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] =
            environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (words + variables).forEach { free($0) } }
        var process = pid_t()
        let code = posix_spawn(&process, path, &actions, &attributes, &words, &variables)
        guard code == 0 else {
            throw PseudoTerminalError.system(action: "start \(path)", code: code)
        }
        return process
    }

    /// The text that was written so far.
    public var text: String { String(decoding: transcript, as: UTF8.self) }

    /// Whether the terminal echoes and waits for whole lines, as a shell leaves it.
    public var isCooked: Bool {
        var modes = termios()
        tcgetattr(keeper, &modes)
        let flags = tcflag_t(ECHO | ICANON | ISIG)
        return modes.c_lflag & flags == flags && modes.c_iflag & tcflag_t(ICRNL) != 0
    }

    /// Types a text.
    ///
    /// - Throws: ``PseudoTerminalError/late(expected:written:)`` if nobody reads it.
    public func type(_ text: String) throws { try type(Array(text.utf8)) }

    /// Types bytes.
    ///
    /// - Throws: ``PseudoTerminalError/late(expected:written:)`` if nobody reads them.
    public func type(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        try wait(for: "the program to read what is typed", isWriting: true) {
            let count = rest.withUnsafeBytes { Glibc.write(master, $0.baseAddress, $0.count) }
            rest = rest.dropFirst(max(count, 0))
            return rest.isEmpty
        }
    }

    /// Waits until a text has been written after what was expected before.
    ///
    /// - Returns: What was written before it, since then.
    /// - Throws: ``PseudoTerminalError/late(expected:written:)``.
    @discardableResult
    public func expect(_ expected: String) throws -> String {
        let pattern = Array(expected.utf8)
        var before = ""
        try wait(for: expected, isWriting: false) {
            guard let place = transcript[used...].firstRange(of: pattern) else { return false }
            before = String(decoding: transcript[used..<place.lowerBound], as: UTF8.self)
            used = place.upperBound
            return true
        }
        return before
    }

    /// Waits until the program has ended.
    ///
    /// - Returns: Its exit status; 128 plus the signal if one ended it.
    /// - Throws: ``PseudoTerminalError/late(expected:written:)``.
    public func end() throws -> Int32 {
        var raw = Int32(0)
        try wait(for: "the end of the program", isWriting: false) {
            waitpid(process, &raw, WNOHANG) == process
        }
        let signal = raw & 0x7F
        let code = signal == 0 ? (raw >> 8) & 0xFF : 128 + signal
        status = code
        return code
    }

    /// Gives the terminal another width.
    public func resize(columns: Int) { Self.setSize(of: master, columns: columns) }

    /// Closes the terminal, as somebody does who closes its window.
    ///
    /// What the program writes afterwards is lost.
    public func hangUp() throws {
        var ends: [Int32] = [0, 0]
        guard silence < 0, pipe(&ends) == 0 else {
            throw PseudoTerminalError.system(action: "hang up", code: errno)
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        silence = ends[1]
        // The last descriptor of its side is closed by being replaced.
        dup2(ends[0], master)
        _ = fcntl(master, F_SETFD, FD_CLOEXEC)
        close(ends[0])
    }

    /// Sends the program a signal.
    public func signal(_ number: Int32) { kill(process, number) }

    private static func setSize(of descriptor: Int32, columns: Int) {
        var size = winsize(ws_row: 24, ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(descriptor, UInt(TIOCSWINSZ), &size)
    }

    /// Reads what is written until something holds.
    private func wait(for expected: String, isWriting: Bool, until holds: () -> Bool) throws {
        let clock = ContinuousClock()
        let deadline = clock.now + Self.patience
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            while case let count = read(master, &buffer, buffer.count), count > 0 {
                transcript += buffer[..<count]
            }
            if holds() { return }
            guard clock.now < deadline else {
                let written = String(decoding: transcript[used...], as: UTF8.self)
                throw PseudoTerminalError.late(expected: expected, written: written)
            }
            let events = POLLIN | (isWriting ? POLLOUT : 0)
            var file = pollfd(fd: master, events: Int16(events), revents: 0)
            // The end of a process is no event of its terminal: look for it now and then.
            poll(&file, 1, 20)
        }
    }
}

/// Why a test on a terminal cannot go on.
public enum PseudoTerminalError: Error {
    /// A call of the operating system failed with the given `errno`.
    case system(action: String, code: Int32)
    /// Something did not come in time.
    case late(expected: String, written: String)
}
