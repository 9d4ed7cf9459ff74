/// The header of a safetensors file, with every field checked against the file's size.
///
/// Format: the header's length as 64-bit little-endian integer, the header as JSON, the data. The
/// tensors cover the data without gap and overlap.
///
/// Source: the safetensors format and its reference library, whose limit of 100 MB for the header
/// is kept. Beyond it, an unknown field in a tensor's entry is an error, and values are counted.
struct SafetensorsHeader {
    /// The longest header, in bytes.
    static let lengthLimit = 100_000_000
    /// The most values in a header: some eight a tensor, so about 100,000 tensors.
    static let valueLimit = 1_000_000

    /// The texts under `__metadata__`.
    let metadata: [String: String]
    /// The tensors in the order of their bytes.
    let tensors: [SafetensorsTensor]

    /// Reads the header of a file whose content is `bytes`.
    init(_ bytes: UnsafeRawBufferPointer, file: String) throws {
        guard bytes.count >= 8 else {
            throw SafetensorsError.tooShort(file: file, bytes: bytes.count)
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(SafetensorsHeader.lengthLimit) else {
            throw SafetensorsError.headerTooLong(
                file: file, bytes: length, limit: SafetensorsHeader.lengthLimit)
        }
        let dataStart = 8 + Int(length)
        guard dataStart <= bytes.count else {
            throw SafetensorsError.headerPastEnd(file: file, end: dataStart, size: bytes.count)
        }
        guard length > 0 else { throw SafetensorsError.headerEmpty(file: file) }
        let text = UnsafeRawBufferPointer(rebasing: bytes[8..<dataStart])
        let object = try text.withMemoryRebound(to: UInt8.self) {
            try SafetensorsHeader.object(in: $0, file: file)
        }
        metadata = try SafetensorsHeader.metadata(in: object, file: file)
        let entries = try object.members.filter { !$0.key.isExactly("__metadata__") }
            .map { try SafetensorsEntry($0.value, name: $0.key, file: file) }
        let order = try SafetensorsHeader.order(
            entries, dataSize: bytes.count - dataStart, file: file)
        tensors = order.map { $0.tensor(dataStart: dataStart) }
    }

    private static func object(
        in text: UnsafeBufferPointer<UInt8>, file: String
    ) throws -> JSONObject {
        if let offset = UTF8Check.firstInvalid(in: text) {
            throw SafetensorsError.headerNotUTF8(file: file, offset: offset + 8)
        }
        var parser = JSONParser(
            text,
            options: JSONOptions(
                refusesDuplicateKeys: true, depthLimit: 8, valueLimit: valueLimit))
        let value: JSONValue
        do {
            value = try parser.document()
        } catch {
            if case .duplicateKey(let name) = error.fault {
                throw SafetensorsError.duplicateName(file: file, name: name)
            }
            let column = text[..<error.offset].count { $0 & 0xC0 != 0x80 } + 1
            throw SafetensorsError.headerNotJSON(file: file, column: column, fault: error.fault)
        }
        guard let object = value.objectValue else {
            throw SafetensorsError.headerKind(file: file, found: value.kind)
        }
        return object
    }

    private static func metadata(in object: JSONObject, file: String) throws -> [String: String] {
        guard let value = object["__metadata__"] else { return [:] }
        guard let members = value.objectValue?.members else {
            throw SafetensorsError.metadataKind(file: file, key: nil, found: value.kind)
        }
        var metadata: [String: String] = [:]
        for member in members {
            guard let text = member.value.stringValue else {
                throw SafetensorsError.metadataKind(
                    file: file, key: member.key, found: member.value.kind)
            }
            metadata[member.key] = text
        }
        return metadata
    }

    /// The entries by place, once it is certain that they cover the data exactly.
    private static func order(
        _ entries: [SafetensorsEntry], dataSize: Int, file: String
    ) throws -> [SafetensorsEntry] {
        let order = entries.sorted { ($0.begin, $0.end) < ($1.begin, $1.end) }
        var end = 0
        var last = ""
        for entry in order {
            guard entry.end <= dataSize else {
                throw SafetensorsError.dataPastEnd(
                    file: file, name: entry.name, end: entry.end, size: dataSize)
            }
            guard entry.begin >= end else {
                throw SafetensorsError.overlap(file: file, name: entry.name, other: last)
            }
            guard entry.begin == end else {
                throw SafetensorsError.gap(file: file, name: entry.name, bytes: entry.begin - end)
            }
            (end, last) = (entry.end, entry.name)
        }
        guard end == dataSize else {
            throw SafetensorsError.leftover(file: file, bytes: dataSize - end)
        }
        return order
    }
}
