import ArgumentParser
import Chat
import ChatTerminal
import CommandSupport
import Glibc
import Storage

/// Writes answers to standard output, as text while they are drawn or as JSON.
struct Responder {
    /// Whether an answer is one JSON object.
    let isJSON: Bool

    /// Answers a question in a conversation.
    func reply(to question: String, in session: ChatSession) throws {
        try write { try [session.reply(to: question, onEvent: $0)] }
    }

    /// Writes several answers to one question, drawn together.
    ///
    /// Text of the first is written as it is drawn, the others follow, each under a line that counts it.
    func samples(of question: String, count: Int, in session: ChatSession) throws {
        try write { try session.samples(for: question, count: count, onEvent: $0) }
    }

    /// Draws answers, and writes them unless standard output is gone.
    ///
    /// - Throws: `ExitCode`, without a message: of 1 when nobody reads standard output any more, of the
    ///   signal that came before there was an answer.
    private func write(
        _ draw: (_ onEvent: (ReplyEvent) -> Bool) throws -> [Reply]
    ) throws {
        var isGone = false
        var reading = ReadingLine(isQuiet: !Terminal.isInteractive)
        defer { reading.clear() }
        func put(_ text: String) {
            if !isGone { isGone = !Terminal.writeResult(text) }
        }
        let replies: [Reply]
        do {
            replies = try draw { event in
                switch event {
                case .reading(let progress): reading.update(progress)
                case .drawing: break
                case .text(let piece, let answer):
                    reading.clear()
                    if !isJSON, answer == 0 { put(piece) }
                }
                return !isGone && !Interruption.isRequested
            }
        } catch ChatError.readingStopped {
            throw ExitCode(Interruption.exitCode ?? ExitCode.failure.rawValue)
        }
        if isJSON {
            put(JSONWriter(escapesNonASCII: false).string(.object(object(of: replies))) + "\n")
        } else {
            put("\n")
            for (place, reply) in replies.enumerated().dropFirst() {
                put("--- \(place + 1) of \(replies.count)\n\(reply.text)\n")
            }
        }
        if isGone { throw ExitCode.failure }
    }

    private func object(of replies: [Reply]) -> JSONObject {
        if replies.count == 1 { return replies[0].json }
        return ["choices": .array(replies.map { .object($0.json) })]
    }
}

extension Reply {
    /// The answer as `--json` prints it.
    fileprivate var json: JSONObject {
        var object: JSONObject = [
            "text": .string(text), "ids": .array(tokens.map { .integer(Int($0)) }),
        ]
        if let logProbabilities {
            object["token_logprobs"] = .array(logProbabilities.map { .number($0) })
        }
        object["stop_reason"] = .string(stopReason.rawValue)
        if let stopString { object["stop_string"] = .string(stopString) }
        object["prompt_tokens"] = .integer(promptTokens)
        object["prefill_seconds"] = .number(prefillDuration / .seconds(1))
        object["decode_seconds"] = .number(decodeDuration / .seconds(1))
        object["prefill_tokens_per_second"] = .number(prefillTokensPerSecond)
        object["decode_tokens_per_second"] = .number(decodeTokensPerSecond)
        return object
    }
}

/// What is piped into the program: text in UTF-8, of any system.
struct StandardInput {
    private static let name = "standard input"
    private var unread: ArraySlice<UInt8> = []
    private var lines = 0

    /// All of it, without the last line feed.
    ///
    /// - Throws: `FileError/notUTF8`.
    static func all() throws -> String {
        var input = StandardInput()
        while input.readMore() {}
        let text = try TextBytes.decode(Array(input.unread), file: name)
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    /// The next line without its end; nil after the last.
    ///
    /// - Throws: `FileError/notUTF8`.
    mutating func nextLine() throws -> String? {
        var searched = 0
        while true {
            if let end = unread.dropFirst(searched).firstIndex(of: UInt8(ascii: "\n")) {
                defer { unread = unread[(end + 1)...] }
                return try line(unread[..<end])
            }
            searched = unread.count
            if !readMore() {
                defer { unread = [] }
                return unread.isEmpty ? nil : try line(unread)
            }
        }
    }

    private mutating func line(_ bytes: ArraySlice<UInt8>) throws -> String {
        lines += 1
        var bytes = bytes
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        if lines == 1, bytes.starts(with: TextBytes.byteOrderMark) { bytes.removeFirst(3) }
        do {
            return try TextBytes.decode(Array(bytes), file: Self.name)
        } catch FileError.notUTF8(let file, _, let byte) {
            throw FileError.notUTF8(file: file, line: lines, byte: byte)
        }
    }

    /// Takes in what is there, waiting for it; false at the end.
    private mutating func readMore() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var count = -1
        repeat { count = read(0, &buffer, buffer.count) } while count < 0 && errno == EINTR
        unread += buffer[..<max(count, 0)]
        return count > 0
    }
}
