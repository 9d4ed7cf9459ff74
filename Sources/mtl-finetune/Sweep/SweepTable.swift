import CommandSupport
import Evaluation
import Python
import Storage

/// What a sweep found: each member's means, and its differences from the reference, item by item.
struct SweepTable {
    /// One row.
    struct Row: Equatable {
        let task: String
        let metric: String
        let member: String
        let comparison: GroupComparison
        let isReference: Bool
    }

    let rows: [Row]
    private let plan: SweepPlan

    /// Reads the results of all members.
    ///
    /// - Throws: An error of a file of results.
    init(_ runner: SweepRunner) throws {
        plan = runner.plan
        var runs: [String: [RunScores]] = [:]
        for job in runner.jobs {
            var scores = try RunScores(folder: job.results)
            if let loss = try Self.heldOutLoss(job) {
                scores.add(task: "held-out loss", metric: "eval_loss", [loss])
            }
            runs[job.member.name, default: []].append(scores)
        }
        let reference = runs[runner.plan.reference] ?? []
        var rows: [Row] = []
        let subjects = (reference.first?.subjects ?? [])
        for subject in subjects {
            for member in runner.plan.members {
                guard
                    let comparison = try GroupComparison(
                        subject, reference, runs[member.name] ?? [])
                else { continue }
                rows.append(
                    Row(
                        task: subject.task, metric: subject.metric, member: member.name,
                        comparison: comparison,
                        isReference: member.name == runner.plan.reference))
            }
        }
        self.rows = rows
    }

    /// The loss of the last validation of a training.
    private static func heldOutLoss(_ job: SweepRunner.Job) throws -> Double? {
        guard job.member.isTrained else { return nil }
        return try JSONRecords(path: job.training + "/metrics.jsonl").all()
            .compactMap { $0.object["eval_loss"]?.numberValue }.last
    }

    /// A Markdown table.
    var text: String {
        let header = [
            "Task", "Metric", "Member", "Runs", "Mean", "Difference", "Error of items",
            "Error of seeds",
        ]
        let cells = rows.map { row in
            let x = row.comparison
            return [
                row.task, row.metric, row.member, "\(x.runs)", number(x.mean),
                row.isReference ? "" : (x.difference < 0 ? "" : "+") + number(x.difference),
                row.isReference ? "" : x.itemError.map { number($0) } ?? "",
                row.isReference ? "" : x.seedError.map { number($0) } ?? "",
            ]
        }
        return PaddedTable.markdown(header: header, cells, leftColumns: 3)
    }

    /// The same with what it means.
    var markdown: String {
        """
        # \(plan.sentence)

        Model: \(plan.model). Seeds: \(plan.seeds.map { "\($0)" }.joined(separator: ", ")).

        \(text)

        \(Self.legend(reference: plan.reference))

        """
    }

    static func legend(reference: String) -> String {
        "Difference: the member's mean less that of '\(reference)'. Error of items: the standard error of that "
            + "difference over the items of the task, each item's values averaged over the seeds and taken in "
            + "pairs. Error of seeds: its standard error over the seeds, taken in pairs where both have the same; "
            + "nothing where there are fewer than two. A difference of less than twice its larger error tells "
            + "nothing."
    }

    /// The same for programs.
    var json: JSONObject {
        [
            "sweep": .string(plan.sentence), "model": .string(plan.model),
            "seeds": .array(plan.seeds.map { .integer($0) }), "reference": .string(plan.reference),
            "rows": .array(
                rows.map { row in
                    let x = row.comparison
                    return [
                        "task": .string(row.task), "metric": .string(row.metric),
                        "member": .string(row.member), "runs": .integer(x.runs),
                        "items": .integer(x.items), "mean": .number(x.mean),
                        "difference": .number(x.difference),
                        "item_error": x.itemError.map { .number($0) } ?? .null,
                        "seed_error": x.seedError.map { .number($0) } ?? .null,
                    ]
                }),
        ]
    }

    private func number(_ value: Double) -> String { PythonFloat.fixed(value, places: 4) }
}
