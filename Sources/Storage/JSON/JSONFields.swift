/// Reads the members of an object, with errors that name the place and the field.
///
///     let fields = record.fields
///     let output = try fields.string("output")           // must be there
///     let input = try fields.string(ifPresent: "input")  // nil if absent or null
///     let rank = try config.object("lora").integer("r")  // errors name 'lora.r'
public struct JSONFields: Sendable {
    /// The members.
    public let object: JSONObject
    /// The file, with the line if it holds many records.
    public let place: String
    /// Where the object stands in its file, such as `model.vocab`; empty for the whole.
    public let name: String

    /// Creates a reader.
    ///
    /// - Parameters:
    ///   - object: The members to read.
    ///   - place: What messages begin with: the file, with the line if it holds many records.
    public init(_ object: JSONObject, place: String) {
        self.init(object, place: place, name: "")
    }

    /// Creates a reader of a file's whole value.
    ///
    /// - Parameters:
    ///   - value: The value; must be an object.
    ///   - file: The file, for messages.
    /// - Throws: ``JSONError/recordKind(place:found:)``.
    public init(_ value: JSONValue, file: String) throws {
        guard let object = value.objectValue else {
            throw JSONError.recordKind(place: file, found: value.kind)
        }
        self.init(object, place: file)
    }

    private init(_ object: JSONObject, place: String, name: String) {
        self.object = object
        self.place = place
        self.name = name
    }

    /// How messages name a field: after the objects around it, with points between.
    public func name(of field: String) -> String { name.isEmpty ? field : name + "." + field }

    /// A field that must be there, of any kind.
    public func value(_ field: String) throws -> JSONValue {
        guard let value = object[field] else {
            throw JSONError.missingField(place: place, field: name(of: field))
        }
        return value
    }

    /// A text.
    public func string(_ field: String) throws -> String {
        try read(field, "a string", \.stringValue)
    }

    /// An integer; `2.0` is none.
    public func integer(_ field: String) throws -> Int {
        try read(field, "an integer", \.integerValue)
    }

    /// A number, integers included.
    public func number(_ field: String) throws -> Double {
        try read(field, "a number", \.numberValue)
    }

    /// A truth value.
    public func bool(_ field: String) throws -> Bool {
        try read(field, "true or false", \.boolValue)
    }

    /// An array of any values.
    public func array(_ field: String) throws -> [JSONValue] {
        try read(field, "an array", \.arrayValue)
    }

    /// An array of texts.
    public func strings(_ field: String) throws -> [String] {
        try read(field, "an array of strings") { all($0, \.stringValue) }
    }

    /// An array of integers.
    public func integers(_ field: String) throws -> [Int] {
        try read(field, "an array of integers") { all($0, \.integerValue) }
    }

    /// An object, whose fields are named after this one in messages.
    public func object(_ field: String) throws -> JSONFields {
        let object = try read(field, "an object", \.objectValue)
        return JSONFields(object, place: place, name: name(of: field))
    }

    /// An array of objects, whose fields are named `field[0].name` in messages.
    public func objects(_ field: String) throws -> [JSONFields] {
        let objects = try read(field, "an array of objects") { all($0, \.objectValue) }
        return objects.enumerated().map {
            JSONFields($0.element, place: place, name: name(of: "\(field)[\($0.offset)]"))
        }
    }

    /// The elements of an array, nil if `value` is none or one element is of another kind.
    private func all<Value>(_ value: JSONValue, _ get: (JSONValue) -> Value?) -> [Value]? {
        guard let elements = value.arrayValue else { return nil }
        let values = elements.compactMap(get)
        return values.count == elements.count ? values : nil
    }

    private func read<Value>(
        _ field: String, _ expected: String, _ get: (JSONValue) -> Value?
    ) throws -> Value {
        let value = try value(field)
        guard let result = get(value) else {
            throw JSONError.fieldKind(
                place: place, field: name(of: field), found: value.kind, expected: expected)
        }
        return result
    }
}

/// Fields that may be absent; `null` counts as absent.
extension JSONFields {
    /// A text, nil if absent.
    public func string(ifPresent field: String) throws -> String? {
        isPresent(field) ? try string(field) : nil
    }

    /// An integer, nil if absent.
    public func integer(ifPresent field: String) throws -> Int? {
        isPresent(field) ? try integer(field) : nil
    }

    /// A number, nil if absent.
    public func number(ifPresent field: String) throws -> Double? {
        isPresent(field) ? try number(field) : nil
    }

    /// A truth value, nil if absent.
    public func bool(ifPresent field: String) throws -> Bool? {
        isPresent(field) ? try bool(field) : nil
    }

    /// An array of any values, nil if absent.
    public func array(ifPresent field: String) throws -> [JSONValue]? {
        isPresent(field) ? try array(field) : nil
    }

    /// An object, nil if absent.
    public func object(ifPresent field: String) throws -> JSONFields? {
        isPresent(field) ? try object(field) : nil
    }

    /// Whether a field is there and not `null`.
    public func isPresent(_ field: String) -> Bool { !(object[field]?.isNull ?? true) }
}
