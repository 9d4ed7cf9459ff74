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
