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
        self.input = input
        self.signals = signals
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

/// Turns what a terminal sends into characters and pasted texts.
///
/// A paste is what stands between the marks of bracketed paste or, from a terminal that does not
/// mark it, a run of text longer than fingers type at once. Bytes that are not UTF-8 become U+FFFD,
/// and so do characters that the line editor cannot hold.
struct KeyDecoder {
    /// One thing the user did.
    enum Key: Equatable {
        /// A character, or one of those that a special key sends.
        case character(Unicode.Scalar)
        /// A text that was pasted; its lines end in line feeds.
        case paste(String)
    }

    /// The length in bytes from which a run of text counts as pasted.
    static let burst = 512

    private static let pasteStart = Array("\u{1B}[200~".utf8)
    private static let pasteEnd = Array("\u{1B}[201~".utf8)

    private var bytes: ArraySlice<UInt8> = []
    /// How many of the bytes were searched for the end of a paste or of a run.
    private var searched = 0
    private var isInPaste = false

    /// Whether bytes wait for others that would follow at once, such as the rest of a character.
    var isExpecting: Bool { !bytes.isEmpty && !isInPaste }

    /// Takes bytes from the terminal.
    mutating func push(_ new: some Sequence<UInt8>) { bytes += new }

    /// The next key.
    ///
    /// - Parameter isComplete: Whether nothing follows, so that an incomplete key counts as it is.
    /// - Returns: The key; `nil` if more bytes are needed.
    mutating func next(isComplete: Bool = false) -> Key? {
        if !isInPaste, bytes.starts(with: Self.pasteStart) {
            use(Self.pasteStart.count)
            isInPaste = true
        }
        if isInPaste { return paste() }
        guard let first = bytes.first else { return nil }
        // An escape is a key, and may be the beginning of a mark.
        if first == 0x1B, !isComplete, Self.pasteStart.starts(with: bytes) { return nil }
        let end = bytes.dropFirst(searched).firstIndex(where: Self.endsRun)
        let length = (end ?? bytes.endIndex) - bytes.startIndex
        guard length >= Self.burst else { return character(isComplete: isComplete) }
        guard end != nil || isComplete else {
            searched = length
            return nil
        }
        return .paste(take(length))
    }

    private mutating func paste() -> Key? {
        let mark = Self.pasteEnd
        while let escape = bytes.dropFirst(searched).firstIndex(of: 0x1B) {
            searched = escape - bytes.startIndex
            let rest = bytes[escape...].prefix(mark.count)
            guard mark.starts(with: rest) else {
                searched += 1
                continue
            }
            guard rest.count == mark.count else { return nil }
            isInPaste = false
            let text = take(searched)
            use(mark.count)
            return .paste(text)
        }
        searched = bytes.count
        return nil
    }

    private mutating func character(isComplete: Bool) -> Key? {
        var parser = Unicode.UTF8.ForwardParser()
        var rest = bytes.makeIterator()
        switch parser.parseScalar(from: &rest) {
        case .valid(let encoded):
            use(encoded.count)
            let scalar = Unicode.UTF8.decode(encoded)
            return .character(Self.isUsable(scalar) ? scalar : "\u{FFFD}")
        case .error(let length):
            // The first byte of a character begins with as many ones as the character has bytes.
            let expected = (~bytes[bytes.startIndex]).leadingZeroBitCount
            guard isComplete || length < bytes.count || length >= expected else { return nil }
            use(length)
            return .character("\u{FFFD}")
        case .emptyInput: return nil
        }
    }

    private mutating func take(_ count: Int) -> String {
        defer { use(count) }
        return Self.text(of: bytes.prefix(count))
    }

    private mutating func use(_ count: Int) {
        bytes.removeFirst(count)
        searched = 0
    }

    /// The text of pasted bytes; terminals send a carriage return for each line end.
    private static func text(of bytes: ArraySlice<UInt8>) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var previous: UInt8 = 0
        for byte in bytes {
            switch byte {
            case 0x0D: result.append(0x0A)
            case 0x0A where previous == 0x0D: break
            case 0: result += "\u{FFFD}".utf8
            default: result.append(byte)
            }
            previous = byte
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Whether a byte ends a run of text: a control character, except for the tab.
    private static func endsRun(_ byte: UInt8) -> Bool {
        byte < 0x20 && byte != 0x09 || byte == 0x7F
    }

    /// Whether the editor can hold a character: its own keys are control characters of Latin-1.
    private static func isUsable(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value != 0 && !(0x80..<0xA0).contains(scalar.value)
    }
}
