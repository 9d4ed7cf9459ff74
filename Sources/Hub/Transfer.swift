import CCurl
import Glibc
import Storage

/// One request to a server, by libcurl.
struct Transfer {
    let url: String
    var token: String?
    /// Asks for the head alone and takes the first answer, also one that points elsewhere.
    var isHead = false
    /// The first byte wanted.
    var offset = 0
    /// The longest time that all of it may take; 0 for any, as long as it keeps its lowest speed.
    var seconds = 0
    /// What is sent; nil for a request that only asks.
    var body: Body?

    /// What a request sends.
    struct Body {
        let method: String
        let type: String
        fileprivate var bytes: [UInt8] = []
        fileprivate var content: MappedFile?
        fileprivate var range = 0..<0
        fileprivate var headers: [String] = []

        /// Bytes in memory.
        init(method: String, type: String, bytes: [UInt8]) {
            (self.method, self.type, self.bytes) = (method, type, bytes)
        }

        /// Part of a file.
        init(
            method: String, type: String, content: MappedFile, range: Range<Int>, headers: [String]
        ) {
            (self.method, self.type, self.content) = (method, type, content)
            (self.range, self.headers) = (range, headers)
        }

        fileprivate func withBytes<Result>(
            _ body: (UnsafeRawBufferPointer) throws -> Result
        ) rethrows -> Result {
            if let content { return try content.withBytes(range, body) }
            return try bytes.withUnsafeBytes(body)
        }
    }

    /// The most bytes of all heads of a request.
    static let headLimit = 256 << 10

    /// The status of a server that does not send the rest of a file.
    static let cannotContinue = 416

    /// What came back.
    struct Answer {
        var status: Int
        /// The head of the last answer; names in small letters.
        var headers: [String: String]
    }

    /// Runs the request.
    ///
    /// - Parameters:
    ///   - shouldGoOn: Asked about once a second, and after each piece, with the bytes received.
    ///   - consume: Takes the body of a successful answer, piece by piece.
    /// - Returns: The answer; `nil` if the caller stopped it.
    /// - Throws: ``HubError/transfer(url:reason:)``, or what `consume` throws.
    func run(
        shouldGoOn: (Int) -> Bool = { _ in true },
        consume: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Answer? {
        try withoutActuallyEscaping(shouldGoOn) { shouldGoOn in
            try withoutActuallyEscaping(consume) { consume in
                let context = TransferContext(consume: consume, shouldGoOn: shouldGoOn)
                context.sends = body != nil
                return try body?.withBytes { try perform(context, sending: $0) }
                    ?? perform(context, sending: nil)
            }
        }
    }

    /// The protocols that an answer from an address may lead to: what began in secret stays so.
    static func redirections(from url: String) -> String {
        url.lowercased().hasPrefix("https:") ? "https" : "http,https"
    }

    private func perform(
        _ context: TransferContext, sending sent: UnsafeRawBufferPointer?
    ) throws -> Answer? {
        guard let handle = curl_easy_init() else {
            throw HubError.transfer(url: url, reason: "libcurl does not start")
        }
        defer { curl_easy_cleanup(handle) }
        let pointer = Unmanaged.passUnretained(context).toOpaque()
        _ = mtl_curl_set_text(handle, CURLOPT_URL, url)
        _ = mtl_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        // No answer points to a file of this machine.
        _ = mtl_curl_set_text(
            handle, CURLOPT_REDIR_PROTOCOLS_STR, Transfer.redirections(from: url))
        _ = mtl_curl_set_text(handle, CURLOPT_USERAGENT, "mambatreel")
        _ = mtl_curl_set_number(handle, CURLOPT_NOSIGNAL, 1)
        _ = mtl_curl_set_number(handle, CURLOPT_CONNECTTIMEOUT, 60)
        _ = mtl_curl_set_number(handle, CURLOPT_TIMEOUT, seconds)
        // A connection that brings less than 64 bytes a second for a minute is dead.
        _ = mtl_curl_set_number(handle, CURLOPT_LOW_SPEED_LIMIT, 64)
        _ = mtl_curl_set_number(handle, CURLOPT_LOW_SPEED_TIME, 60)
        _ = mtl_curl_set_number(handle, CURLOPT_NOBODY, isHead ? 1 : 0)
        // What is sent goes where it was sent to, and nowhere else.
        _ = mtl_curl_set_number(handle, CURLOPT_FOLLOWLOCATION, isHead || body != nil ? 0 : 1)
        _ = mtl_curl_set_number(handle, CURLOPT_MAXREDIRS, 5)
        _ = mtl_curl_set_offset(handle, CURLOPT_RESUME_FROM_LARGE, curl_off_t(offset))
        var list: UnsafeMutablePointer<curl_slist>?
        defer { curl_slist_free_all(list) }
        // libcurl does not pass the header on to other hosts.
        if let token { list = curl_slist_append(list, "Authorization: Bearer \(token)") }
        if let body, let sent {
            for header in ["Content-Type: \(body.type)", "Accept: \(body.type)", "Expect:"]
                + body.headers
            { list = curl_slist_append(list, header) }
            _ = mtl_curl_set_text(handle, CURLOPT_CUSTOMREQUEST, body.method)
            _ = mtl_curl_set_offset(
                handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(sent.count))
            _ = mtl_curl_set_context(
                handle, CURLOPT_POSTFIELDS,
                sent.baseAddress.map { UnsafeMutableRawPointer(mutating: $0) } ?? pointer)
        }
        _ = mtl_curl_set_list(handle, CURLOPT_HTTPHEADER, list)
        _ = mtl_curl_set_context(handle, CURLOPT_WRITEDATA, pointer)
        _ = mtl_curl_set_data(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            Transfer.context(context).take(bytes, size * count)
        }
        _ = mtl_curl_set_context(handle, CURLOPT_HEADERDATA, pointer)
        _ = mtl_curl_set_data(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            Transfer.context(context).takeHeader(bytes, size * count)
        }
        _ = mtl_curl_set_number(handle, CURLOPT_NOPROGRESS, 0)
        _ = mtl_curl_set_context(handle, CURLOPT_XFERINFODATA, pointer)
        _ = mtl_curl_set_progress(handle) { context, _, _, _, sent in
            let context = Transfer.context(context)
            let done = context.sends ? Int(sent) : context.received
            context.isStopped = context.isStopped || !context.shouldGoOn(done)
            return context.isStopped ? 1 : 0
        }
        context.handle = handle
        let code = curl_easy_perform(handle)
        if let error = context.error { throw error }
        if context.isStopped { return nil }
        if context.isRefused { return Answer(status: context.status, headers: context.headers) }
        if code == CURLE_RANGE_ERROR {
            return Answer(status: Transfer.cannotContinue, headers: context.headers)
        }
        guard code == CURLE_OK else {
            throw HubError.transfer(url: url, reason: String(cString: curl_easy_strerror(code)))
        }
        return Answer(status: context.status, headers: context.headers)
    }

    private static func context(_ pointer: UnsafeMutableRawPointer?) -> TransferContext {
        guard let pointer else { preconditionFailure("libcurl lost the context") }
        return Unmanaged<TransferContext>.fromOpaque(pointer).takeUnretainedValue()
    }
}

/// What libcurl's callbacks work on.
private final class TransferContext {
    let consume: (UnsafeRawBufferPointer) throws -> Void
    let shouldGoOn: (Int) -> Bool
    var handle: UnsafeMutableRawPointer?
    /// Whether something is sent, whose bytes are counted instead.
    var sends = false
    var headers: [String: String] = [:]
    var received = 0
    var error: (any Error)?
    var isStopped = false
    /// Whether the answer is no success; its body is not waited for.
    var isRefused = false
    private var headBytes = 0

    init(
        consume: @escaping (UnsafeRawBufferPointer) throws -> Void,
        shouldGoOn: @escaping (Int) -> Bool
    ) {
        self.consume = consume
        self.shouldGoOn = shouldGoOn
    }

    /// The status of the last answer.
    var status: Int {
        var status = 0
        if let handle { _ = mtl_curl_status(handle, &status) }
        return status
    }

    /// Takes a piece of the body; the one of an answer that is no success ends the request.
    func take(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        guard (200..<300).contains(status) else {
            isRefused = true
            return 0
        }
        do {
            try consume(UnsafeRawBufferPointer(start: bytes, count: count))
            received += count
            return count
        } catch {
            self.error = error
            return 0
        }
    }

    /// Takes a line of the head; a new status line begins the head of another answer.
    fileprivate func takeHeader(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        headBytes += count
        guard headBytes <= Transfer.headLimit else { return 0 }
        let line = String(
            decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            headers.removeAll()
        } else if let colon = line.firstIndex(of: ":"), headers.count < 200 {
            let value = line[line.index(after: colon)...]
                .split(whereSeparator: \.isWhitespace).joined(separator: " ")
            headers[line[..<colon].lowercased()] = value
        }
        return count
    }
}

/// A file that grows over several runs of a program, until it is whole and gets its name.
final class AppendedFile {
    let path: String
    private let descriptor: FileDescriptor
    /// The bytes it holds.
    private(set) var size: Int

    /// Opens the file, which is made if it does not exist.
    init(_ path: String) throws {
        self.path = path
        descriptor = try FileDescriptor(
            opening: path, flags: O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, action: "open",
            permissions: 0o644)
        // One download at a time: a second one would mix its bytes in.
        guard flock(descriptor.raw, LOCK_EX | LOCK_NB) == 0 else {
            throw FileError.system(file: path, action: "lock", code: errno)
        }
        size = Int(try descriptor.status().st_size)
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        try descriptor.writeAll(bytes)
        size += bytes.count
    }

    func clear() throws {
        guard ftruncate(descriptor.raw, 0) == 0 else {
            throw FileError.system(file: path, action: "truncate", code: errno)
        }
        size = 0
    }

    /// Makes sure that all is on the disk, and renames the file.
    func finish(as name: String) throws {
        try descriptor.sync()
        guard rename(path, name) == 0 else {
            throw FileError.system(file: path, action: "rename", code: errno)
        }
    }
}
