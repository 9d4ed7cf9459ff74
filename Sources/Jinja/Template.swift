/// A template in the subset of Jinja that evaluation tasks and chat templates use.
///
/// The source is read once and can then be rendered any number of times, from any thread. What Jinja
/// knows and this implementation does not is refused when the template is compiled, with its name and
/// line; no construct is skipped, and none is rendered differently from Jinja 3.1.
///
///     let template = try Template("{{ question.strip() }} {{ choices[0] }}", name: "arc.yaml")
///     let text = try template.render(["question": "Why? ", "choices": ["a", "b"]])
///
/// One difference is left: filters such as `map`, whose results Jinja makes as they are asked for,
/// are run to the end at once here, so an error in an item that is never asked for is still an error.
///
/// Ours, because nothing else renders what Jinja renders, byte for byte and within limits.
public struct Template: Sendable {
    /// The name, used in messages.
    public let name: String
    /// How the template is read and run.
    public let options: TemplateOptions
    /// The expression, if the template is `{{ expression }}` and nothing else.
    ///
    /// Evaluating it gives a list as a list, where rendering would give Python's notation of it.
    public let soleExpression: Expression?
    private let body: [StatementNode]
    private let names: [String]

    /// Compiles a template.
    ///
    /// - Parameters:
    ///   - source: The template's text.
    ///   - name: The name, used in messages.
    ///   - options: How the template is read and run.
    /// - Throws: ``TemplateError`` where the source is no template, or uses what is not supported.
    public init(
        _ source: String, name: String = "template", options: TemplateOptions = .harness
    ) throws {
        var lexer = Lexer(source, template: name, options: options)
        var parser = Parser(try lexer.tokenize(), template: name, options: options)
        body = try parser.parseBody()
        names = parser.names
        self.name = name
        self.options = options
        if body.count == 1, case .print(let node, let line) = body[0] {
            soleExpression = Expression(
                node: node, line: line, names: names, name: name, options: options)
        } else {
            soleExpression = nil
        }
    }

    /// Renders the template.
    ///
    /// - Parameter context: The values of the template's names.
    /// - Returns: The text.
    /// - Throws: ``TemplateError``.
    public func render(_ context: ValueDictionary = ValueDictionary()) throws -> String {
        try run(context, tracksGeneration: false).output
    }

    /// Renders the template, and tells which parts `{% generation %}` blocks wrote.
    ///
    /// - Parameter context: The values of the template's names.
    /// - Returns: The text, and the parts as ranges of its UTF-8 bytes, in order.
    /// - Throws: ``TemplateError``, also for such a block in a macro or in captured text.
    public func renderMarking(
        _ context: ValueDictionary
    ) throws -> (text: String, generated: [Range<Int>]) {
        let interpreter = try run(context, tracksGeneration: true)
        return (interpreter.output, interpreter.generated)
    }

    private func run(_ context: ValueDictionary, tracksGeneration: Bool) throws -> Interpreter {
        let interpreter = Interpreter(names: names, context: context, options: options)
        interpreter.tracksGeneration = tracksGeneration
        return try interpreter.locatingErrors(in: name) {
            _ = try interpreter.run(body, in: Scope(in: nil))
            return interpreter
        }
    }
}

/// One expression, as between `{{` and `}}`, to be evaluated to a value instead of text.
public struct Expression: Sendable {
    /// The name, used in messages.
    public let name: String
    private let node: ExpressionNode
    private let line: Int
    private let names: [String]
    private let options: TemplateOptions

    /// Compiles an expression.
    ///
    /// - Parameters:
    ///   - source: The text of the expression, without braces.
    ///   - name: The name, used in messages.
    ///   - options: How the expression is read and evaluated.
    /// - Throws: ``TemplateError`` where the source is no expression, or uses what is not supported.
    public init(
        _ source: String, name: String = "expression", options: TemplateOptions = .harness
    ) throws {
        var lexer = Lexer(source, template: name, options: options)
        var parser = Parser(try lexer.tokenizeExpression(), template: name, options: options)
        let node = try parser.parseExpression()
        try parser.expect(.end)
        self.init(node: node, line: 1, names: parser.names, name: name, options: options)
    }

    init(
        node: ExpressionNode, line: Int, names: [String], name: String, options: TemplateOptions
    ) {
        self.node = node
        self.line = line
        self.names = names
        self.name = name
        self.options = options
    }

    /// Evaluates the expression.
    ///
    /// A generator, as filters such as `map` make it, comes out as a list. An undefined result is an
    /// error where the environment is strict, and ``Value/undefined(_:)`` elsewhere.
    ///
    /// - Parameter context: The values of the expression's names.
    /// - Returns: The value.
    /// - Throws: ``TemplateError``.
    public func evaluate(_ context: ValueDictionary = ValueDictionary()) throws -> Value {
        let interpreter = Interpreter(names: names, context: context, options: options)
        interpreter.line = line
        return try interpreter.locatingErrors(in: name) {
            let value = try interpreter.evaluate(node, in: Scope(in: nil))
            try interpreter.requireDefined(value)
            guard case .object(let object) = value else { return value }
            switch object.kind {
            case .generator, .view, .range: return .list(try interpreter.items(of: value, for: ""))
            case .markup(let text): return .string(text)
            default: throw Reason.wrongType(operation: "evaluation", found: value.typeName)
            }
        }
    }
}

extension Interpreter {
    /// Runs `body`; reasons that it throws become errors with the template's name and the line.
    fileprivate func locatingErrors<T>(in template: String, _ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let reason as Reason {
            throw TemplateError(template: template, line: line, reason: reason)
        }
    }
}

/// How a template is read and run: the settings of a Jinja environment, spelt out.
public struct TemplateOptions: Sendable {
    /// What happens when an undefined value is used.
    public enum UndefinedBehavior: Sendable {
        /// Printing, comparing or iterating it is an error, as with `StrictUndefined`.
        case strict
        /// It prints as nothing, is false and has no items, as with `Undefined`.
        case lenient
    }

    /// What the filter `tojson` writes.
    public enum JSONStyle: Sendable {
        /// Jinja's own: sorted keys, ASCII, and `< > & '` escaped.
        case htmlSafe
        /// Hugging Face's: as the data stands, with the options of Python's `json.dumps`.
        case plain
    }

    /// What happens when an undefined value is used.
    public var undefined: UndefinedBehavior
    /// Whether the newline after a block or comment is dropped.
    public var trimBlocks: Bool
    /// Whether blanks before a block or comment at the start of a line are dropped.
    public var lstripBlocks: Bool
    /// Whether one newline at the end of the source is kept.
    public var keepTrailingNewline: Bool
    /// Whether `break` and `continue` are known.
    public var hasLoopControls: Bool
    /// Whether `{% generation %}`, which marks what the assistant wrote, is known; it prints its body.
    public var hasGenerationBlocks: Bool
    /// Whether the functions `raise_exception` and `strftime_now` are known.
    public var hasChatFunctions: Bool
    /// Whether the filter `regex_replace` is known.
    public var hasRegexReplace: Bool
    /// What the filter `tojson` writes.
    public var json: JSONStyle
    /// The greatest length of a range; nil leaves it to the limit of steps.
    public var maximumRange: Int?
    /// The time `strftime_now` formats; without it a call is an error.
    public var localTime: LocalTime?
    /// Bounds on what one rendering may use.
    public var limits = TemplateLimits()

    /// The environment of lm-evaluation-harness: strict, and nothing is trimmed.
    public static let harness = TemplateOptions(
        undefined: .strict, trimBlocks: false, lstripBlocks: false, keepTrailingNewline: true,
        hasLoopControls: false, hasGenerationBlocks: false, hasChatFunctions: false,
        hasRegexReplace: true, json: .htmlSafe)

    /// The environment of Hugging Face chat templates: sandboxed, lenient and trimmed.
    public static let chat = TemplateOptions(
        undefined: .lenient, trimBlocks: true, lstripBlocks: true, keepTrailingNewline: false,
        hasLoopControls: true, hasGenerationBlocks: true, hasChatFunctions: true,
        hasRegexReplace: false, json: .plain, maximumRange: 100_000)
}

/// Bounds on what one rendering may use; a template from outside cannot exceed them.
public struct TemplateLimits: Sendable {
    /// Statements, expressions and items handled, each weighed by the time it takes: a character of a
    /// made string counts 1, a statement 2, a pass of a loop 4, a call 8.
    public var steps = 15_000_000
    /// UTF-8 bytes of the output, and of any one string on the way.
    public var outputBytes = 16 << 20
    /// Nesting at run time: of expressions, blocks and macro calls together.
    public var depth = 400
    /// Nesting of one list, tuple or dictionary in another.
    public var valueDepth = 64

    /// Creates the default bounds.
    public init() {}
}

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
