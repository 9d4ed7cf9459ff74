/// Reads the arguments of one call as the types that the callee takes.
struct ArgumentReader {
    let callee: String
    private let values: [Value?]

    /// Binds arguments to parameters, which are named in order.
    ///
    /// - Parameters:
    ///   - arguments: The arguments.
    ///   - callee: The function's name, used in messages.
    ///   - parameters: The parameters' names.
    ///   - required: How many of the first parameters have no default.
    ///   - byPlaceOnly: Whether names are refused, as by many of Python's methods.
    /// - Throws: ``TemplateError/Reason/wrongArguments(callee:problem:)``.
    init(
        _ arguments: Arguments, of callee: String, _ parameters: [String], required: Int = 0,
        byPlaceOnly: Bool = false
    ) throws {
        if byPlaceOnly, let name = arguments.named.first?.name {
            throw Reason.wrongArguments(callee: callee, problem: "there is no parameter '\(name)'")
        }
        self.callee = callee
        values = try arguments.bind(callee, parameters, required: required)
    }

    /// The argument as it is; nil if it is not given.
    subscript(place: Int) -> Value? { values[place] }

    /// The argument; nil if it is `None` or not given.
    func optional(_ place: Int) -> Value? {
        guard let value = values[place], !value.isNone else { return nil }
        return value
    }

    func string(_ place: Int) throws -> String {
        guard case .string(let text)? = values[place] else { throw mismatch(values[place]) }
        return text
    }

    func optionalString(_ place: Int) throws -> String? {
        optional(place) == nil ? nil : try string(place)
    }

    func integer(_ place: Int, default fallback: Int? = nil) throws -> Int {
        guard let value = values[place] else {
            guard let fallback else { throw mismatch(nil) }
            return fallback
        }
        guard let number = value.integer else { throw mismatch(value) }
        return number
    }

    func optionalInteger(_ place: Int) throws -> Int? {
        optional(place) == nil ? nil : try integer(place)
    }

    func mismatch(_ value: Value?) -> Reason {
        if case .undefined(let undefined)? = value { return .undefined(undefined.hint) }
        return .wrongType(operation: callee, found: value?.typeName ?? "nothing")
    }
}
