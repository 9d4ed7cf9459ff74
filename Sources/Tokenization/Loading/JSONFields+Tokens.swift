import Storage

/// Token ids, and the errors of a tokenizer's files.
extension JSONFields {
    /// A token id, held to ``TokenTable/allowedIDs``.
    func tokenID(_ field: String) throws -> Int32 { try tokenID(field, value(field)) }

    /// A token id, the value of a field.
    func tokenID(_ field: String, _ value: JSONValue) throws -> Int32 {
        guard case .integer(let number) = value, let id = Int32(exactly: number),
            TokenTable.allowedIDs.contains(id)
        else {
            // A value of another kind is an error like any field's.
            let number = try integer(field)
            throw invalid(
                field, found: "\(number)",
                expected: "a token id below \(TokenTable.allowedIDs.upperBound)")
        }
        return id
    }

    /// The error for an invalid value of the right kind.
    func invalid(_ field: String, found: String, expected: String) -> TokenizerError {
        .invalid(file: place, field: name(of: field), found: found, expected: expected)
    }

    /// The error for something this toolkit does not do, in a field or, without one, the object.
    func unsupported(
        _ field: String? = nil, found: String, supported: String
    ) -> TokenizerError {
        .unsupported(
            file: place, field: field.map(name(of:)) ?? name, found: found, supported: supported)
    }

    /// The error for a token that is not in the vocabulary.
    func unknownToken(_ field: String, _ token: String) -> TokenizerError {
        .unknownToken(file: place, field: name(of: field), token: token)
    }
}
