/// Cuts a text into windows of which every token is predicted once.
///
/// Each window predicts as many tokens as a model reads at once; the last one has as much before them
/// as fits. No state is carried from window to window.
///
/// Source: lm-evaluation-harness 0.4.13, `get_rolling_token_windows` and `make_disjoint_window`.
enum RollingWindows {
    /// The windows of a text.
    ///
    /// - Parameters:
    ///   - tokens: The text; without tokens it has no windows.
    ///   - prefix: What stands before the text.
    ///   - length: The most tokens that are read at once, at least 1.
    /// - Returns: The windows in order.
    static func of(_ tokens: [Int32], prefix: Int32, length: Int) -> [ScoringRequest] {
        precondition(length >= 1)
        guard !tokens.isEmpty else { return [] }
        let first = min(length, tokens.count)
        var windows = [
            ScoringRequest(context: [prefix], continuation: Array(tokens.prefix(first)))
        ]
        var done = first
        while done < tokens.count {
            let count = min(tokens.count - done, length)
            let end = done + count
            // The input is the `length` tokens that end before the last predicted one.
            windows.append(
                ScoringRequest(
                    context: Array(tokens[end - 1 - length..<done]),
                    continuation: Array(tokens[done..<end])))
            done = end
        }
        return windows
    }
}
