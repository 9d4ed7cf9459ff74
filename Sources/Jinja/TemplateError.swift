/// Why a template was refused or stopped, and where.
public struct TemplateError: Error, Equatable, Sendable {
    /// Name of the template, as given when it was compiled.
    public let template: String
    /// Line in the source, from 1.
    public let line: Int
    /// What went wrong.
    public let reason: Reason

    /// What can go wrong with a template.
    public enum Reason: Error, Equatable, Sendable {
        /// The text is no template: one thing was found where another was expected.
        case unexpected(found: String, expected: String)
        /// A construct of Jinja or Python that this implementation refuses.
        case unsupported(String)
        /// An undefined value was used; the text says which.
        case undefined(String)
        /// An operation was applied to a value of a type it is not made for.
        case wrongType(operation: String, found: String)
        /// Arguments that do not fit the callee's parameters.
        case wrongArguments(callee: String, problem: String)
        /// A value of the right type that the operation cannot take.
        case invalid(operation: String, problem: String)
        /// The template called `raise_exception`.
        case raised(String)
        /// A limit of ``TemplateLimits`` was reached.
        case limitExceeded(String, limit: Int)
    }
}

extension TemplateError: CustomStringConvertible {
    /// The template, the line and the reason, as one sentence.
    public var description: String { "\(template):\(line): \(reason)" }
}

extension TemplateError.Reason: CustomStringConvertible {
    /// The reason as one sentence.
    public var description: String {
        switch self {
        case .unexpected(let found, let expected): "found \(found), expected \(expected)"
        case .unsupported(let construct): "\(construct) is not supported"
        case .undefined(let hint): hint
        case .wrongType(let operation, let found): "\(operation) cannot be applied to \(found)"
        case .wrongArguments(let callee, let problem): "call of \(callee): \(problem)"
        case .invalid(let operation, let problem): "\(operation): \(problem)"
        case .raised(let message): "the template refused its input: \(message)"
        case .limitExceeded(let what, let limit): "more than \(limit) \(what)"
        }
    }
}

/// Shorthand inside the target, where most throws are reasons without a place.
typealias Reason = TemplateError.Reason
