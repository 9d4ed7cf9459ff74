import CLibEdit
import Glibc
import Storage

/// How the wait for a line ended.
enum LineOutcome: Equatable {
    /// A line, without its end.
    case line(String)
    /// Ctrl-C: the line is given up.
    case interrupted
    /// Nothing more will come.
    case end
}

/// Where the lines of a conversation come from.
protocol LineSource: AnyObject {
    /// Waits for a line.
    ///
    /// - Parameter prompt: What invites to type.
    /// - Returns: How the wait ended.
    func read(prompt: String) -> LineOutcome

    /// A line with long texts in place of the short names under which they were shown.
    func expanded(_ line: String) -> String

    /// Lets the arrow keys find a text again.
    func remember(_ text: String)
}

/// Edits lines on a terminal, with history and completion; wraps libedit.
final class LineEditor {
    private let keys: KeyReader
    private let complete: (String) -> Completion.Result
    private let promptStyle: Screen.Style
    private var pasted = PastedTexts()
    private var editor: OpaquePointer?
    private var insertion = ""
    private var outcome = LineOutcome.end

    /// Opens an editor; `nil` if the terminal cannot be used.
    ///
    /// - Parameters:
    ///   - input: The terminal's descriptor for reading.
    ///   - output: The terminal's descriptor for writing.
    ///   - signals: The terminal's signals.
    ///   - promptStyle: How prompts look.
    ///   - complete: Given the text before the cursor, what completes it.
    init?(
        input: Int32, output: Int32, signals: TerminalSignals, promptStyle: Screen.Style = .plain,
        complete: @escaping (String) -> Completion.Result
    ) {
        keys = KeyReader(input: input, signals: signals)
        self.complete = complete
        self.promptStyle = promptStyle
        let owner = mtl_edit_owner(
            context: Unmanaged.passUnretained(self).toOpaque(),
            next_key: { LineEditor.of($0)?.nextKey($1) ?? 0 },
            insert: { LineEditor.of($0)?.insert() },
            complete: { context, line, count in
                let text = UnsafeBufferPointer(start: line, count: count)
                return LineEditor.of(context)?.complete(text) == true ? 1 : 0
            },
            character: { _, line, count, cursor, backward in
                let text = UnsafeBufferPointer(start: line, count: count)
                return Characters.length(
                    in: text, beside: cursor, isBackward: backward != 0)
            })
        editor = mtl_edit_open(input, output, owner)
        if editor == nil { return nil }
    }

    deinit {
        if let editor { mtl_edit_close(editor) }
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> LineEditor? {
        context.map { Unmanaged<LineEditor>.fromOpaque($0).takeUnretainedValue() }
    }

    private func nextKey(_ key: UnsafeMutablePointer<UInt32>?) -> Int32 {
        guard outcome != .interrupted else { return -1 }
        switch keys.next() {
        case .key(.character(let scalar)): key?.pointee = scalar.value
        case .key(.paste(let text)):
            // The last line's end is none that the message needs.
            let end = text.lastIndex { $0 != "\n" }.map(text.index(after:)) ?? text.startIndex
            insertion = pasted.shown(String(text[..<end]), from: .pasted)
            key?.pointee = UInt32(mtl_edit_key_insert)
        case .redraw: key?.pointee = UInt32(mtl_edit_key_redraw)
        case .interrupt:
            outcome = .interrupted
            key?.pointee = UInt32(mtl_edit_key_to_end)
        case .end: return 0
        }
        return 1
    }

    private func insert() {
        guard let editor else { return }
        scalars(of: insertion).withUnsafeBufferPointer { mtl_edit_insert(editor, $0.baseAddress) }
        insertion = ""
    }

    /// Completes a text; true if what it may become was shown.
    private func complete(_ line: UnsafeBufferPointer<UInt32>) -> Bool {
        switch complete(text(of: line)) {
        case .nothing: return false
        case .shown: return true
        case .suffix(let text):
            insertion = text
            insert()
            return false
        }
    }

    private func scalars(of text: String) -> [UInt32] {
        text.unicodeScalars.lazy.map(\.value).filter { $0 != 0 } + [0]
    }

    private func text(of scalars: UnsafeBufferPointer<UInt32>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars.lazy.compactMap(Unicode.Scalar.init))
        return String(text)
    }
}

extension LineEditor: LineSource {
    /// Lets the user edit a line.
    func read(prompt: String) -> LineOutcome {
        guard let editor else { return .end }
        outcome = .end
        var count = 0
        let line = scalars(of: styled(prompt)).withUnsafeBufferPointer {
            mtl_edit_read(editor, $0.baseAddress, &count)
        }
        guard outcome != .interrupted, let line else { return outcome }
        return .line(text(of: UnsafeBufferPointer(start: line, count: count)))
    }

    /// A prompt with its style, which takes no columns; libedit wants a character behind it.
    private func styled(_ prompt: String) -> String {
        guard promptStyle != .plain, let last = prompt.last else { return prompt }
        let (start, end) = ("\u{1B}[\(promptStyle.rawValue)m", "\u{1B}[0m")
        return "\u{1}\(start)\u{1}\(prompt.dropLast())\u{1}\(end)\u{1}\(last)"
    }

    /// Puts texts in the place of the names that a line was edited with.
    func expanded(_ line: String) -> String { pasted.expanded(line) }

    /// Lets the arrow keys find a message.
    func remember(_ text: String) {
        guard let editor else { return }
        scalars(of: pasted.shown(text, from: .sent)).withUnsafeBufferPointer {
            mtl_edit_remember(editor, $0.baseAddress)
        }
    }
}

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
        self.input = input
        self.signals = signals
        self.showPrompt = showPrompt
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

/// Long texts that stand under a short name in the line being edited.
///
/// A paste of 200 lines is shown as `[pasted 200 lines #1]`; the message gets all 200.
struct PastedTexts {
    /// Where a text comes from.
    enum Origin: String {
        /// The user pasted it.
        case pasted
        /// It is a message of before.
        case sent
    }

    /// The most lines that are shown as they are.
    static let shownLines = 8
    /// The most bytes that are shown as they are.
    static let shownBytes = 1000

    private var texts: [String: String] = [:]
    private var counts: [Origin: Int] = [:]

    /// What is put into the line for a text: the text, or a name for it.
    mutating func shown(_ text: String, from origin: Origin) -> String {
        let lines = text.utf8.count { $0 == 0x0A } + 1
        guard lines > Self.shownLines || text.utf8.count > Self.shownBytes else { return text }
        let size = lines > 1 ? "\(lines) lines" : "\(text.unicodeScalars.count) characters"
        counts[origin, default: 0] += 1
        let name = "[\(origin.rawValue) \(size) #\(counts[origin, default: 0])]"
        texts[name] = text
        return name
    }

    /// A line with the texts in place of their names.
    func expanded(_ line: String) -> String {
        guard !texts.isEmpty else { return line }
        var result = ""
        var rest = Substring(line)
        while let start = rest.firstIndex(of: "[") {
            result += rest[..<start]
            rest = rest[start...]
            let end = rest.firstIndex(of: "]").map(rest.index(after:)) ?? rest.endIndex
            let text = texts[String(rest[..<end])]
            // Of what is no name, another bracket may still begin one.
            result += text ?? "["
            rest = text == nil ? rest.dropFirst() : rest[end...]
        }
        return result + rest
    }
}

/// The messages of earlier sessions, one JSON string a line, the newest last.
///
/// Sessions that run at the same time append to the same file. A line that is damaged, as by a crash
/// while it was written, is passed over. The file is only for its owner to read.
struct HistoryFile {
    /// The most messages that are kept.
    static let limit = 1000
    /// The longest message that is kept, in bytes.
    static let longest = 1 << 16

    private let path: String

    /// Opens or creates a file, and its folder.
    ///
    /// - Parameter path: The file.
    /// - Throws: `FileError`.
    init(path: String) throws {
        self.path = path
        try FolderTree.create(FilePath.folder(of: path))
        if !FilePath.exists(path) {
            _ = try FileDescriptor(
                opening: path, flags: O_WRONLY | O_CREAT, action: "open", permissions: 0o600)
        }
        _ = try LineAppender(path: path)
    }

    /// The messages, the oldest first.
    ///
    /// A file that has grown to twice the limit is cut to the newest messages.
    ///
    /// - Throws: `FileError`.
    func messages() throws -> [String] {
        let lines = try ByteStream.contents(of: path, limit: 1 << 28).split(separator: 0x0A)
        let kept = lines.suffix(Self.limit)
        if lines.count > 2 * Self.limit {
            try AtomicFile.write(to: path) { file in
                for line in kept { try file.write(String(decoding: line, as: UTF8.self) + "\n") }
            }
            chmod(path, 0o600)
        }
        return kept.compactMap {
            (try? JSONValue(parsing: [UInt8]($0), file: path))?.stringValue
        }
    }

    /// Adds a message; one that is too long is left out.
    ///
    /// The file is opened each time, since another session may have put a shorter one in its place.
    ///
    /// - Throws: `FileError`.
    func append(_ message: String) throws {
        guard message.utf8.count <= Self.longest else { return }
        try LineAppender(path: path).append(
            JSONWriter(escapesNonASCII: false).string(.string(message)))
    }
}
