import Testing

@testable import Jinja

@Suite("Templates that ask for too much")
struct LimitTests {
    private static let doubling = """
        {% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}
        """
    private static let nesting = """
        {% set ns = namespace(x=[]) %}{% for i in range(500) %}{% set ns.x = [ns.x] %}{% endfor %}
        """
    private static let sharing = """
        {% set ns = namespace(x=['ab']) %}\
        {% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}
        """

    static let greedy = [
        "{% for i in range(1000000000) %}x{% endfor %}",
        "{{ range(1000000000000) | list }}",
        "{{ 'ab' * 1000000000000 }}",
        "{{ [1] * 1000000000000 }}",
        "{{ [] * 9223372036854775807 + [1] * 9223372036854775807 }}",
        "{{ 'a'.center(1000000000000) }}",
        "{{ 'a' | indent(1000000000000) }}",
        "{{ {'a': 1} | tojson(indent=1000000000000) }}",
        "{{ '%999999999999d' % 1 }}",
        "{{ '{:999999999999}'.format(1) }}",
        "{{ ('a' * 100000).replace('', 'b' * 100000) }}",
        "{{ ('a' * 100000) | join('b' * 100000) }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(x) %}{% if true %}{% for i in [1] %}{{ [m(x)] }}{% endfor %}{% endif %}"
            + "{% endmacro %}{{ m(1) }}",
        "{{ ('a' * 30 ~ 'b') | regex_replace('(a|aa)+$', '') }}",
        "{{ 'a' | regex_replace('(((a{1000}){1000}){1000})', '') }}",
        doubling, nesting, sharing,
    ]

    /// Bodies of loops that took up to 5 s and 800 MB of memory before they were stopped.
    static let bodies = [
        ("", 4), ("{% set x = a %}", 6), ("{% set x = namespace(a=a) %}", 24),
        ("{% set x = {1: a} %}", 13),
        ("{% set x = '%s' % 1 %}", 17), ("{% set x = '{}'.format(1) %}", 24),
    ]

    @Test("a pass of a loop costs what it takes", arguments: Self.bodies)
    func passesOfLoops(body: String, least: Int) throws {
        let source = "{% for a in range(1000) %}" + body + "{% endfor %}"
        var options = TemplateOptions.chat
        options.limits.steps = least * 1000
        let template = try Template(source, options: options)
        let error = #expect(throws: TemplateError.self) { try template.render() }
        guard case .limitExceeded("steps", _) = error?.reason else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("work without end is stopped", arguments: Self.greedy)
    func workWithoutEndIsStopped(_ source: String) throws {
        var options = TemplateOptions.harness
        options.limits.steps = 1_000_000
        let template = try Template(source, options: options)
        let error = try #require(throws: TemplateError.self) { try template.render() }
        guard case .limitExceeded = error.reason else {
            Issue.record("\(error)")
            return
        }
    }

    /// An expression that nests as deep as it is told to.
    struct Nest: CustomTestStringConvertible, Sendable {
        var prefix = ""
        var core = "1"
        var suffix = ""
        var testDescription: String { prefix + core + suffix }

        var source: String {
            let levels = 20_000
            return "{{ " + String(repeating: prefix, count: levels) + core
                + String(repeating: suffix, count: levels) + " }}"
        }
    }

    static let nests = [
        Nest(prefix: "(", suffix: ")"), Nest(prefix: "[", suffix: "]"), Nest(prefix: "- "),
        Nest(prefix: "not "), Nest(suffix: " + 1"), Nest(core: "a", suffix: ".a"),
        Nest(suffix: " | e"), Nest(suffix: " if 1 else 1"), Nest(core: "a", suffix: "()"),
        Nest(suffix: " or 1"),
    ]

    @Test("deep nesting in the source is refused", arguments: Self.nests)
    func deepNestingInTheSourceIsRefused(_ nest: Nest) {
        #expect(
            throws: TemplateError(
                template: "template", line: 1,
                reason: .limitExceeded("levels of nesting", limit: Parser.maximumDepth))
        ) { try Template(nest.source) }
    }

    @Test("deep blocks are refused")
    func deepBlocksAreRefused() {
        #expect(throws: TemplateError.self) {
            try Template(String(repeating: "{% if 1 %}", count: 20_000))
        }
    }
}
