import CommandSupport
import FineTuning

/// A dry run's report, for a person.
enum DryRunText {
    static func render(_ report: DryRunReport) -> String {
        let samples = report.samples.map { sample in
            """
            \(sample.origin): \(sample.maskedTokens) masked tokens, \(sample.scoredTokens) scored
            \(marked(sample.masked, with: "  . "))
            \(marked(sample.scored, with: "  > "))
            """
        }
        let width = report.rows.map(\.name.count).max() ?? 0
        let rows = report.rows.map { row in
            row.name + String(repeating: " ", count: width + 2 - row.name.count)
                + "\(row.shape)  \(row.count)"
        }
        let share = 100 * Double(report.trainedValues) / Double(max(report.modelValues, 1))
        return
            (["Records as the model sees them (. masked, > scored):", ""] + samples
            + ["", "Trainable tensors:", ""] + rows
            + [
                "",
                "\(report.trainedValues) trainable values, "
                    + "\(Decimal.text(share, places: 2)) % of the model's \(report.modelValues)",
                "\(report.totalSteps) steps, \(report.totalTokens) tokens, "
                    + "about \(ProgressLine.text(report.duration)) "
                    + "at \(Int(report.tokensPerSecond)) tokens/s",
                "memory: about \(report.memory.total >> 20) MiB "
                    + "(weights \(report.memory.weights >> 20), "
                    + "optimiser \(report.memory.optimizer >> 20), "
                    + "activations \((report.memory.activations + report.memory.kept) >> 20), "
                    + "logits \(report.memory.head >> 20))",
            ]).joined(separator: "\n")
    }

    private static func marked(_ text: String, with mark: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { mark + $0 }.joined(separator: "\n")
    }
}
