import Glibc

/// A piece of memory that an engine gave, or that something else owns; given back when nobody holds it.
public final class Memory {
    /// How the host reads and writes memory that it cannot reach by its address.
    ///
    /// Both wait for what the engine was asked to do before.
    public struct Transfer {
        /// Copies bytes from an address of the memory to the host.
        let read: (_ address: UnsafeRawPointer, UnsafeMutableRawBufferPointer) -> Void
        /// Copies bytes of the host to an address of the memory.
        let write: (_ address: UnsafeMutableRawPointer, UnsafeRawBufferPointer) -> Void

        /// Groups the two ways.
        public init(
            read: @escaping (_ address: UnsafeRawPointer, UnsafeMutableRawBufferPointer) -> Void,
            write: @escaping (_ address: UnsafeMutableRawPointer, UnsafeRawBufferPointer) -> Void
        ) {
            self.read = read
            self.write = write
        }
    }

    /// Where the memory begins, in the address space of the engine that gave it.
    package let address: UnsafeMutableRawPointer
    /// Its size.
    public let byteCount: Int
    /// How the host gets at it; `nil` if by the address.
    package let transfer: Transfer?
    private let release: (UnsafeMutableRawPointer) -> Void
    /// What an engine keeps with memory that nobody writes to any more, such as weights in the order it reads them in.
    package var companion: AnyObject?

    /// Takes charge of memory.
    ///
    /// - Parameters:
    ///   - address: Where it begins.
    ///   - byteCount: Its size.
    ///   - transfer: How the host reads and writes it; `nil` if by the address.
    ///   - release: Called with the address when nobody holds the memory any more.
    public init(
        address: UnsafeMutableRawPointer, byteCount: Int, transfer: Transfer? = nil,
        release: @escaping (UnsafeMutableRawPointer) -> Void
    ) {
        self.address = address
        self.byteCount = byteCount
        self.transfer = transfer
        self.release = release
    }

    deinit { release(address) }

    /// Allocates memory of the host on a cache line of its own; much, on large pages where the system has them.
    ///
    /// Kernels walk columns of matrices, a row a step: on pages of 4 KiB, nearly every step would
    /// have the processor look a page up. Where the system gives no memory, the program ends with a sentence.
    ///
    /// - Parameter bytes: The size; values are undefined.
    public convenience init(hostBytes bytes: Int) {
        let page = 1 << 21
        let isLarge = bytes >= 2 * page
        var memory: UnsafeMutableRawPointer?
        posix_memalign(&memory, isLarge ? page : 64, max(bytes, 1))
        guard let address = memory else { Memory.endForLack(of: bytes) }
        if isLarge { madvise(address, bytes, MADV_HUGEPAGE) }
        self.init(address: address, byteCount: bytes) { free($0) }
    }

    /// Ends the program: operations have no way to fail, and what is on the disk is whole at every instant.
    private static func endForLack(of bytes: Int) -> Never {
        let amount = bytes >> 20 > 0 ? "\(bytes >> 20) MiB" : "\(bytes) bytes"
        var text =
            "Error: the system gave no \(amount) of memory for numbers; take shorter texts, fewer at a time "
            + "or fewer threads, keep weights in bfloat16, or raise the limit (ulimit -v)\n"
        _ = text.withUTF8 { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        exit(1)
    }

    /// Views memory of the host that lives as long as `owner`, such as a mapped file.
    convenience init(viewing bytes: UnsafeMutableRawBufferPointer, owner: AnyObject) {
        guard let start = bytes.baseAddress else {
            self.init(hostBytes: 0)
            return
        }
        self.init(address: start, byteCount: bytes.count) { _ in withExtendedLifetime(owner) {} }
    }

    /// Calls `body` with the first bytes, or with a copy where the host cannot reach them.
    func withBytes(_ count: Int, _ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        try withExtendedLifetime(self) {
            guard let transfer else {
                return try body(UnsafeRawBufferPointer(start: address, count: count))
            }
            var bytes = [UInt8](repeating: 0, count: count)
            bytes.withUnsafeMutableBytes { transfer.read(address, $0) }
            try bytes.withUnsafeBytes(body)
        }
    }

    /// Whether the host reads and writes it by its address.
    public var isHost: Bool { transfer == nil }
}

/// Memory for an intermediate result, used again and again.
///
/// It grows to the largest size asked for and is never given back, so a steady state allocates nothing. The layers of
/// a model share one for each result that lives no longer than a layer: to ask again is to give up what it held.
public final class Buffer {
    private let engine: any Engine
    private let columns: Int
    private var memory: Tensor?
    /// What was asked for last: the next time it is often the same.
    private var view: Tensor?

    /// Creates a buffer that holds nothing yet.
    ///
    /// - Parameters:
    ///   - engine: Gives the memory.
    ///   - columns: The width of its matrices, unless another is asked for.
    public init(of engine: any Engine, columns: Int) {
        self.engine = engine
        self.columns = columns
    }

    /// A matrix with undefined values.
    ///
    /// Its rows may lie further apart than they are wide: see ``Engine/rowStride(columns:)``.
    ///
    /// - Parameters:
    ///   - rows: The number of rows.
    ///   - columns: Their width; by default the buffer's.
    /// - Returns: The matrix, in memory that the next call uses again.
    public func matrix(rows: Int, columns: Int? = nil) -> Tensor {
        let columns = columns ?? self.columns
        if let view, view.rows == rows, view.columns == columns { return view }
        let stride = engine.rowStride(columns: columns)
        let flat = flat(count: rows * stride)
        let view =
            stride > columns
            ? flat.reshaped([rows, stride]).columns(0..<columns) : flat.reshaped([rows, columns])
        self.view = view
        return view
    }

    private func flat(count: Int) -> Tensor {
        if let memory, memory.count >= count { return memory.rows(0..<count) }
        // Given back first, so that both are not there at once.
        memory = nil
        view = nil
        let grown = engine.tensor([withRoom(count)])
        memory = grown
        return grown.rows(0..<count)
    }

    /// Batches differ a little in size: some room avoids growing at every other one.
    private func withRoom(_ count: Int) -> Int { count + count / 8 }

    /// The memory that it holds, in bytes.
    public var byteCount: Int { (memory?.count ?? 0) * MemoryLayout<Float>.stride }

    /// The memory that it holds once matrices of so many rows were asked for, in bytes.
    ///
    /// - Parameters:
    ///   - rows: The number of rows, at most.
    ///   - columns: Their width; by default the buffer's.
    /// - Returns: The bytes.
    public func byteCount(rows: Int, columns: Int? = nil) -> Int {
        withRoom(rows * engine.rowStride(columns: columns ?? self.columns))
            * MemoryLayout<Float>.stride
    }
}
