import Testing

@testable import Jinja

@Suite("What templates are refused for")
struct RefusalTests {
    /// A template and the construct that the error must name, always on line 3.
    struct Refusal: CustomTestStringConvertible, Sendable {
        let source: String
        let construct: String
        var options = TemplateOptions.harness
        var testDescription: String { source }
    }

    static let refusals = [
        Refusal(source: "{% include 'a' %}", construct: "the tag 'include' here"),
        Refusal(source: "{% import 'a' as b %}", construct: "the tag 'import' here"),
        Refusal(source: "{% from 'a' import b %}", construct: "the tag 'from' here"),
        Refusal(source: "{% extends 'a' %}", construct: "the tag 'extends' here"),
        Refusal(source: "{% block a %}{% endblock %}", construct: "the tag 'block' here"),
        Refusal(source: "{% call m() %}{% endcall %}", construct: "the tag 'call' here"),
        Refusal(source: "{% do x %}", construct: "the tag 'do' here"),
        Refusal(source: "{% autoescape true %}", construct: "the tag 'autoescape' here"),
        Refusal(source: "{% trans %}", construct: "the tag 'trans' here"),
        Refusal(source: "{% break %}", construct: "the tag 'break' here"),
        Refusal(
            source: "{% generation %}{% endgeneration %}", construct: "the tag 'generation' here"),
        Refusal(source: "{% for x in y recursive %}{% endfor %}", construct: "a recursive loop"),
        Refusal(source: "{{ 1 | urlize }}", construct: "the filter 'urlize'"),
        Refusal(source: "{{ 1 if true else 2 | pprint }}", construct: "the filter 'pprint'"),
        Refusal(source: "{{ 1 is sameas 1 }}", construct: "the test 'sameas'"),
        Refusal(source: "{{ [1] | map('nosuch') | list }}", construct: "the filter 'nosuch'"),
        Refusal(source: "{{ cycler(1) }}", construct: "the built-in name 'cycler'"),
        Refusal(source: "{{ self }}", construct: "the built-in name 'self'"),
        Refusal(source: "{{ [].append(1) }}", construct: "the method 'append' of a list"),
        Refusal(source: "{{ {}.update({}) }}", construct: "the method 'update' of a dictionary"),
        Refusal(source: "{{ 'a'.encode() }}", construct: "the method 'encode' of a string"),
        Refusal(source: "{{ ''.__class__ }}", construct: "the attribute '__class__'"),
        Refusal(source: "{{ ''['__class__'] }}", construct: "the attribute '__class__'"),
        Refusal(source: "{{ 'a'.upper }}", construct: "printing the method 'upper'"),
        Refusal(source: "{{ [1] | map('abs') }}", construct: "printing a generator"),
        Refusal(source: "{{ namespace() }}", construct: "printing a namespace"),
        Refusal(source: "{{ '\\N{DASH}' }}", construct: "the escape '\\N'"),
        Refusal(
            source: "{{ ('a'|safe).upper() }}",
            construct: "the attribute 'upper' of text marked as safe"),
        Refusal(source: "{{ '%e' % 1 }}", construct: "the format '%e'"),
        Refusal(source: "{{ '{:g}'.format(1.5) }}", construct: "the format 'g' for this value"),
        Refusal(source: "{{ 2 ** -1 }}", construct: "'**' with a negative exponent"),
        Refusal(
            source: "{{ 9223372036854775807 + 1 }}",
            construct: "an integer outside of 64 bits, the result of '+',"),
        Refusal(
            source: "{{ 'a' | regex_replace('(?a)b', '') }}",
            construct: "'(?a)' in a regular expression"),
        Refusal(
            source: "{{ 'a' | regex_replace('a', 'b') }}", construct: "the filter 'regex_replace'",
            options: .chat),
        Refusal(
            source: "{{ strftime_now('%Y') }}",
            construct: "'strftime_now' without a time given by the caller", options: .chat),
    ]

    @Test("a construct that is not supported is named with its line", arguments: Self.refusals)
    func unsupportedConstructIsNamedWithItsLine(_ refusal: Refusal) {
        let expected = TemplateError(
            template: "t.yaml", line: 3, reason: .unsupported(refusal.construct))
        #expect(throws: expected) {
            try Template("a\nb\n" + refusal.source, name: "t.yaml", options: refusal.options)
                .render()
        }
    }

    @Test("errors are one sentence with the template, the line and the reason")
    func errorsAreOneSentence() {
        func message(_ source: String) -> String {
            do {
                return try Template(source, name: "t").render(["d": ["a": 1]])
            } catch {
                return "\(error)"
            }
        }
        #expect(message("\n{{ x.y }}") == "t:2: 'x' is undefined")
        #expect(message("{{ d.b }}") == "t:1: a dictionary has no attribute 'b'")
        #expect(message("{% if d") == "t:1: found the end of the template, expected '%}'")
        #expect(message("{{ 1 + 'a' }}") == "t:1: '+' cannot be applied to an integer and a string")
        #expect(message("{{ 1 / 0 }}") == "t:1: division: the divisor is 0")
        #expect(
            message("{{ [1]|first(2) }}") == "t:1: call of first: 1 arguments by place, at most 0")
    }

    @Test("raise_exception hands its message on")
    func raiseExceptionHandsItsMessageOn() throws {
        let template = try Template("\n{{ raise_exception('no turns') }}", options: .chat)
        #expect(
            throws: TemplateError(template: "template", line: 1, reason: .raised("no turns"))
        ) { try Template("{{ raise_exception('no turns') }}", options: .chat).render() }
        #expect(throws: TemplateError.self) { try template.render() }
    }
}
