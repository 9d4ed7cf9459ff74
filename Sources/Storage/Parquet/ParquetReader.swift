/// Reads the rows of a Parquet file as objects, one after the other.
///
/// What tables of texts are made of is read: texts, numbers, truth values, lists and structures; pages of both
/// versions, plain or with dictionaries, as they are or compressed by Snappy, gzip, zstd or LZ4. Columns of other
/// kinds are left out and listed; other encodings and codecs are refused by name. A page of each column is held at
/// a time.
///
/// Source: Parquet's format, parquet.thrift and LogicalTypes.md.
final class ParquetReader {
    /// The columns that are left out, and what they hold, in words.
    let leftOut: [(column: String, kind: String)]

    private let file: ParquetBytes
    private let schema: ParquetSchema
    private var groups: ArraySlice<ThriftValue>
    private var columns: [ParquetColumn?] = []
    private var rowsLeft = 0
    private var row = 0

    /// Opens a file and reads what its end says of it.
    ///
    /// - Throws: ``FileError`` or ``ParquetError``.
    init(path: String) throws {
        file = try ParquetBytes(path: path)
        let footer = try file.structure(in: file.footerRange, limit: 3_000_000).value
        let elements = try footer[2]?.elements.map(file.element) ?? []
        do {
            schema = try ParquetSchema(elements)
        } catch {
            throw file.damaged(at: file.footer, error.text)
        }
        leftOut = schema.leftOut
        groups = (footer[4]?.elements ?? [])[...]
    }

    /// The next row and its number, from 1; nil after the last.
    ///
    /// - Throws: ``ParquetError``.
    func next() throws -> (object: JSONObject, row: Int)? {
        while rowsLeft == 0 {
            for case let column? in columns where !column.isAtEnd {
                throw file.damaged(at: file.footer, "more values than rows")
            }
            columns = []
            guard let group = groups.popFirst() else { return nil }
            try begin(group)
        }
        (rowsLeft, row) = (rowsLeft - 1, row + 1)
        file.beginRow(row)
        for case let column? in columns where column.isAtEnd || column.repetition > 0 {
            throw file.damaged(at: file.footer, "row \(row) without a beginning")
        }
        var object = JSONObject()
        for field in schema.fields { object[field.name] = try value(of: field) }
        return (object, row)
    }

    private func begin(_ group: ThriftValue) throws {
        let chunks = group[1]?.elements ?? []
        guard chunks.count == schema.leaves.count, let rows = group[3]?.integer, rows >= 0 else {
            throw file.damaged(
                at: file.footer,
                "\(chunks.count) columns of rows, expected \(schema.leaves.count)")
        }
        rowsLeft = rows
        columns = try chunks.indices.map { index in
            guard let leaf = schema.leaves[index] else { return nil }
            guard let chunk = chunks[index][3], chunks[index][1] == nil, chunks[index][8] == nil
            else {
                throw ParquetError.elsewhere(
                    file: file.path, column: leaf.path,
                    isEncrypted: chunks[index][8] != nil)
            }
            let path = chunk[3]?.elements.map(file.text) ?? []
            guard path == schema.paths[index] else {
                throw file.damaged(
                    at: file.footer,
                    "column \(quoted(path.joined(separator: "."))) where "
                        + "\(quoted(leaf.path)) is expected")
            }
            return try ParquetColumn(leaf, chunk: chunk, file: file)
        }
    }

    private func value(of node: ParquetNode) throws -> JSONValue {
        if case .leaf(let index) = node.shape { return try column(index).take() }
        let first = try column(node.columns[0])
        guard first.definition >= node.definition else {
            try skip(node)
            return .null
        }
        switch node.shape {
        case .leaf: return .null
        case .structure(let members):
            var object = JSONObject()
            for member in members { object[member.name] = try value(of: member) }
            return .object(object)
        case .list(let item, let definition, let repetition):
            guard first.definition >= definition else {
                try skip(node)
                return .array([])
            }
            var items: [JSONValue] = []
            repeat {
                try file.count(.null)
                items.append(try value(of: item))
            } while !first.isAtEnd && first.repetition == repetition
            return .array(items)
        }
    }

    /// Passes the entry that every column has where a list is empty, or a structure null.
    private func skip(_ node: ParquetNode) throws {
        for index in node.columns { try column(index).skip() }
    }

    /// A column that has something to give.
    private func column(_ index: Int) throws -> ParquetColumn {
        guard let column = columns[index], !column.isAtEnd else {
            throw file.damaged(at: file.footer, "row \(row) that ends too early")
        }
        return column
    }
}

/// The bytes of a Parquet file, and how much memory its readers may take.
final class ParquetBytes {
    let path: String
    /// Where the end begins that says what is in the file.
    let footer: Int
    /// The bytes of that end.
    let footerRange: Range<Int>
    var bytes: UnsafeRawBufferPointer { mapping.bytes }

    private let mapping: MappedFile
    private var held = 0
    private var row = 0
    private var rowBytes = 0

    /// The largest page, in bytes; writers make them of one MiB.
    static let pageLimit = 256 << 20
    /// The most that the pages that are held take, in bytes.
    static let heldLimit = 512 << 20
    /// The most that a row takes, in bytes, 16 a value.
    static let rowLimit = 64 << 20

    private static let magic = Array("PAR1".utf8)

    init(path: String) throws {
        self.path = path
        mapping = try MappedFile(path: path)
        let bytes = mapping.bytes
        guard bytes.count >= 12 else { throw ParquetError.notParquet(file: path) }
        let (start, last) = (Array(bytes[..<4]), Array(bytes[(bytes.count - 4)...]))
        if last == Array("PARE".utf8) {
            throw ParquetError.elsewhere(file: path, column: nil, isEncrypted: true)
        }
        guard start == Self.magic else { throw ParquetError.notParquet(file: path) }
        let size = Int(
            bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt32.self).littleEndian)
        guard last == Self.magic, size <= bytes.count - 12 else {
            throw ParquetError.damaged(
                file: path, offset: bytes.count,
                fault: "no footer at the end; is the download complete?")
        }
        footer = bytes.count - 8 - size
        footerRange = footer..<footer + size
    }

    /// Reads a structure of a range, and where it ends.
    func structure(in range: Range<Int>, limit: Int) throws -> (value: ThriftValue, end: Int) {
        var reader = ThriftReader(bytes, in: range, valueLimit: limit)
        do {
            return (try reader.structure(), reader.position)
        } catch {
            throw damaged(at: error.offset, error.text)
        }
    }

    /// The text of a value of the footer.
    func text(_ value: ThriftValue) -> String {
        guard case .bytes(let range) = value else { return "" }
        return String(decoding: bytes[range], as: UTF8.self)
    }

    /// An element of the schema.
    func element(_ value: ThriftValue) throws -> ParquetSchema.Element {
        let name = value[4].map(text) ?? ""
        let repetition = value[3]?.integer ?? 0
        let children = value[5]?.integer ?? 0
        guard (0...2).contains(repetition), children >= 0 else {
            throw damaged(at: footer, "a schema whose element \(quoted(name)) is none")
        }
        return ParquetSchema.Element(
            name: name, type: value[1]?.integer, repetition: repetition, children: children,
            converted: value[6]?.integer, logical: value[10])
    }

    /// Takes memory for what is held.
    func hold(_ count: Int) throws {
        held += count
        guard held <= Self.heldLimit else {
            throw ParquetError.tooLarge(
                file: path, what: "pages of \(held) bytes in one row", limit: Self.heldLimit)
        }
    }

    /// Gives memory back.
    func release(_ count: Int) { held -= count }

    /// Begins to count what a row takes.
    func beginRow(_ number: Int) { (row, rowBytes) = (number, 0) }

    /// Counts a value of the row.
    func count(_ value: JSONValue) throws {
        rowBytes += 16
        if case .string(let text) = value { rowBytes += text.utf8.count }
        guard rowBytes <= Self.rowLimit else {
            throw ParquetError.tooLarge(
                file: path, what: "row \(row) of \(rowBytes) bytes or more", limit: Self.rowLimit)
        }
    }

    func damaged(at offset: Int, _ fault: String) -> ParquetError {
        .damaged(file: path, offset: offset, fault: fault)
    }
}

/// What can be wrong with a Parquet file.
public enum ParquetError: Error, Equatable {
    /// The file does not begin and end as one.
    case notParquet(file: String)
    /// Something in it cannot be; near a byte of the file.
    case damaged(file: String, offset: Int, fault: String)
    /// Values are encoded in a way that is not read.
    case encoding(file: String, column: String, found: String)
    /// Pages are compressed in a way that is not read.
    case compression(file: String, column: String, found: String)
    /// Values are encrypted, or in another file.
    case elsewhere(file: String, column: String?, isEncrypted: Bool)
    /// Something is larger than is read.
    case tooLarge(file: String, what: String, limit: Int)
    /// A column that is wanted is of a kind that is not read.
    case kind(file: String, column: String, found: String)
}

extension ParquetError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .notParquet(let file):
            "\(quotedPath(file)): is no Parquet file, which begins and ends with PAR1"
        case .damaged(let file, let offset, let fault):
            "\(quotedPath(file)): Parquet data have \(fault), near byte \(offset)"
        case .encoding(let file, let column, let found):
            "\(quotedPath(file)): column \(quoted(column)) is encoded by \(found), expected PLAIN, "
                + "RLE or a dictionary; write the file anew without it, as by "
                + "pyarrow.parquet.write_table(table, file)"
        case .compression(let file, let column, let found):
            "\(quotedPath(file)): column \(quoted(column)) is compressed by \(found), expected Snappy, "
                + "gzip, zstd, LZ4_RAW or none; write the file anew with one of them"
        case .elsewhere(let file, let column, let isEncrypted):
            "\(quotedPath(file)): \(column.map { "column \(quoted($0))" } ?? "file") is "
                + (isEncrypted ? "encrypted" : "stored in another file")
                + ", expected values as they are"
        case .tooLarge(let file, let what, let limit):
            "\(quotedPath(file)): holds \(what), expected at most \(limit)"
        case .kind(let file, let column, let found):
            "\(quotedPath(file)): column \(quoted(column)) holds \(found), expected texts, numbers, "
                + "truth values, or lists or structures of them"
        }
    }

    /// What an encoding is called.
    static func encodingName(_ number: Int) -> String {
        let names = [
            4: "BIT_PACKED", 5: "DELTA_BINARY_PACKED", 6: "DELTA_LENGTH_BYTE_ARRAY",
            7: "DELTA_BYTE_ARRAY", 9: "BYTE_STREAM_SPLIT",
        ]
        return names[number] ?? "number \(number)"
    }
}
