import Chat
import Testing

@Suite("Chat settings")
struct ChatSettingsTests {
    @Test("defaults are valid, and each invalid value is named")
    func validation() throws {
        try ChatSettings().validate()
        func refused(_ change: (inout ChatSettings) -> Void) -> String? {
            var settings = ChatSettings()
            change(&settings)
            do {
                try settings.validate()
                return nil
            } catch {
                return "\(error)"
            }
        }
        #expect(
            refused { $0.sampling.temperature = .nan } == "temperature is nan, expected at least 0")
        #expect(refused { $0.sampling.topK = -1 } == "top-k is -1, expected at least 0")
        #expect(
            refused { $0.sampling.topP = 0 } == "top-p is 0.0, expected above 0 and at most 1")
        #expect(refused { $0.sampling.minP = 1.5 } == "min-p is 1.5, expected 0 to 1")
        #expect(
            refused { $0.sampling.repetitionPenalty = 0 }
                == "repeat-penalty is 0.0, expected above 0")
        #expect(
            refused { $0.sampling.repetitionWindow = -2 }
                == "repeat-last-n is -2, expected at least 0, or -1 for all")
        #expect(refused { $0.maxTokens = 0 } == "max-tokens is 0, expected at least 1")
        #expect(
            refused { $0.stopStrings = [""] } == "stop is empty, expected at least one character")
    }
}
