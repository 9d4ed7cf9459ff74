/// The entries of a zip file that are stored as they are, which is how PyTorch writes checkpoints.
///
/// Source: PKWARE's APPNOTE, sections 4.3.7, 4.3.12 and 4.3.14 to 4.3.16 (zip64).
struct ZipDirectory {
    /// Where the bytes of each entry are in the file.
    private(set) var ranges: [String: Range<Int>] = [:]

    /// More entries than any checkpoint has.
    static let entryLimit = 1 << 17
    /// What every zip file begins with.
    static let magic: [UInt8] = [0x50, 0x4B, 3, 4]

    private let bytes: UnsafeRawBufferPointer
    private let file: String

    /// Reads the directory at the end of a file.
    ///
    /// - Parameters:
    ///   - bytes: The file's content.
    ///   - file: Its name, for messages.
    /// - Throws: ``PickleError/zip(file:offset:fault:)``.
    init(_ bytes: UnsafeRawBufferPointer, file: String) throws {
        (self.bytes, self.file) = (bytes, file)
        var (position, count) = try end()
        guard count <= Self.entryLimit else {
            throw fault(position, "\(count) entries, expected at most \(Self.entryLimit)")
        }
        for _ in 0..<count { try readEntry(&position) }
    }

    /// Where the directory begins, and its number of entries.
    private func end() throws -> (start: Int, count: Int) {
        let first = max(0, bytes.count - 22 - 0xFFFF)
        let place = stride(from: bytes.count - 22, through: first, by: -1).first {
            bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self).littleEndian == 0x0605_4B50
        }
        guard let place else {
            throw fault(bytes.count, "no directory at the end; is the download complete?")
        }
        let (count, start) = (try number(place + 10, 2), try number(place + 16, 4))
        guard count == 0xFFFF || start == 0xFFFF_FFFF, place >= 20 else { return (start, count) }
        guard try number(place - 20, 4) == 0x0706_4B50 else { return (start, count) }
        let record = try number(place - 20 + 8, 8)
        guard try number(record, 4) == 0x0606_4B50 else {
            throw fault(record, "no zip64 directory where one is said to be")
        }
        return (try number(record + 48, 8), try number(record + 32, 8))
    }

    private mutating func readEntry(_ position: inout Int) throws {
        let start = position
        guard try number(start, 4) == 0x0201_4B50 else {
            throw fault(start, "no entry of the directory where one is expected")
        }
        let (flags, method) = (try number(start + 8, 2), try number(start + 10, 2))
        let nameLength = try number(start + 28, 2)
        let extraLength = try number(start + 30, 2)
        var (size, place) = (try number(start + 24, 4), try number(start + 42, 4))
        let packedSize = try number(start + 20, 4)
        let name = String(
            decoding: try slice(start + 46, nameLength), as: UTF8.self)
        // The fields that did not fit stand in the extra field of kind 1, in this order.
        var wide = [size, packedSize, place].map { $0 == 0xFFFF_FFFF }
        var extra = start + 46 + nameLength
        let extraEnd = extra + extraLength
        while wide.contains(true), extra + 4 <= extraEnd {
            let (kind, length) = (try number(extra, 2), try number(extra + 2, 2))
            if kind == 1 {
                var field = extra + 4
                for index in wide.indices where wide[index] && field + 8 <= extra + 4 + length {
                    let value = try number(field, 8)
                    if index == 0 { size = value }
                    if index == 2 { place = value }
                    (wide[index], field) = (false, field + 8)
                }
            }
            extra += 4 + length
        }
        position = extraEnd + (try number(start + 32, 2))
        guard method == 0, flags & 1 == 0 else {
            throw fault(
                start,
                "entry \(quoted(name)) is \(flags & 1 == 1 ? "encrypted" : "compressed"), "
                    + "expected entries stored as they are")
        }
        guard try number(place, 4) == 0x0403_4B50 else {
            throw fault(place, "no entry \(quoted(name)) where the directory says")
        }
        let (localName, localExtra) = (try number(place + 26, 2), try number(place + 28, 2))
        let data = place + 30 + localName + localExtra
        guard size <= bytes.count, data <= bytes.count - size else {
            throw fault(data, "entry \(quoted(name)) ends after the file")
        }
        guard ranges.updateValue(data..<(data + size), forKey: name) == nil else {
            throw fault(start, "two entries \(quoted(name)), expected one")
        }
    }

    private func slice(_ start: Int, _ count: Int) throws -> UnsafeRawBufferPointer {
        guard start >= 0, start <= bytes.count, count <= bytes.count - start else {
            throw fault(bytes.count, "the end of the file within the directory")
        }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<(start + count)])
    }

    /// A number of up to 8 bytes, held to what a file's size can be.
    private func number(_ start: Int, _ count: Int) throws -> Int {
        let value = try slice(start, count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard value < 1 << 62 else { throw fault(start, "the number \(value), which no file has") }
        return Int(value)
    }

    private func fault(_ offset: Int, _ fault: String) -> PickleError {
        .zip(file: file, offset: offset, fault: fault)
    }
}
