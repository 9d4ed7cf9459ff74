import Glibc
import Synchronization

/// A server of HTTP on this machine, for as long as the value lives; it answers from a closure.
final class SmallServer: Sendable {
    struct Request: Equatable, Sendable {
        var method: String
        var path: String
        /// Names in small letters.
        var headers: [String: String]
        /// What was sent.
        var body: [UInt8] = []
    }

    struct Answer: Sendable {
        var status = 200
        var headers: [String: String] = [:]
        var body: [UInt8] = []
        /// How much of the body is sent before the connection is closed; all if `nil`.
        var sent: Int?
    }

    let port: UInt16
    private let listener: Int32
    private let log = Mutex<[Request]>([])
    private let respond: @Sendable (Request) -> Answer

    init(_ respond: @escaping @Sendable (Request) -> Answer) {
        self.respond = respond
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                precondition(bind(listener, $0, size) == 0 && listen(listener, 16) == 0)
                getsockname(listener, $0, &size)
            }
            return UInt16(bigEndian: pointer.pointee.sin_port)
        }
        // The thread closes what it listens to: were that done elsewhere, the next server could get the same number.
        let serve = { [weak self] in
            defer { close(listener) }
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                self?.answer(connection)
                close(connection)
            }
        }
        startThread(serve)
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    var endpoint: String { "http://127.0.0.1:\(port)" }
    /// What was asked, in order.
    var requests: [Request] { log.withLock { $0 } }

    private func answer(_ connection: Int32) {
        var bytes: [UInt8] = []
        var body: [UInt8] = []
        var byte: UInt8 = 0
        while !bytes.suffix(4).elementsEqual([13, 10, 13, 10]) {
            guard read(connection, &byte, 1) == 1 else { return }
            bytes.append(byte)
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
        let first = lines[0].split(separator: " ")
        var request = Request(
            method: String(first[0]), path: String(first[1]),
            headers: Dictionary(
                lines.dropFirst().compactMap { line in
                    line.firstIndex(of: ":").map {
                        (line[..<$0].lowercased(), String(line[line.index($0, offsetBy: 2)...]))
                    }
                }, uniquingKeysWith: { $1 }))
        let length = request.headers["content-length"].flatMap { Int($0) } ?? 0
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while body.count < length {
            let count = read(connection, &buffer, min(buffer.count, length - body.count))
            guard count > 0 else { return }
            body += buffer[..<count]
        }
        request.body = body
        log.withLock { [request] in $0.append(request) }
        let answer = respond(request)
        var head = "HTTP/1.1 \(answer.status) x\r\nConnection: close\r\n"
        for (name, value) in answer.headers { head += "\(name): \(value)\r\n" }
        if answer.headers["Content-Length"] == nil {
            head += "Content-Length: \(answer.body.count)\r\n"
        }
        var message = Array((head + "\r\n").utf8)
        if request.method != "HEAD" { message += answer.body.prefix(answer.sent ?? .max) }
        var done = 0
        while done < message.count {
            let count = message[done...].withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            done += count
        }
    }
}

private func startThread(_ body: @escaping () -> Void) {
    final class Box {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { argument in
            if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    pthread_detach(thread)
}
