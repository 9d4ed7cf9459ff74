import CLibEdit
import Glibc

/// The signals of a program that talks through a terminal; only one object of this type may live.
///
/// While it lives, Ctrl-C, changes of the terminal's size and the first request to end are noted, and
/// whatever else ends or stops the process leaves the terminal as it was found.
final class TerminalSignals {
    /// Signals that are noted.
    struct Kind: OptionSet {
        let rawValue: UInt32
        /// SIGINT, Ctrl-C.
        static let interrupt = Kind(rawValue: UInt32(mtl_signal_interrupt))
        /// The terminal has another size.
        static let resize = Kind(rawValue: UInt32(mtl_signal_resize))
        /// The process was stopped and goes on.
        static let resume = Kind(rawValue: UInt32(mtl_signal_resume))
    }

    /// Why a wait ended.
    enum Wake {
        /// The descriptor can be read.
        case readable
        /// A signal was noted.
        case signal
        /// Nothing came in time.
        case late
        /// The descriptor cannot be waited for.
        case failed
    }

    private let wake: Int32
    private let input: Int32
    // Handlers read these texts; they are C strings that live as long as the handlers.
    private let enter: UnsafeMutablePointer<CChar>?
    private let leave: UnsafeMutablePointer<CChar>?

    /// Begins to take signals; `nil` if the descriptor is no terminal.
    ///
    /// - Parameters:
    ///   - input: The terminal's descriptor for reading.
    ///   - output: The terminal's descriptor for writing.
    ///   - marksPastes: Whether the terminal is asked to mark pasted text.
    init?(input: Int32, output: Int32, marksPastes: Bool) {
        self.input = input
        enter = strdup(marksPastes ? "\u{1B}[?2004h" : "")
        leave = strdup(marksPastes ? "\u{1B}[?2004l" : "")
        wake = mtl_signals_begin(input, output, enter, leave)
        if wake < 0 { return nil }
    }

    deinit {
        if wake >= 0 { mtl_signals_end() }
        free(enter)
        free(leave)
    }

    /// Whether one of some signals came since it was last asked for.
    func take(_ kinds: Kind) -> Bool { mtl_signals_take(kinds.rawValue) != 0 }

    /// Whether somebody asked the process to end (SIGTERM), or the terminal is gone (SIGHUP).
    var isEnding: Bool { mtl_signals_ending() != 0 }

    /// The status to exit with where the process was asked to end or the terminal is gone, as shells expect
    /// it; `nil` if neither.
    var endingStatus: Int32? {
        let number = mtl_signals_ending()
        if number != 0 { return 128 + number }
        // The signal may come after the reader of the terminal has noticed.
        var file = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
        let isGone = poll(&file, 1, 0) == 1 && Int32(file.revents) & (POLLHUP | POLLERR) != 0
        return isGone ? 128 + SIGHUP : nil
    }

    /// Waits until a descriptor can be read or a signal comes.
    ///
    /// - Parameters:
    ///   - descriptor: The descriptor.
    ///   - atMost: How long to wait, in milliseconds; -1 for any time.
    /// - Returns: Why the wait ended.
    func wait(for descriptor: Int32, atMost: Int32) -> Wake {
        var files = [
            pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        ]
        let count = poll(&files, nfds_t(files.count), atMost)
        if files[0].revents != 0 || count < 0 && errno == EINTR {
            var bytes: (UInt64, UInt64) = (0, 0)
            while read(wake, &bytes, MemoryLayout.size(ofValue: bytes)) > 0 {}
            return .signal
        }
        if count < 0 { return .failed }
        return count == 0 ? .late : .readable
    }
}

/// Repeats a system call that a signal interrupted.
func retrying(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}
