import Synchronization

/// Tells how long a prompt has been read, on the line where the answer will begin.
///
/// Shows nothing in the first two seconds, nor where notes go to no terminal or to a narrow one.
final class ReadingNote: Sendable {
    private struct State {
        var isOver = false
        var width = 0
    }

    private let state = Mutex(State())

    /// Begins to wait.
    ///
    /// - Parameters:
    ///   - tokens: About how many tokens are to be read.
    ///   - screen: Where to tell.
    init(tokens: Int, screen: Screen) {
        guard screen.notesAreSeen, screen.width >= 40 else { return }
        let notes = screen.notes
        Task.detached { [weak self] in
            var seconds = 2
            while true {
                try await Task.sleep(for: .seconds(seconds == 2 ? 2 : 1))
                guard let self, self.show("reading about \(tokens) tokens, \(seconds) s", to: notes)
                else {
                    return
                }
                seconds += 1
            }
        }
    }

    /// Ends the wait and removes what was told.
    func end(_ screen: Screen) {
        state.withLock { state in
            if state.width > 0, !state.isOver {
                screen.noteRaw("\r" + String(repeating: " ", count: state.width) + "\r")
            }
            state.isOver = true
        }
    }

    private func show(_ text: String, to notes: Int32) -> Bool {
        state.withLock { state in
            guard !state.isOver else { return false }
            _ = Screen.write("\r" + text, to: notes)
            state.width = text.count
            return true
        }
    }
}
