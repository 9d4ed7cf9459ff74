import Chat
import CommandSupport
import Prompting
import Tokenization

/// Switches a model's adapters for a session, each with its own template unless one was asked for.
final class AdapterSwitch: AdapterControl {
    private let shelf: AdapterShelf
    private let tokenizer: TokenizerConfiguration
    private let usesRecordedTemplates: Bool

    init(_ shelf: AdapterShelf, tokenizer: TokenizerConfiguration, usesRecordedTemplates: Bool) {
        (self.shelf, self.tokenizer) = (shelf, tokenizer)
        self.usesRecordedTemplates = usesRecordedTemplates
    }

    var names: [String] { shelf.names }
    var active: String? { shelf.active }

    func turnOff() { shelf.turnOff() }

    func turnOn(_ name: String) throws -> PromptTemplate? {
        guard shelf.turnOn(name) else {
            throw ChatError.unknownAdapter(name: name, known: names)
        }
        return try template()
    }

    func load(_ folder: String) throws -> PromptTemplate? {
        try shelf.load(folder)
        return try template()
    }

    private func template() throws -> PromptTemplate? {
        guard usesRecordedTemplates, let record = shelf.activeRecord else { return nil }
        return try PromptTemplate(
            name: record.template, source: record.templateSource, tokenizer: tokenizer,
            time: .now)
    }
}
