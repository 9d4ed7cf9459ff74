import Storage

/// What can be wrong with a template, or with what it is to make a prompt of.
public enum PromptError: Error, Equatable {
    /// A template cannot make a prompt of records of this form.
    case unsuitableTemplate(place: String, template: String, form: String)
    /// A template is neither built in nor a file.
    case unknownTemplate(String)
    /// The tokenizer brings no chat template.
    case noChatTemplate
    /// A template failed on a record or a conversation.
    case template(place: String, reason: String)
    /// What a template writes for a conversation with its answer does not begin with what it wrote before.
    case rewritesPrompt(place: String, template: String)
    /// What a template writes for a conversation does not begin with what it wrote for its beginning.
    case notIncremental(template: String)
}

extension PromptError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .unsuitableTemplate(let place, let template, let form):
            "\(place): template '\(template)' is not made for records of the format "
                + "'\(form)'; use --template chat or a Jinja file"
        case .unknownTemplate(let name):
            "template \(quoted(name)) is unknown, expected one of "
                + PromptTemplate.builtInNames.joined(separator: ", ") + " or a Jinja file"
        case .noChatTemplate:
            "tokenizer has no chat template; choose another --template or add chat_template.jinja"
        case .template(let place, let reason):
            "\(place): template fails: \(reason)"
        case .rewritesPrompt(let place, let template):
            "\(place): template '\(template)' writes earlier turns anew where an answer follows, "
                + "expected one that only adds the answer; mark what is to be learnt with "
                + "{% generation %} in a Jinja file of your own"
        case .notIncremental(let template):
            "template '\(template)' writes earlier turns anew with each turn, expected one that only "
                + "adds to them; use --history recompute "
                + "(in a conversation, /set history recompute)"
        }
    }
}
