import Testing

@testable import ChatTerminal

@Suite("Completion")
struct CompletionTests {
    @Test(
        "as much is completed as all candidates share",
        arguments: [
            ("/he", "lp "), ("/s", nil), ("/sa", "ve "), ("/set", " "), ("/set p", "arameter "),
            ("/set parameter te", "mperature "), ("/set history c", "arry "),
            ("/show te", "mplate "), ("/adapter o", nil), ("/adapter of", "f "),
            ("/help reg", "en "), ("/b", nil), ("hello", nil), ("/nonsense x", nil),
            ("/set parameter seed 4", nil), ("/r", "egen "), ("/show model x", nil),
        ] as [(String, String?)])
    func suffixes(_ text: String, expected: String?) {
        #expect(Completion.suffix(for: text) == expected)
    }
}
