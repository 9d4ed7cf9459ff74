/// A value together with where it stands, so that a wrong one can be named.
struct JSONField {
    let file: String
    /// The keys that lead here, such as `model.vocab`; empty for the whole file.
    let path: String
    let value: JSONValue

    /// Whether the field is null or absent.
    var isNull: Bool {
        if case .null = value { true } else { false }
    }

    /// A member of an object; null if the object has none of that name.
    ///
    /// - Throws: ``TokenizerError/invalid(file:field:found:expected:)`` if this is no object.
    subscript(_ key: String) -> JSONField {
        get throws {
            let member = try members().last { $0.key.elementsEqual(key.utf8) }
            return JSONField(
                file: file, path: path.isEmpty ? key : "\(path).\(key)",
                value: member?.value ?? .null)
        }
    }

    /// The members of an object, in the file's order.
    func members() throws -> [JSONMember] {
        guard case .object(let members) = value else { throw wrong(expected: "an object") }
        return members
    }

    /// The elements of an array.
    func elements() throws -> [JSONField] {
        guard case .array(let values) = value else { throw wrong(expected: "an array") }
        return values.enumerated().map {
            JSONField(file: file, path: "\(path)[\($0.offset)]", value: $0.element)
        }
    }

    /// The bytes of a string.
    func bytes() throws -> [UInt8] {
        guard case .string(let bytes) = value else { throw wrong(expected: "a string") }
        return bytes
    }

    /// A string.
    func string() throws -> String { String(decoding: try bytes(), as: UTF8.self) }

    /// A boolean; null and absence give `absent`.
    func boolean(absent: Bool) throws -> Bool {
        switch value {
        case .null: absent
        case .boolean(let boolean): boolean
        default: throw wrong(expected: "a boolean")
        }
    }

    /// A boolean that must be there.
    func boolean() throws -> Bool {
        guard case .boolean(let boolean) = value else { throw wrong(expected: "a boolean") }
        return boolean
    }

    /// A token id.
    func tokenID() throws -> Int32 {
        guard case .number(let number) = value else { throw wrong(expected: "a token id") }
        guard let id = Int32(exactly: number), TokenTable.allowedIDs.contains(id) else {
            throw TokenizerError.invalid(
                file: file, field: path, found: "\(number)",
                expected: "a whole number below \(TokenTable.allowedIDs.upperBound)")
        }
        return id
    }

    /// The error for a value of another type.
    func wrong(expected: String) -> TokenizerError {
        isNull
            ? .missingField(file: file, field: path)
            : .invalid(file: file, field: path, found: value.kind, expected: expected)
    }
}
