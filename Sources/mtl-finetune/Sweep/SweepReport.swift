import CommandSupport
import Evaluation
import Reports
import Storage

/// A sweep as a page that can be looked at, with links to the pages of its members.
enum SweepReport {
    /// Where the page is.
    static func path(in folder: String) -> String { FilePath.join(folder, RunPage.fileName) }

    /// Writes the page into the sweep's folder.
    ///
    /// - Parameters:
    ///   - table: What the finished members scored.
    ///   - runner: The sweep.
    ///   - finished: The jobs that are finished.
    /// - Throws: An error of a member's files, or `FileError`.
    static func write(
        _ table: SweepTable, _ runner: SweepRunner, _ finished: [SweepRunner.Job]
    ) throws {
        let plan = runner.plan
        let members = try plan.members.map { member in
            SweepPage.Member(
                name: member.name, settings: member.settings, heldOut: member.heldOut,
                runs: try finished.filter { $0.member.name == member.name }.map {
                    try run(of: $0, in: runner.folder)
                })
        }
        let rows = table.rows.map { row in
            let x = row.comparison
            return SweepPage.Row(
                task: row.task, metric: row.metric, member: row.member, runs: x.runs, mean: x.mean,
                difference: row.isCompared
                    ? .init(
                        value: x.difference, itemError: x.itemError, seedError: x.seedError)
                    : nil)
        }
        let count = runner.jobs.count
        let state = finished.count < count ? "\(finished.count) of \(count) runs finished" : nil
        let seeds = plan.seeds.map { "\($0)" }.joined(separator: ", ")
        let page = SweepPage(
            title: plan.title,
            subtitle: [
                plan.sentence.hasSuffix(".") ? String(plan.sentence.dropLast()) : plan.sentence,
                plan.model, "seeds \(seeds)", state,
            ].compactMap(\.self).filter { !$0.isEmpty }.joined(separator: " · "),
            reference: plan.reference, members: members, rows: rows,
            legend: SweepTable.legend(reference: plan.reference),
            command: CommandLineProgram.typedWords("mtl-finetune"))
        let path = path(in: runner.folder)
        if try !ReportFile.replace(page.html, at: path) {
            Terminal.printNote("warning: \(path) is somebody else's; no report was written")
        }
    }

    private static func run(of job: SweepRunner.Job, in folder: String) throws -> SweepPage.Run {
        var pages: [(name: String, path: String)] = []
        func add(_ name: String, _ path: String) {
            guard FilePath.isFile(path) else { return }
            pages.append((name, String(path.dropFirst(folder.count + 1))))
        }
        if job.member.isTrained { add("run", path(in: job.training)) }
        // Results lie in a folder named after the model.
        for name in try FolderTree.names(in: job.results).sorted() {
            add("scores", path(in: FilePath.join(job.results, name)))
        }
        return SweepPage.Run(seed: job.seed, pages: pages, losses: try job.heldOutLosses())
    }
}
