import Storage

extension ScoreJournal {
    /// What the user should know about what was found.
    var warnings: [String] {
        var warnings: [String] = []
        if damagedLines > 0 {
            warnings.append(
                "\(quotedPath(path)): passed over \(damagedLines) damaged "
                    + "line\(damagedLines == 1 ? "" : "s"); what they scored is scored again")
        }
        if unusedScores > 0 {
            warnings.append(
                "\(quotedPath(path)): holds \(unusedScores) score\(unusedScores == 1 ? "" : "s") of this "
                    + "very run, which are computed again; --resume takes them")
        }
        return warnings
    }

    /// A warning where scores are taken that another engine computed; `nil` if none are.
    func warning(aboutEnginesOf keys: [String], task: String) -> String? {
        let others = keys.compactMap { otherEngine(of: $0) }
        guard let first = others.first else { return nil }
        return "task \(quoted(task)): \(others.count) of \(keys.count) scores were computed by "
            + "\(quoted(first)), this is \(quoted(engine)); the last digits may differ, without "
            + "--resume all are computed again"
    }
}
