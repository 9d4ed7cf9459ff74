import CLibEdit
import Glibc

/// Waits for keys and signals of a terminal.
final class KeyReader {
    /// What came.
    enum Event: Equatable {
        /// A key.
        case key(KeyDecoder.Key)
        /// Ctrl-C.
        case interrupt
        /// The terminal's size or content changed.
        case redraw
        /// The terminal is gone, or the process is to end.
        case end
    }

    /// How long the rest of a character or of a marked paste may take to arrive.
    private static let patience: Int32 = 100

    private let input: Int32
    private let signals: TerminalSignals
    private var decoder = KeyDecoder()
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    /// Creates a reader.
    ///
    /// - Parameters:
    ///   - input: The terminal's descriptor.
    ///   - signals: Where signals come from.
    init(input: Int32, signals: TerminalSignals) {
        (self.input, self.signals) = (input, signals)
    }

    /// Waits for the next event.
    func next() -> Event {
        while true {
            if signals.isEnding { return .end }
            if signals.take(.interrupt) { return .interrupt }
            if signals.take([.resize, .resume]) { return .redraw }
            if let key = decoder.next() { return .key(key) }
            switch signals.wait(for: input, atMost: decoder.isExpecting ? Self.patience : -1) {
            case .readable:
                let count = retrying { read(input, &buffer, buffer.count) }
                guard count > 0 else { return .end }
                decoder.push(buffer[..<count])
            case .late:
                if let key = decoder.next(isComplete: true) { return .key(key) }
            case .signal: break
            case .failed: return .end
            }
        }
    }
}
