/// What a Parquet file's rows are made of, as far as it can be read.
///
/// Texts, numbers, truth values, lists and structures of them are read; other columns are left out and listed.
struct ParquetSchema {
    /// The columns of a row that are read.
    private(set) var fields: [ParquetNode] = []
    /// Every leaf, in the order of a row group's columns; nil for those that are left out.
    private(set) var leaves: [ParquetLeaf?] = []
    /// The paths of all leaves.
    private(set) var paths: [[String]] = []
    /// The columns that are left out, and what they hold, in words.
    private(set) var leftOut: [(column: String, kind: String)] = []

    /// More columns than any table of texts has.
    static let elementLimit = 10_000
    private static let depthLimit = 64

    private let elements: [Element]
    private var next = 1

    /// An element of the schema as it is written.
    struct Element {
        let name: String
        let type: Int?
        let repetition: Int
        let children: Int
        let converted: Int?
        let logical: ThriftValue?
    }

    /// Builds the tree of elements that are written depth first.
    ///
    /// - Throws: What is wrong, in words.
    init(_ elements: [Element]) throws(ParquetFault) {
        guard (1...Self.elementLimit).contains(elements.count) else {
            throw ParquetFault(
                "a schema of \(elements.count) elements, expected 1 to \(Self.elementLimit)")
        }
        self.elements = elements
        var names: Set<String> = []
        for _ in 0..<elements[0].children {
            let field = try node(
                path: [], definition: 0, repetition: 0, isRepeatedHandled: false)
            guard names.insert(paths.last?.first ?? "").inserted else {
                throw ParquetFault("a schema with two columns \(quoted(paths.last?.first ?? ""))")
            }
            if let field { fields.append(field) }
        }
        guard next == elements.count else {
            throw ParquetFault("a schema with elements that belong to no column")
        }
    }

    /// Takes the next element with all below it.
    ///
    /// - Parameters:
    ///   - path: The names above it.
    ///   - definition: The definition level of what holds it.
    ///   - repetition: The repetition level of what holds it.
    ///   - isRepeatedHandled: Whether it is the repeated part of a list, which counts its level itself.
    /// - Returns: What is read of it; nil if that is nothing.
    /// - Throws: What is wrong, in words.
    private mutating func node(
        path: [String], definition: Int, repetition: Int, isRepeatedHandled: Bool
    ) throws(ParquetFault) -> ParquetNode? {
        guard next < elements.count else {
            throw ParquetFault("a schema that ends within a column")
        }
        guard path.count < Self.depthLimit else { throw ParquetFault("a schema that is too deep") }
        let element = elements[next]
        let path = path + [element.name]
        if element.repetition == 2, !isRepeatedHandled {
            // A repeated field that no list holds is a list that is never null.
            let item = try node(
                path: path.dropLast(), definition: definition + 1, repetition: repetition + 1,
                isRepeatedHandled: true)
            return item.map {
                ParquetNode(
                    name: element.name, definition: definition,
                    shape: .list($0, definition: definition + 1, repetition: repetition + 1))
            }
        }
        next += 1
        let definition = definition + (element.repetition == 1 ? 1 : 0)
        guard element.children > 0 else {
            return leaf(element, path: path, definition: definition, repetition: repetition)
        }
        let logical = element.logical?.unionCase
        if element.converted == 3 || logical == 3 {
            return try list(element, path: path, definition: definition, repetition: repetition)
        }
        let first = leaves.count
        var members: [ParquetNode] = []
        for _ in 0..<element.children {
            if let member = try node(
                path: path, definition: definition, repetition: repetition,
                isRepeatedHandled: false)
            {
                members.append(member)
            }
        }
        let isMap = element.converted == 1 || element.converted == 2 || logical == 2
        if isMap || logical == 16 {
            leaveOut(first, path: path, kind: isMap ? "a map" : "a variant")
            return nil
        }
        guard !members.isEmpty else { return nil }
        return ParquetNode(name: element.name, definition: definition, shape: .structure(members))
    }

    /// A group that is a list, in any of the forms that have been written.
    ///
    /// Source: Parquet's LogicalTypes.md, "Lists" and its rules for older files.
    private mutating func list(
        _ element: Element, path: [String], definition: Int, repetition: Int
    ) throws(ParquetFault) -> ParquetNode? {
        guard element.children == 1, next < elements.count, elements[next].repetition == 2 else {
            throw ParquetFault(
                "a list \(quoted(path.joined(separator: "."))) that is not one repeated element")
        }
        let repeated = elements[next]
        let isWrapper =
            repeated.children == 1 && repeated.name != "array"
            && repeated.name != element.name + "_tuple" && repeated.converted == nil
            && repeated.logical == nil && next + 1 < elements.count
            && elements[next + 1].repetition != 2
        let item: ParquetNode?
        if isWrapper {
            next += 1
            item = try node(
                path: path + [repeated.name], definition: definition + 1,
                repetition: repetition + 1, isRepeatedHandled: false)
        } else {
            item = try node(
                path: path, definition: definition + 1, repetition: repetition + 1,
                isRepeatedHandled: true)
        }
        return item.map {
            ParquetNode(
                name: element.name, definition: definition,
                shape: .list($0, definition: definition + 1, repetition: repetition + 1))
        }
    }

    private mutating func leaf(
        _ element: Element, path: [String], definition: Int, repetition: Int
    ) -> ParquetNode? {
        paths.append(path)
        do {
            let leaf = ParquetLeaf(
                path: path.joined(separator: "."), kind: try ParquetLeaf.Kind(element),
                definition: definition, repetition: repetition)
            leaves.append(leaf)
            return ParquetNode(
                name: element.name, definition: definition, shape: .leaf(leaves.count - 1))
        } catch {
            leaves.append(nil)
            leftOut.append((path.joined(separator: "."), error.text))
            return nil
        }
    }

    private mutating func leaveOut(_ first: Int, path: [String], kind: String) {
        let name = path.joined(separator: ".")
        for index in first..<leaves.count { leaves[index] = nil }
        leftOut.removeAll { $0.column.hasPrefix(name + ".") }
        leftOut.append((name, kind))
    }
}

/// A part of a row: a value, a structure or a list.
struct ParquetNode {
    indirect enum Shape {
        /// The number of the column that has the values.
        case leaf(Int)
        case structure([ParquetNode])
        /// The element, and the levels from which there is one and at which another one follows.
        case list(ParquetNode, definition: Int, repetition: Int)
    }

    let name: String
    /// The definition level from which it is not null.
    let definition: Int
    let shape: Shape
    /// The columns that are below it; never none.
    let columns: [Int]

    init(name: String, definition: Int, shape: Shape) {
        (self.name, self.definition, self.shape) = (name, definition, shape)
        columns =
            switch shape {
            case .leaf(let column): [column]
            case .structure(let members): members.flatMap(\.columns)
            case .list(let item, _, _): item.columns
            }
    }
}

/// A column that is read.
struct ParquetLeaf {
    enum Kind: Equatable {
        case null
        case bool
        /// A whole number of 4 or 8 bytes.
        case integer(bytes: Int, isSigned: Bool)
        case float
        case double
        case text
    }

    /// Its name with those above it, for messages.
    let path: String
    let kind: Kind
    /// The greatest definition level, at which there is a value.
    let definition: Int
    /// The greatest repetition level.
    let repetition: Int
}

extension ParquetLeaf.Kind {
    /// What an element's values are.
    ///
    /// - Throws: What they are, in words, if they are not read.
    init(_ element: ParquetSchema.Element) throws(ParquetFault) {
        let logical = element.logical?.unionCase
        switch (logical, element.converted) {
        case (5, _), (_, 5): throw ParquetFault("a decimal")
        case (6, _), (_, 6): throw ParquetFault("a date")
        case (7, _), (_, 7), (_, 8): throw ParquetFault("a time of day")
        case (8, _), (_, 9), (_, 10): throw ParquetFault("a point in time")
        case (13, _), (_, 20): throw ParquetFault("BSON")
        case (11, _):
            self = .null
            return
        default: break
        }
        switch element.type {
        case 0: self = .bool
        case 1, 2:
            let isUnsigned =
                (11...14).contains(element.converted ?? -1) || Self.isUnsigned(element.logical)
            self = .integer(bytes: element.type == 1 ? 4 : 8, isSigned: !isUnsigned)
        case 3: throw ParquetFault("a point in time in 96 bits")
        case 4: self = .float
        case 5: self = .double
        case 6:
            guard
                [1, 4, 12].contains(logical ?? 0) || [0, 4, 19].contains(element.converted ?? -1)
            else { throw ParquetFault("binary") }
            self = .text
        default: throw ParquetFault("binary of a fixed length")
        }
    }

    private static func isUnsigned(_ logical: ThriftValue?) -> Bool {
        if case .bool(false)? = logical?[10]?[2] { true } else { false }
    }
}

/// What is wrong, in words.
struct ParquetFault: Error {
    let text: String

    init(_ text: String) { self.text = text }
}
