import Jinja
import Storage

/// One record of a data set.
struct Document: Sendable {
    /// The file and line, as messages begin.
    let place: String
    /// The record, with what the task's preparation adds.
    let object: JSONObject
    /// The same for templates.
    let values: ValueDictionary

    init(_ record: JSONRecord) { self.init(place: record.place, object: record.object) }

    init(place: String, object: JSONObject) {
        self.place = place
        self.object = object
        values = object.templateValues
    }

    /// The fields, with errors that name place and field.
    var fields: JSONFields { JSONFields(object, place: place) }
}

/// The records of a split as a table, as the harness sees them: every record has every column.
///
/// A field that a record lacks is null, and numbers of a column of which one is no integer are floats
/// everywhere. The same goes for the fields of objects within columns, and for what lists hold. Values
/// that share no type stay as they are.
///
/// Source: pyarrow's reader of JSON lines, by which `datasets` reads files. Unlike it, texts that look
/// like points in time stay texts.
struct DocumentTable {
    /// What a column holds.
    private indirect enum Kind {
        case null
        case integer
        case number
        case list(Kind)
        case object(keys: [String], kinds: [String: Kind])
        /// A text, a truth value, or values of several types.
        case other

        init(_ value: JSONValue) {
            switch value {
            case .null: self = .null
            case .integer: self = .integer
            case .number: self = .number
            case .bool, .string: self = .other
            case .array(let items):
                var kind = Kind.null
                for item in items { kind.join(Kind(item)) }
                self = .list(kind)
            case .object(let object): self = Kind.of(object)
            }
        }

        static func of(_ object: JSONObject) -> Kind {
            .object(
                keys: object.keys,
                kinds: Dictionary(object.members.map { ($0.key, Kind($0.value)) }) { $1 })
        }

        mutating func join(_ other: Kind) {
            switch (self, other) {
            case (_, .null), (.integer, .integer), (.number, .number), (.number, .integer): break
            case (.null, _), (.integer, .number): self = other
            case (.list(var kind), .list(let more)):
                kind.join(more)
                self = .list(kind)
            case (.object(var keys, var kinds), .object(let moreKeys, let moreKinds)):
                for key in moreKeys {
                    guard let more = moreKinds[key] else { continue }
                    if kinds[key] == nil { keys.append(key) }
                    kinds[key, default: .null].join(more)
                }
                self = .object(keys: keys, kinds: kinds)
            default: self = .other
            }
        }

        func applied(to value: JSONValue) -> JSONValue {
            switch (self, value) {
            case (.number, .integer(let number)): .number(Double(number))
            case (.list(let kind), .array(let items)): .array(items.map(kind.applied))
            case (.object, .object(let object)): .object(applied(to: object))
            default: value
            }
        }

        func applied(to object: JSONObject) -> JSONObject {
            guard case .object(let keys, let kinds) = self else { return object }
            return JSONObject(
                keys.map { key in
                    (key, (kinds[key] ?? .null).applied(to: object[key] ?? .null))
                })
        }
    }

    /// The names of the columns, in the order in which they first appear.
    let columns: [String]
    /// The records, each with every column.
    let rows: [JSONObject]

    /// Makes a table of records.
    init(_ records: [JSONObject]) {
        var kind = Kind.of(JSONObject())
        for record in records { kind.join(Kind.of(record)) }
        rows = records.map(kind.applied)
        columns = if case .object(let keys, _) = kind { keys } else { [] }
    }
}
