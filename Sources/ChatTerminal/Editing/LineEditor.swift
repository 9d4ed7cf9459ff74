import CLibEdit

/// Edits lines on a terminal, with history and completion; wraps libedit.
final class LineEditor {
    private let keys: KeyReader
    private let complete: (String) -> String?
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
    ///   - complete: Given the text before the cursor, what completes it; `nil` if nothing does.
    init?(
        input: Int32, output: Int32, signals: TerminalSignals,
        complete: @escaping (String) -> String?
    ) {
        keys = KeyReader(input: input, signals: signals)
        self.complete = complete
        let owner = mtl_edit_owner(
            context: Unmanaged.passUnretained(self).toOpaque(),
            next_key: { LineEditor.of($0)?.nextKey($1) ?? 0 },
            insert: { LineEditor.of($0)?.insert() },
            complete: { context, line, count in
                LineEditor.of(context)?.complete(UnsafeBufferPointer(start: line, count: count))
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

    private func complete(_ line: UnsafeBufferPointer<UInt32>) {
        guard let text = complete(text(of: line)) else { return }
        insertion = text
        insert()
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
        let line = scalars(of: prompt).withUnsafeBufferPointer {
            mtl_edit_read(editor, $0.baseAddress, &count)
        }
        guard outcome != .interrupted, let line else { return outcome }
        return .line(text(of: UnsafeBufferPointer(start: line, count: count)))
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
