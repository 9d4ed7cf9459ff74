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
        /// Whether the difference from the reference says something: not of the reference itself, nor of a
        /// loss on other records.
        let isCompared: Bool
    }

    let rows: [Row]
    private let plan: SweepPlan

    /// Reads the results of members.
    ///
    /// - Parameters:
    ///   - plan: What is compared.
    ///   - jobs: Those that are finished.
    /// - Throws: An error of a file of results.
    init(_ plan: SweepPlan, _ jobs: [SweepRunner.Job]) throws {
        self.plan = plan
        var runs: [String: [RunScores]] = [:]
        for job in jobs {
            var scores = try RunScores(folder: job.results)
            if let loss = try job.heldOutLosses().last?.loss {
                scores.add(task: "held-out loss", metric: Self.lossMetric, [loss])
            }
            runs[job.member.name, default: []].append(scores)
        }
        let reference = runs[plan.reference] ?? []
        let heldOut = plan.members.first { $0.name == plan.reference }?.heldOut
        var rows: [Row] = []
        let subjects = (reference.first?.subjects ?? [])
        for subject in subjects {
            for member in plan.members {
                guard
                    let comparison = try GroupComparison(
                        subject, reference, runs[member.name] ?? [])
                else { continue }
                let isOnSame = subject.metric != Self.lossMetric || member.heldOut == heldOut
                rows.append(
                    Row(
                        task: subject.task, metric: subject.metric, member: member.name,
                        comparison: comparison,
                        isCompared: member.name != plan.reference && isOnSame))
            }
        }
        self.rows = rows
    }

    private static let lossMetric = "eval_loss"

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
                row.isCompared ? (x.difference < 0 ? "" : "+") + number(x.difference) : "",
                row.isCompared ? x.itemError.map { number($0) } ?? "" : "",
                row.isCompared ? x.seedError.map { number($0) } ?? "" : "",
            ]
        }
        return PaddedTable.markdown(header: header, cells, leftColumns: 3)
    }

    /// The same with what it means.
    var markdown: String {
        """
        # \(plan.sentence.isEmpty ? plan.title : plan.sentence)

        Model: \(plan.model). Seeds: \(plan.seeds.map { "\($0)" }.joined(separator: ", ")).

        \(text)

        \(Self.legend(reference: plan.reference))

        """
    }

    static func legend(reference: String) -> String {
        "Difference: the member's mean less that of '\(reference)'. Error of items: the standard error of that "
            + "difference over the items of the task, each item's values averaged over the seeds and taken in "
            + "pairs. Error of seeds: its standard error over the seeds, taken in pairs where both have the same; "
            + "nothing where there are fewer than two. Held-out losses are compared where they are of the same records. A difference of less than twice its larger error tells "
            + "nothing."
    }

    /// The same for programs.
    var json: JSONObject {
        [
            "sweep": .string(plan.sentence.isEmpty ? plan.title : plan.sentence),
            "model": .string(plan.model),
            "seeds": .array(plan.seeds.map { .integer($0) }), "reference": .string(plan.reference),
            "rows": .array(
                rows.map { row in
                    let x = row.comparison
                    return [
                        "task": .string(row.task), "metric": .string(row.metric),
                        "member": .string(row.member), "runs": .integer(x.runs),
                        "items": .integer(x.items), "mean": .number(x.mean),
                        "difference": row.isCompared ? .number(x.difference) : .null,
                        "item_error": figure(row.isCompared ? x.itemError : nil),
                        "seed_error": figure(row.isCompared ? x.seedError : nil),
                    ]
                }),
        ]
    }

    private func figure(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }

    private func number(_ value: Double) -> String { PythonFloat.fixed(value, places: 4) }
}
