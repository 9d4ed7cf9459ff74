import Glibc
import Storage

/// Lines of a pipe or a file, or of a terminal that cannot edit.
///
/// Bytes that are not UTF-8 become U+FFFD. A line may have any length; one carriage return before its
/// end is dropped, and a byte order mark before the first.
final class PlainLines: LineSource {
    private let input: Int32
    private let signals: TerminalSignals?
    private let showPrompt: (String) -> Void
    private var bytes: ArraySlice<UInt8> = []
    private var searched = 0
    private var isAtEnd = false
    private var isFirst = true
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    /// Creates a source.
    ///
    /// - Parameters:
    ///   - input: The descriptor.
    ///   - signals: Those of the terminal, if the descriptor is one.
    ///   - showPrompt: Called with the prompt before each line.
    init(
        input: Int32, signals: TerminalSignals? = nil,
        showPrompt: @escaping (String) -> Void = { _ in }
    ) {
        (self.input, self.signals, self.showPrompt) = (input, signals, showPrompt)
    }

    /// Waits for a line.
    func read(prompt: String) -> LineOutcome {
        showPrompt(prompt)
        while true {
            if let end = bytes.dropFirst(searched).firstIndex(of: 0x0A) {
                return .line(take(end - bytes.startIndex, skipping: 1))
            }
            searched = bytes.count
            guard !isAtEnd else {
                return bytes.isEmpty ? .end : .line(take(bytes.count, skipping: 0))
            }
            if let signals, case .signal = signals.wait(for: input, atMost: -1) {
                if signals.isEnding { return .end }
                guard signals.take(.interrupt) else { continue }
                take(bytes.count, skipping: 0)
                return .interrupted
            }
            let count = retrying { Glibc.read(input, &buffer, buffer.count) }
            isAtEnd = count <= 0
            bytes += buffer[..<max(count, 0)]
        }
    }

    /// The line as it is: nothing is shown under another name.
    func expanded(_ line: String) -> String { line }

    /// Nothing is remembered.
    func remember(_ text: String) {}

    @discardableResult
    private func take(_ count: Int, skipping end: Int) -> String {
        var line = bytes.prefix(count)
        if line.last == 0x0D { line.removeLast() }
        if isFirst, line.starts(with: TextBytes.byteOrderMark) { line.removeFirst(3) }
        isFirst = false
        bytes = bytes.dropFirst(count + end)
        searched = 0
        return String(decoding: line, as: UTF8.self)
    }
}
