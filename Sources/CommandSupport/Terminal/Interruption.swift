import Glibc
import Synchronization

/// Signals that ask the program to stop: work is saved, then it ends.
///
/// The second signal of a kind ends it at once.
public enum Interruption {
    private static let received = Atomic<Int32>(0)

    /// Begins to take SIGINT and SIGTERM.
    public static func watch() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                Interruption.received.store(number, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
    }

    /// Whether a signal came.
    public static var isRequested: Bool { received.load(ordering: .relaxed) != 0 }

    /// What the shell expects of a program stopped by a signal: 130 or 143; `nil` if none came.
    public static var exitCode: Int32? {
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : 128 + number
    }
}
