import Testing

@testable import Jinja

@Suite("Templates against Jinja")
struct GoldenTests {
    @Test("every template renders what Jinja renders, and fails where Jinja fails")
    func everyTemplateRendersWhatJinjaRenders() throws {
        let file = try GoldenFile.read()
        #expect(file.cases.count > 2000)
        for golden in file.cases {
            guard case .dictionary(let context) = file.contexts[golden.context].value else {
                Issue.record("context \(golden.context) is no dictionary")
                continue
            }
            let result = Result {
                try Template(golden.template, options: golden.options).render(context)
            }
            let found = try? result.get()
            let isSame =
                switch (found, golden.text) {
                case (nil, nil): true
                case (let text?, let expected?): text.hasSameScalars(as: expected)
                default: false
                }
            #expect(
                isSame,
                """
                \(golden.environment): \(golden.template.debugDescription)
                found    \(found.map(\.debugDescription) ?? "\(result)")
                expected \(golden.text.map(\.debugDescription) ?? "an error")
                """)
        }
    }
}
