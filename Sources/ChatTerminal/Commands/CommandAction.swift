import Chat

/// What a command asks for.
enum CommandAction: Equatable {
    /// Explains all commands, or one.
    case help(String?)
    /// Leaves.
    case leave
    /// Forgets the conversation.
    case clear
    /// Answers again.
    case regenerate
    /// Takes back the last exchange.
    case undo
    /// Shows a part of the session.
    case show(ShowTopic)
    /// Changes a setting.
    case change(SettingChange)
    /// Reads or writes a file.
    case file(FileAction)
    /// Does something with branches.
    case branch(BranchAction)
    /// Does something with adapters.
    case adapter(AdapterAction)
    /// Answers without and with the adapter.
    case compare(String?)
    /// Tells how likely a text is.
    case score(String)
    /// Shows the tokens of a text.
    case tokens(String)
    /// Shows what the session did so far.
    case statistics
    /// Draws the tree of a layer.
    case tree(layer: Int)
}

/// What `/show` can show.
enum ShowTopic: String, CaseIterable {
    /// Model, adapter, topology and all else in short.
    case info
    /// The model alone.
    case model
    /// The parameters of answers.
    case parameters
    /// What the model is told first.
    case system
    /// How a question is written to the model.
    case template
    /// The conversation.
    case history
}

/// What `/set` can change.
enum SettingChange: Equatable {
    /// A parameter of answers.
    case parameter(name: String, value: String)
    /// Nothing: the parameters are listed.
    case listParameters
    /// What the model is told first; `nil` for nothing.
    case system(String?)
    /// What becomes of earlier turns.
    case history(HistoryMode)
    /// Whether messages are kept for the arrow keys.
    case recording(Bool)
    /// Whether each answer is followed by its figures.
    case verbose(Bool)
    /// Whether lines are broken between words.
    case wordWrap(Bool)
}

/// What can be done with files.
enum FileAction: Equatable {
    /// Saves the session.
    case save(FileTarget)
    /// Loads a session.
    case load(String)
    /// Writes the conversation for others.
    case export(FileTarget)
}

/// A file to be written, as typed.
struct FileTarget: Equatable {
    /// Its name.
    var name: String
    /// Whether it may be replaced if it is somebody else's.
    var isOverwriting = false
}

/// What can be done with branches.
enum BranchAction: Equatable {
    /// Lists them.
    case list
    /// Begins one.
    case fork(String)
    /// Goes on in one.
    case change(to: String)
}

/// What can be done with adapters.
enum AdapterAction: Equatable {
    /// Lists them.
    case list
    /// Turns one on; `nil` for the one that acted last.
    case on(String?)
    /// Turns the one off that acts.
    case off
    /// Loads one.
    case load(String)
}
