import Python

/// A function that the host hands to a template.
public struct Function: Sendable {
    /// The name, used in messages.
    public let name: String
    let body: @Sendable (Arguments) throws -> Value

    /// Creates a function.
    ///
    /// - Parameters:
    ///   - name: The name, used in messages.
    ///   - body: What a call does; throw ``TemplateError/Reason`` to stop the template.
    public init(name: String, body: @escaping @Sendable (Arguments) throws -> Value) {
        self.name = name
        self.body = body
    }
}

/// The arguments of a call.
public struct Arguments: Sendable {
    /// The arguments given by place.
    public var positional: [Value]
    /// The arguments given by name, in order.
    public var named: [(name: String, value: Value)]

    static let none = Arguments(positional: [], named: [])

    /// Lays the arguments out by parameter, checking them as Python would.
    ///
    /// - Parameters:
    ///   - callee: The function's name, used in messages.
    ///   - parameters: The parameters' names in order.
    ///   - required: How many of the first parameters have no default.
    /// - Returns: One value per parameter; nil where the default applies.
    /// - Throws: ``TemplateError/Reason/wrongArguments(callee:problem:)``.
    public func bind(
        _ callee: String, _ parameters: [String], required: Int = 0
    ) throws -> [Value?] {
        func fail(_ problem: String) -> Reason { .wrongArguments(callee: callee, problem: problem) }
        guard positional.count <= parameters.count else {
            throw fail("\(positional.count) arguments by place, at most \(parameters.count)")
        }
        var bound: [Value?] = positional
        bound += Array(repeating: nil, count: parameters.count - positional.count)
        for (name, value) in named {
            guard let place = parameters.firstIndex(where: { $0.hasSameScalars(as: name) }) else {
                throw fail("there is no parameter '\(name)'")
            }
            guard bound[place] == nil else { throw fail("'\(name)' is given twice") }
            bound[place] = value
        }
        if let place = bound.prefix(required).firstIndex(where: { $0 == nil }) {
            throw fail("'\(parameters[place])' is missing")
        }
        return bound
    }
}
