import ArgumentParser
import CommandSupport
import Storage

/// Trains and scores the members of a sweep, one after the other, each as commands of their own.
///
/// Members are processes, so that one that fails takes nothing with it, memory is given back in between, and
/// what is in a member's folder is what the printed command makes when it is typed.
struct SweepRunner {
    let plan: SweepPlan
    let folder: String
    let isQuiet: Bool

    /// One training and scoring.
    struct Job {
        let member: SweepPlan.Member
        /// Nil for a member that is not trained.
        let seed: Int?
        let folder: String

        var training: String { folder + "/train" }
        var results: String { folder + "/eval" }
        var title: String { member.name + (seed.map { ", seed \($0)" } ?? "") }

        /// The losses of the training's validations, in order.
        func heldOutLosses() throws -> [(step: Int, loss: Double)] {
            guard member.isTrained else { return [] }
            return try JSONRecords(path: training + "/metrics.jsonl").all().compactMap { line in
                guard let step = line.object["step"]?.integerValue,
                    let loss = line.object["eval_loss"]?.numberValue
                else { return nil }
                return (step, loss)
            }
        }
    }

    var jobs: [Job] {
        plan.members.flatMap { member in
            member.isTrained
                ? plan.seeds.map { seed in
                    Job(
                        member: member, seed: seed,
                        folder: "\(folder)/\(member.name)/seed-\(seed)")
                }
                : [Job(member: member, seed: nil, folder: "\(folder)/\(member.name)")]
        }
    }

    /// Runs what is not finished.
    ///
    /// - Parameter report: Called with the jobs that are finished, whenever that is one more.
    /// - Throws: ``SweepError``, `FileError`, or `ExitCode` after a signal.
    func run(report: ([Job]) throws -> Void) throws {
        try FolderTree.create(folder)
        let lock = try FolderLock(folder)
        try withExtendedLifetime(lock) {
            let jobs = jobs
            for (place, job) in jobs.enumerated() {
                let isNew = try run(job, place: place + 1, of: jobs.count)
                if isNew || place + 1 == jobs.count { try report(Array(jobs[...place])) }
            }
        }
    }

    /// Runs one job, unless it is finished.
    ///
    /// - Returns: Whether it was not.
    private func run(_ job: Job, place: Int, of count: Int) throws -> Bool {
        let (training, scoring) = (trainingArguments(job), scoringArguments(job))
        let marker = job.folder + "/member.json"
        func mark(isDone: Bool) throws {
            let value: JSONValue = [
                "train": .array(training.map { .string($0) }),
                "evaluate": .array(scoring.map { .string($0) }), "done": .bool(isDone),
            ]
            try AtomicFile.write(JSONWriter(indent: 2).string(value) + "\n", to: marker)
        }
        if FilePath.exists(marker) {
            let found = try JSONValue.read(marker)
            guard found["train"]?.arrayValue == training.map({ .string($0) }),
                found["evaluate"]?.arrayValue == scoring.map({ .string($0) })
            else { throw SweepError.changed(folder: job.folder) }
            if found["done"] == true {
                note("\(place) of \(count): \(job.title) is finished already")
                return false
            }
        }
        note("\(place) of \(count): \(job.title)")
        try FolderTree.create(job.folder)
        try mark(isDone: false)
        if job.member.isTrained {
            try execute("mtl-finetune", training + start(of: job.training), job)
        }
        try execute("mtl-eval", scoring + ["--resume"], job)
        try mark(isDone: true)
        return true
    }

    /// How a training begins in a folder where an earlier one may have been cut off.
    private func start(of folder: String) throws -> [String] {
        let names = FilePath.isFolder(folder) ? try FolderTree.names(in: folder) : []
        if names.contains(where: { $0.hasPrefix("checkpoint-") }) { return ["--resume"] }
        return names.contains("run.json") ? ["--overwrite"] : []
    }

    private func trainingArguments(_ job: Job) -> [String] {
        guard let seed = job.seed else { return [] }
        return ["train"] + job.member.flags.filter { $0.name != "seed" }.flatMap(\.arguments)
            + ["--seed=\(seed)", "--output-dir=\(job.training)"]
    }

    private func scoringArguments(_ job: Job) -> [String] {
        let isFull = SweepPlan.values(of: "fine-tune-type", in: job.member.flags).last == "full"
        let own = SweepPlan.values(of: "model", in: job.member.flags).last ?? plan.model
        let subject =
            !job.member.isTrained
            ? ["--model=\(own)"] + job.member.flags.flatMap(\.arguments)
            : isFull
                ? ["--model=\(job.training)"]
                : ["--model=\(own)", "--adapter=\(job.training)"]
        return ["run"] + subject + plan.evaluation.flatMap(\.arguments)
            + ["--output-path=\(job.results)", "--log-samples"]
    }

    private func execute(_ program: String, _ arguments: [String], _ job: Job) throws {
        let quiet = isQuiet ? ["--quiet"] : []
        note("$ " + ShellText.line([program] + arguments))
        let status = ChildProgram.run(
            ChildProgram.path(of: program), arguments + quiet, appendingTo: job.folder + "/log.txt")
        if let code = Interruption.exitCode {
            Terminal.printNote("stopped; go on with the same command")
            throw ExitCode(code)
        }
        guard status == 0 else {
            throw SweepError.failed(command: "\(program) for \(job.title)", status: status)
        }
    }

    private func note(_ text: String) {
        if !isQuiet { Terminal.printNote(text) }
    }
}
