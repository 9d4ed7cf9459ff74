/// The memory behind a tensor or a matrix: owned and 64-byte aligned, or borrowed from an owner.
final class ElementStorage<Element> {
    let base: UnsafeMutablePointer<Element>
    let count: Int
    private let owner: AnyObject?

    /// Allocates `count` elements, aligned to a cache line; their values are undefined.
    init(count: Int) {
        let bytes = max(count, 1) * MemoryLayout<Element>.stride
        let raw = AlignedMemory.allocate(bytes: bytes)
        self.base = raw.bindMemory(to: Element.self, capacity: max(count, 1))
        self.count = count
        self.owner = nil
    }

    /// Borrows memory that lives as long as `owner`.
    init(borrowing base: UnsafeMutablePointer<Element>, count: Int, from owner: AnyObject) {
        self.base = base
        self.count = count
        self.owner = owner
    }

    deinit {
        if owner == nil { UnsafeMutableRawPointer(base).deallocate() }
    }
}
