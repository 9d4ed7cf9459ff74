import Chat
import Testing

@testable import ChatTerminal

@Suite("Parameters of answers")
struct ChatParameterTests {
    @Test(
        "all spellings change the same value",
        arguments: [
            ("temperature", "0.5", "0.5"), ("temp", "0.5", "0.5"), ("TOP-P", "0.25", "0.25"),
            ("top_k", "7", "7"), ("min_p", "0.1", "0.1"), ("repeat_penalty", "1.5", "1.5"),
            ("repeat-last-n", "9", "9"), ("seed", "18446744073709551615", "18446744073709551615"),
            ("num_predict", "3", "3"), ("max-tokens", "3", "3"),
            ("stop", #"END "two words" "\n""#, #""END" "two words" "\n""#), ("stop", "\"\"", ""),
        ])
    func change(_ name: String, _ value: String, shown: String) throws {
        var settings = ChatSettings()
        let parameter = try #require(ChatParameter.named(name))
        #expect(parameter.change(&settings, value))
        #expect(parameter.text(settings) == shown)
        #expect(settings != ChatSettings() || shown.isEmpty)
    }

    @Test(
        "what is no number changes nothing",
        arguments: [("seed", "-1"), ("top_k", "1.5"), ("temperature", "hot"), ("num_predict", "")])
    func noNumber(_ name: String, _ value: String) throws {
        var settings = ChatSettings()
        let parameter = try #require(ChatParameter.named(name))
        #expect(!parameter.change(&settings, value))
        #expect(settings == ChatSettings())
    }

    @Test("there is no parameter of another name")
    func unknown() { #expect(ChatParameter.named("num_ctx") == nil) }
}
