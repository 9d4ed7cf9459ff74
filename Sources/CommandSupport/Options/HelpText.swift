/// Parts of commands' help.
public enum HelpText {
    /// What stands before the examples.
    package static let examplesTitle = "EXAMPLES:"

    /// Command lines to begin with, at the end of a command's discussion.
    ///
    /// - Parameter lines: Each as it is typed, of fewer than 78 columns.
    /// - Returns: The text.
    public static func examples(_ lines: String...) -> String {
        "\n\n" + ([examplesTitle] + lines.map { "  " + $0 }).joined(separator: "\n")
    }
}
