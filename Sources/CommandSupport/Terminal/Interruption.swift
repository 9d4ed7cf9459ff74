import Glibc
import Synchronization

/// Signals that ask the program to stop: work is saved, then it ends.
///
/// The second SIGINT or SIGTERM ends it at once. A closed terminal (SIGHUP) is often told of twice, and only the
/// first counts.
public enum Interruption {
    private static let received = Atomic<Int32>(0)
    private static let announces = Atomic<Bool>(false)
    /// What the first Ctrl-C may say; nothing is allocated to write it.
    private static let notice: StaticString = "stopping after this step; again to stop at once\n"

    /// Begins to take SIGINT, SIGTERM and SIGHUP.
    ///
    /// SIGHUP stays ignored where it was, as under `nohup`.
    ///
    /// - Parameter isAnnounced: Whether the first Ctrl-C says what it does and what a second will do.
    public static func watch(isAnnounced: Bool = false) {
        announces.store(isAnnounced, ordering: .relaxed)
        var before = sigaction()
        sigaction(SIGHUP, nil, &before)
        let ignoresHangUp = before.__sigaction_handler.sa_handler.map {
            unsafeBitCast($0, to: Int.self) == 1
        }
        for number in [SIGINT, SIGTERM] + (ignoresHangUp == true ? [] : [SIGHUP]) {
            signal(number) { Interruption.take($0) }
        }
    }

    private static func take(_ number: Int32) {
        let isFirst = received.exchange(number, ordering: .relaxed) == 0
        guard number != SIGHUP else {
            // Nobody reads any more; what is still written must not end the program.
            signal(SIGHUP, SIG_IGN)
            signal(SIGPIPE, SIG_IGN)
            return
        }
        signal(number, SIG_DFL)
        if number == SIGINT, isFirst, announces.load(ordering: .relaxed) {
            // On a terminal the progress, or ^C, stands on the line.
            if Terminal.isInteractive { _ = write(STDERR_FILENO, "\n", 1) }
            _ = write(STDERR_FILENO, notice.utf8Start, notice.utf8CodeUnitCount)
        }
    }

    /// Whether a signal came.
    public static var isRequested: Bool { received.load(ordering: .relaxed) != 0 }

    /// What the shell expects of a program stopped by a signal: 129, 130 or 143; `nil` if none came.
    public static var exitCode: Int32? {
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : 128 + number
    }
}

/// The time of day.
public enum WallClock {
    /// Seconds since the beginning of 1970.
    public static var secondsSince1970: Double {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
    }
}
