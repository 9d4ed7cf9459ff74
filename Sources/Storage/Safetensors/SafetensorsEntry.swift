/// One tensor's entry in a header, with everything checked that needs no other entry.
struct SafetensorsEntry {
    let name: String
    let type: ElementType
    let shape: [Int]
    let count: Int
    /// The first byte and the one after the last, from the end of the header.
    let begin: Int
    let end: Int

    /// Reads the entry `{"dtype": …, "shape": […], "data_offsets": [begin, end]}`.
    init(_ value: JSONValue, name: String, file: String) throws {
        self.name = name
        let fields: Fields
        do {
            fields = try Fields(value)
        } catch {
            throw SafetensorsError.entry(file: file, name: name, fault: error)
        }
        guard let type = ElementType(rawValue: fields.type) else {
            throw SafetensorsError.unknownType(file: file, name: name, found: fields.type)
        }
        (self.type, shape, begin, end) = (type, fields.shape, fields.begin, fields.end)
        guard let count = SafetensorsEntry.product(shape),
            let bits = SafetensorsEntry.product([count, type.bits])
        else {
            throw SafetensorsError.shapeTooLarge(file: file, name: name, shape: shape)
        }
        self.count = count
        guard begin <= end else {
            throw SafetensorsError.offsetsReversed(file: file, name: name, begin: begin, end: end)
        }
        // Elements smaller than a byte must fill their last byte.
        guard bits % 8 == 0, end - begin == bits / 8 else {
            throw SafetensorsError.sizeMismatch(
                file: file, name: name, found: end - begin,
                expected: bits / 8 + (bits % 8 == 0 ? 0 : 1))
        }
    }

    func tensor(dataStart: Int) -> SafetensorsTensor {
        SafetensorsTensor(
            name: name, type: type, shape: shape, byteRange: dataStart + begin..<dataStart + end,
            count: count)
    }

    /// The product of factors, none negative; nil if it overflows.
    static func product(_ factors: [Int]) -> Int? {
        var product = 1
        for factor in factors {
            let (result, isTooLarge) = product.multipliedReportingOverflow(by: factor)
            if isTooLarge { return nil }
            product = result
        }
        return product
    }
}

/// The three fields of an entry, of the right kinds.
private struct Fields {
    let type: String
    let shape: [Int]
    let begin: Int
    let end: Int

    init(_ value: JSONValue) throws(SafetensorsError.EntryFault) {
        guard let object = value.objectValue else { throw .kind(found: value.kind) }
        for key in object.keys where !["dtype", "shape", "data_offsets"].contains(key) {
            throw .unknown(field: key)
        }
        guard let type = object["dtype"] else { throw .missing(field: "dtype") }
        guard let name = type.stringValue else {
            throw .field("dtype", found: type.kind, expected: "a string")
        }
        self.type = name
        shape = try Fields.sizes(object, "shape")
        let offsets = try Fields.sizes(object, "data_offsets")
        guard offsets.count == 2 else {
            throw .field("data_offsets", found: "\(offsets.count) integers", expected: "2")
        }
        (begin, end) = (offsets[0], offsets[1])
    }

    /// An array of integers, none negative.
    private static func sizes(
        _ object: JSONObject, _ field: String
    ) throws(SafetensorsError.EntryFault) -> [Int] {
        guard let value = object[field] else { throw .missing(field: field) }
        guard let elements = value.arrayValue else {
            throw .field(field, found: value.kind, expected: "an array of integers")
        }
        var sizes: [Int] = []
        for element in elements {
            guard let size = element.integerValue, size >= 0 else {
                let found = element.numberValue == nil ? element.kind : JSONWriter().string(element)
                throw .field(field, found: found, expected: "integers of at least 0")
            }
            sizes.append(size)
        }
        return sizes
    }
}
