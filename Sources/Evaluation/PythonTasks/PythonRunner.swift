import Glibc
import Storage
import Synchronization

/// Runs the Python functions of task files in one child process.
///
/// It is started by the first call and speaks JSON lines over a socket. A call that takes too long, a
/// child that dies and an answer that is none are errors; after each of them the child is gone, and every
/// further call fails with the same sentence.
///
/// What runs is the code of the tasks' authors, with all the rights of the user.
public final class PythonRunner: Sendable {
    /// What a call may take at most.
    public struct Limits: Sendable {
        /// The time.
        public var time: Duration = .seconds(600)
        /// The bytes of an answer.
        public var answer = 1 << 30

        /// Creates the default limits.
        public init() {}
    }

    private enum State {
        case idle
        case running(Child)
        case gone(PythonError)
    }

    private struct Child {
        let process: pid_t
        let socket: Int32
        var buffer: [UInt8] = []
    }

    /// The interpreter, as given.
    public let interpreter: String
    private let limits: Limits
    private let isInterrupted: @Sendable () -> Bool
    private let state = Mutex(State.idle)

    /// Prepares to run functions; starts nothing.
    ///
    /// - Parameters:
    ///   - interpreter: A path, or a name that is looked for where the shell looks.
    ///   - limits: What a call may take.
    ///   - isInterrupted: Whether the user wants to stop; asked while a call is waited for.
    public init(
        interpreter: String, limits: Limits = Limits(),
        isInterrupted: @escaping @Sendable () -> Bool = { false }
    ) {
        self.interpreter = interpreter
        self.limits = limits
        self.isInterrupted = isInterrupted
    }

    deinit {
        state.withLock { state in
            if case .running(let child) = state { Self.end(child) }
        }
    }

    /// Asks the child.
    ///
    /// - Parameters:
    ///   - request: What is wanted; see `task_functions.py`.
    ///   - function: What messages call it.
    /// - Returns: The answer's value.
    /// - Throws: ``PythonError``.
    func ask(_ request: JSONObject, for function: String) throws(PythonError) -> JSONValue {
        let line = JSONWriter().bytes(.object(request)) + [UInt8(ascii: "\n")]
        let result = state.withLock { state -> Result<[UInt8], PythonError> in
            var child: Child
            switch state {
            case .gone(let error): return .failure(error)
            case .running(let running): child = running
            case .idle:
                guard let started = start() else {
                    let error = PythonError.start(interpreter: interpreter, code: errno)
                    state = .gone(error)
                    return .failure(error)
                }
                child = started
            }
            do throws(PythonError) {
                let deadline = ContinuousClock.now + limits.time
                try send(line, to: child, until: deadline, for: function)
                let answer = try receive(from: &child, until: deadline, for: function)
                state = .running(child)
                return .success(answer)
            } catch {
                let status = Self.end(child)
                var error = error
                if case .died = error {
                    error = .died(interpreter: interpreter, function: function, status: status)
                }
                state = .gone(error)
                return .failure(error)
            }
        }
        return try value(of: try result.get(), for: function)
    }

    private func value(
        of answer: [UInt8], for function: String
    ) throws(PythonError) -> JSONValue {
        let text = String(decoding: answer, as: UTF8.self)
        let options = JSONOptions(allowsNonFinite: true)
        guard let reply = try? JSONValue(parsing: text, file: "", options: options).objectValue
        else { throw .rubbish(interpreter: interpreter, function: function) }
        if let value = reply["value"] { return value }
        guard let error = reply["error"] else {
            throw .rubbish(interpreter: interpreter, function: function)
        }
        throw .raised(
            function: function, file: error["file"]?.stringValue,
            line: error["line"]?.integerValue, type: error["type"]?.stringValue ?? "",
            message: error["message"]?.stringValue ?? "")
    }

    // MARK: - The process

    private func start() -> Child? {
        var sockets: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &sockets) == 0 else { return nil }
        defer { close(sockets[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, sockets[1], STDIN_FILENO)
        // What functions print goes where messages go.
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own: all that it starts ends with it.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        let script = String(decoding: PackageResources.task_functions_py, as: UTF8.self)
        var words: [UnsafeMutablePointer<CChar>?] = []
        let texts: [String] = [interpreter, "-c", script]
        for text in texts { words.append(strdup(text)) }
        words.append(nil)
        defer { words.forEach { free($0) } }
        var process = pid_t()
        let code = posix_spawnp(&process, interpreter, &actions, &attributes, &words, environ)
        guard code == 0 else {
            close(sockets[0])
            errno = code
            return nil
        }
        return Child(process: process, socket: sockets[0])
    }

    /// Kills the child and what it started; returns its exit status, or what `shell`s show for a signal.
    @discardableResult
    private static func end(_ child: Child) -> Int32 {
        close(child.socket)
        // One that ends by itself says how.
        var status = Int32(0)
        var isDone = false
        for _ in 0..<20 where !isDone {
            isDone = waitpid(child.process, &status, WNOHANG) == child.process
            if !isDone { usleep(5000) }
        }
        kill(-child.process, SIGKILL)
        if !isDone { while waitpid(child.process, &status, 0) < 0, errno == EINTR {} }
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 & 0xFF : 128 + signal
    }

    private func wait(
        _ child: Child, for event: Int32, until deadline: ContinuousClock.Instant,
        _ function: String
    ) throws(PythonError) {
        while true {
            if isInterrupted() { throw .interrupted(function: function) }
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else {
                throw .timeout(function: function, seconds: Int(limits.time.components.seconds))
            }
            var entry = pollfd(fd: child.socket, events: Int16(event), revents: 0)
            // In short turns, so that an interruption is noticed.
            if poll(&entry, 1, Int32(min(200, max(1, left / .milliseconds(1))))) > 0 { return }
        }
    }

    private func send(
        _ line: [UInt8], to child: Child, until deadline: ContinuousClock.Instant,
        for function: String
    ) throws(PythonError) {
        var sent = 0
        while sent < line.count {
            let count = line.withUnsafeBytes { bytes in
                Glibc.send(
                    child.socket, bytes.baseAddress?.advanced(by: sent), line.count - sent,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count > 0 {
                sent += count
            } else if count < 0, errno == EAGAIN || errno == EINTR {
                try wait(child, for: POLLOUT, until: deadline, function)
            } else {
                throw .died(interpreter: interpreter, function: function, status: 0)
            }
        }
    }

    private func receive(
        from child: inout Child, until deadline: ContinuousClock.Instant, for function: String
    ) throws(PythonError) -> [UInt8] {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var searched = 0
        while true {
            let end = child.buffer[searched...].firstIndex(of: UInt8(ascii: "\n"))
            if let end {
                defer { child.buffer.removeSubrange(...end) }
                return Array(child.buffer[..<end])
            }
            searched = child.buffer.count
            guard searched <= limits.answer else {
                throw .tooLong(function: function, limit: limits.answer)
            }
            try wait(child, for: POLLIN, until: deadline, function)
            let count = recv(child.socket, &chunk, chunk.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                child.buffer += chunk[..<count]
            } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
                throw .died(interpreter: interpreter, function: function, status: 0)
            }
        }
    }
}

/// A Python function of a task file, or one that Python finds by its module's name.
struct PythonFunction: Sendable {
    let runner: PythonRunner
    /// The name with the module, as the task file gives it.
    let name: String
    /// What says where it is.
    let place: JSONObject

    /// Finds a function and imports its module.
    ///
    /// - Parameters:
    ///   - name: The name with the module.
    ///   - file: The task file in which it is named.
    ///   - runner: Runs it.
    /// - Throws: ``PythonError``.
    init(_ name: String, namedIn file: String, _ runner: PythonRunner) throws(PythonError) {
        self.runner = runner
        self.name = name
        let parts = name.split(separator: ".")
        let path = file.neighbour(parts.dropLast().joined(separator: "/") + ".py")
        var place: JSONObject = ["name": .string(String(parts.last ?? ""))]
        if FilePath.isFile(path) {
            place["file"] = .string(PythonFunction.absolute(path))
        } else {
            place["module"] = .string(parts.dropLast().joined(separator: "."))
        }
        self.place = place
        try load()
    }

    private static func absolute(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    /// A metric of the library 'evaluate'.
    init(evaluating metric: String, _ runner: PythonRunner) throws(PythonError) {
        self.runner = runner
        name = metric
        place = ["name": .string(metric), "library": "evaluate"]
        try load()
    }

    private func load() throws(PythonError) { _ = try ask("load") }

    /// The name that Python knows the function by.
    var ownName: String {
        get throws(PythonError) {
            try ask("load").stringValue ?? place["name"]?.stringValue ?? name
        }
    }

    /// Calls it.
    ///
    /// - Parameters:
    ///   - operation: How, see `task_functions.py`.
    ///   - arguments: Values, marked as there.
    ///   - keywords: Arguments by name.
    ///   - split: For a data set, which part of it.
    /// - Returns: The value, marked as there.
    /// - Throws: ``PythonError``.
    func ask(
        _ operation: String = "call", _ arguments: [JSONValue] = [],
        keywords: JSONObject = JSONObject(), split: String? = nil
    ) throws(PythonError) -> JSONValue {
        var request = place
        request["operation"] = .string(operation)
        if !arguments.isEmpty { request["arguments"] = .array(arguments) }
        if !keywords.isEmpty { request["keywords"] = .object(keywords) }
        if let split { request["split"] = .string(split) }
        return try runner.ask(request, for: name)
    }
}

extension JSONValue {
    /// A tuple of Python.
    static func pythonTuple(_ items: [JSONValue]) -> JSONValue { ["!tuple": .array(items)] }

    /// A value of Python as JSON holds it: tuples and sets are arrays, what JSON does not know is text.
    var withoutPythonMarks: JSONValue {
        switch self {
        case .array(let items): return .array(items.map(\.withoutPythonMarks))
        case .object(let object):
            if object.count == 1, let member = object.members.first {
                switch (member.key, member.value) {
                case ("!tuple", .array(let items)), ("!set", .array(let items)):
                    return .array(items.map(\.withoutPythonMarks))
                case ("!object", .array(let items)) where items.count == 2: return items[1]
                case ("!dict", .array(let pairs)):
                    return .object(
                        JSONObject(
                            pairs.compactMap(\.arrayValue).filter { $0.count == 2 }.map {
                                ($0[0].jsonKey, $0[1].withoutPythonMarks)
                            }))
                default: break
                }
            }
            return .object(
                JSONObject(object.members.map { ($0.key, $0.value.withoutPythonMarks) }))
        default: return self
        }
    }

    /// The key that `json.dumps` writes for a value.
    private var jsonKey: String { stringValue ?? JSONWriter().string(withoutPythonMarks) }
}

/// What can go wrong in Python.
public enum PythonError: Error, Equatable {
    /// The interpreter cannot be started.
    case start(interpreter: String, code: Int32)
    /// A function raised an error.
    case raised(function: String, file: String?, line: Int?, type: String, message: String)
    /// The process ended.
    case died(interpreter: String, function: String, status: Int32)
    /// A call took too long.
    case timeout(function: String, seconds: Int)
    /// An answer is too long.
    case tooLong(function: String, limit: Int)
    /// An answer is none.
    case rubbish(interpreter: String, function: String)
    /// The user stopped the run.
    case interrupted(function: String)
}

extension PythonError: CustomStringConvertible {
    /// One line that names the function, and file and line where Python says them.
    public var description: String {
        switch self {
        case .start(let interpreter, let code):
            "cannot start the Python interpreter \(quoted(interpreter)): "
                + String(cString: strerror(code)) + "; name another with --python"
        case .raised(let function, let file, let line, let type, let message):
            (file.map { "\(quotedPath($0))\(line.map { ":\($0)" } ?? ""): " } ?? "")
                + "Python function \(quoted(function)) raised \(oneLine(type)): "
                + oneLine(message, limit: 500)
        case .died(let interpreter, let function, let status):
            "the Python interpreter \(quoted(interpreter)) ended with status \(status) in "
                + quoted(function)
        case .timeout(let function, let seconds):
            "Python function \(quoted(function)) took more than \(seconds) s, the limit; "
                + "raise it with --python-timeout"
        case .tooLong(let function, let limit):
            "Python function \(quoted(function)) returned more than \(limit) bytes, the limit"
        case .rubbish(let interpreter, let function):
            "the Python interpreter \(quoted(interpreter)) wrote no answer to the call of "
                + "\(quoted(function)), expected JSON"
        case .interrupted(let function): "stopped in the Python function \(quoted(function))"
        }
    }
}
