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
