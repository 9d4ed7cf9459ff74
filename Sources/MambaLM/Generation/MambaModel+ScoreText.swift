extension MambaModel {
    /// Scores every token of a text after the first, given those before it, without a prompt.
    ///
    /// A long text is read in pieces where the flow has a single state; that changes no result and bounds
    /// the memory.
    ///
    /// - Parameter text: The tokens.
    /// - Returns: One log-probability each, one less than there are tokens.
    public func score(text: [Int32]) -> [Double] {
        let length = flow.hasSingleState ? Self.pieceLength : text.count
        var scores: [Double] = []
        var state: SequenceState?
        var start = 0
        while start + 1 < text.count {
            let end = min(start + length, text.count)
            let scored = (start..<min(end, text.count - 1)).map {
                ScoredToken(row: $0 - start, target: text[$0 + 1])
            }
            let piece = TokenForest.Sequence(
                tokens: Array(text[start..<end]), origin: state.map { .state($0) } ?? .start,
                keepsState: flow.hasSingleState)
            let reading = read(TokenForest([piece]), scoring: scored)
            scores += reading.scores.logProbabilities
            state = reading.states[0]
            start = end
        }
        return scores
    }
}
