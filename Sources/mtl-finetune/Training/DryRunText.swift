import CommandSupport
import FineTuning
import Python
import Storage

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
        let cells = report.kinds.map { kind in
            [
                kind.name, "\(kind.count) tensors",
                kind.shapes.map { "\($0)" }.joined(separator: " "), "\(kind.values) values",
            ]
        }
        let widths = (0..<4).map { column in cells.map { $0[column].count }.max() ?? 0 }
        let rows = cells.map { row in
            let padded = zip(row, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }
            return padded[..<3].joined(separator: "  ") + "  " + row[3]
        }
        let share = 100 * Double(report.trainedValues) / Double(max(report.modelValues, 1))
        return
            (["Records as the model sees them (. masked, > scored):", ""] + samples
            + ["", "Trainable tensors:", ""] + rows
            + [
                "",
                "\(report.trainedValues) trainable values, "
                    + "\(PythonFloat.fixed(share, places: 2)) % of the model's \(report.modelValues)",
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

    /// The same as one object, for programs.
    static func json(_ report: DryRunReport) -> JSONObject {
        let samples = report.samples.map { sample -> JSONValue in
            [
                "origin": .string("\(sample.origin)"), "masked": .string(sample.masked),
                "scored": .string(sample.scored), "masked_tokens": .integer(sample.maskedTokens),
                "scored_tokens": .integer(sample.scoredTokens),
            ]
        }
        let tensors = report.kinds.map { kind -> JSONValue in
            [
                "name": .string(kind.name), "count": .integer(kind.count),
                "shapes": .array(kind.shapes.map { .array($0.map { .integer($0) }) }),
                "values": .integer(kind.values),
            ]
        }
        let warnings = report.warnings.map { warning -> JSONValue in
            ["code": .string(warning.code), "message": .string(warning.description)]
        }
        let memory = report.memory
        return [
            "event": "dry_run", "warnings": .array(warnings), "samples": .array(samples),
            "tensors": .array(tensors),
            "trainable_values": .integer(report.trainedValues),
            "model_values": .integer(report.modelValues),
            "total_steps": .integer(report.totalSteps),
            "total_tokens": .integer(report.totalTokens),
            "tokens_per_second": .number(report.tokensPerSecond),
            "seconds": .number(report.duration / .seconds(1)),
            "memory_bytes": [
                "total": .integer(memory.total), "weights": .integer(memory.weights),
                "optimizer": .integer(memory.optimizer),
                "activations": .integer(memory.activations + memory.kept),
                "logits": .integer(memory.head),
            ],
        ]
    }

    private static func marked(_ text: String, with mark: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { mark + $0 }.joined(separator: "\n")
    }
}
