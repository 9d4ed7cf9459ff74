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
            (self.read, self.write) = (read, write)
        }
    }

    /// Where the memory begins, in the address space of the engine that gave it.
    package let address: UnsafeMutableRawPointer
    /// Its size.
    public let byteCount: Int
    /// How the host gets at it; `nil` if by the address.
    package let transfer: Transfer?
    private let release: (UnsafeMutableRawPointer) -> Void

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
        (self.address, self.byteCount) = (address, byteCount)
        (self.transfer, self.release) = (transfer, release)
    }

    deinit { release(address) }

    /// Allocates memory of the host on a cache line of its own; much, on large pages where the system has them.
    ///
    /// Kernels walk columns of matrices, a row a step: on pages of 4 KiB, nearly every step would
    /// have the processor look a page up.
    ///
    /// - Parameter bytes: The size; values are undefined.
    public convenience init(hostBytes bytes: Int) {
        let page = 1 << 21
        let isLarge = bytes >= 2 * page
        let address = UnsafeMutableRawPointer.allocate(
            byteCount: max(bytes, 1), alignment: isLarge ? page : 64)
        if isLarge { madvise(address, bytes, MADV_HUGEPAGE) }
        self.init(address: address, byteCount: bytes) { $0.deallocate() }
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
