import Python
import Testing

@testable import Jinja

@Suite("Template")
struct TemplateTests {
    @Test("a sole expression gives a value without a detour through text")
    func soleExpressionGivesAValue() throws {
        let template = try Template("{{choices.text}}")
        let expression = try #require(template.soleExpression)
        let context: ValueDictionary = ["choices": ["text": ["it's", "a \"b\""]]]
        #expect(try expression.evaluate(context) == ["it's", "a \"b\""])
        #expect(try template.render(context) == #"["it's", 'a "b"']"#)
        #expect(try Template("{{ a }} ").soleExpression == nil)
        #expect(try Template("{% set a = 1 %}{{ a }}").soleExpression == nil)
    }

    @Test("an expression of its own evaluates to a value")
    func expressionEvaluates() throws {
        #expect(try Expression("xs | map('upper')").evaluate(["xs": ["a", "b"]]) == ["A", "B"])
        #expect(try Expression("range(3)").evaluate() == [0, 1, 2])
        #expect(try Expression("n // 2").evaluate(["n": 7]) == 3)
        #expect(try Expression("(1, 2.0)").evaluate() == .tuple([1, 2.0]))
        #expect(throws: TemplateError.self) { try Expression("missing").evaluate() }
        #expect(throws: TemplateError.self) { try Expression("1 2") }
        #expect(throws: TemplateError.self) { try Expression("1 }} text") }
    }

    @Test("host functions are called with the template's arguments")
    func hostFunctionsAreCalled() throws {
        let twice = Function(name: "twice") { arguments in
            let value = try arguments.bind("twice", ["text"], required: 1)[0]
            guard case .string(let text) = value else {
                throw TemplateError.Reason.wrongType(operation: "twice", found: "something else")
            }
            return .string(text + text)
        }
        let context: ValueDictionary = ["twice": .function(twice)]
        #expect(try Template("{{ twice('ab') }}{{ twice(text='c') }}").render(context) == "ababcc")
        #expect(throws: TemplateError.self) { try Template("{{ twice() }}").render(context) }
    }

    @Test("equality of values tells types and scalars apart")
    func equalityOfValues() {
        #expect(Value.string("\u{E9}") != .string("e\u{301}"))
        #expect(Value.int(1) != .float(1))
        #expect(Value.list([1]) != .tuple([1]))
        var dictionary: ValueDictionary = ["\u{E9}": 1]
        dictionary["e\u{301}"] = 2
        #expect(dictionary.count == 2)
    }

    @Test("a template renders many times, each time anew")
    func templateRendersManyTimes() throws {
        let template = try Template(
            "{% set ns = namespace(n=n) %}{% set ns.n = ns.n + 1 %}{{ ns.n }}")
        for n in 0..<100 { #expect(try template.render(["n": .int(n)]) == "\(n + 1)") }
    }

    @Test(
        "numbers are rounded exactly",
        arguments: [
            (0.5, 0, "0"), (1.5, 0, "2"), (2.675, 2, "2.67"),
            (1e22, 1, "10000000000000000000000.0"),
            (0.1, 20, "0.10000000000000000555"), (-0.004, 2, "-0.00"), (999.9996, 3, "1000.000"),
        ])
    func numbersAreRoundedExactly(_ value: Double, _ places: Int, _ expected: String) {
        #expect(PythonFloat.fixed(value, places: places) == expected)
    }

    @Test("the day of the week and of the year follow the calendar")
    func daysFollowTheCalendar() throws {
        let leap = LocalTime(year: 2024, month: 12, day: 31)
        #expect(try leap.formatted("%A %j") == "Tuesday 366")
        let plain = LocalTime(year: 1900, month: 3, day: 1, hour: 12)
        #expect(try plain.formatted("%a %j %I %p %-d") == "Thu 060 12 PM 1")
        #expect(throws: TemplateError.Reason.unsupported("strftime directive '%Q'")) {
            try plain.formatted("%Q")
        }
    }
}
