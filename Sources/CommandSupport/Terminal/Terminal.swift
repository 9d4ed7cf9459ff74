import Glibc

/// Standard output for results, standard error for everything else.
public enum Terminal {
    /// Whether standard error is read by a person.
    public static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 }

    /// Whether the terminal says of itself that it only writes line after line.
    public static var isDumb: Bool { getenv("TERM").map { String(cString: $0) } == "dumb" }

    /// Writes results, a line unless another end is given.
    public static func printResult(_ text: String, terminator: String = "\n") {
        write(text + terminator, to: STDOUT_FILENO)
    }

    /// Writes results without a line end.
    ///
    /// - Returns: False if standard output is closed or nobody reads it any more.
    public static func writeResult(_ text: String) -> Bool { write(text, to: STDOUT_FILENO) }

    /// Writes a line for the person who waits; on a terminal as many lines as it needs.
    public static func printNote(_ text: String) {
        let lines = columns.map { WordWrap.lines(of: text, width: $0 - 1) } ?? [text]
        write(lines.joined(separator: "\n") + "\n", to: STDERR_FILENO)
    }

    /// The width of the terminal that standard error goes to; `nil` if it is none.
    public static var columns: Int? {
        var size = winsize()
        let isKnown = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return isKnown ? Int(size.ws_col) : nil
    }

    /// Writes text without a line end for the person who waits.
    static func printRaw(_ text: String) { write(text, to: STDERR_FILENO) }

    /// Writes all of a text; false if that is not possible.
    @discardableResult
    private static func write(_ text: String, to descriptor: Int32) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            guard written > 0 || errno == EINTR else { return false }
            bytes = bytes.dropFirst(max(written, 0))
        }
        return true
    }
}
