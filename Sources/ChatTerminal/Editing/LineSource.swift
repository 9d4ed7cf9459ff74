/// How the wait for a line ended.
enum LineOutcome: Equatable {
    /// A line, without its end.
    case line(String)
    /// Ctrl-C: the line is given up.
    case interrupted
    /// Nothing more will come.
    case end
}

/// Where the lines of a conversation come from.
protocol LineSource: AnyObject {
    /// Waits for a line.
    ///
    /// - Parameter prompt: What invites to type.
    /// - Returns: How the wait ended.
    func read(prompt: String) -> LineOutcome

    /// A line with long texts in place of the short names under which they were shown.
    func expanded(_ line: String) -> String

    /// Lets the arrow keys find a text again.
    func remember(_ text: String)
}
