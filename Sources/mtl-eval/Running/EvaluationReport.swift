import CommandSupport
import Evaluation

/// Shows how far a run of tasks is.
final class EvaluationReport {
    private let isQuiet: Bool
    private var line: ProgressLine

    init(isQuiet: Bool) {
        self.isQuiet = isQuiet
        line = ProgressLine("", isQuiet: isQuiet)
    }

    func show(_ event: EvaluationEvent) {
        switch event {
        case .warning(let text):
            line.clear()
            Terminal.printNote("warning: \(text)")
        case .started(let task, let documents, let requests, let resumed):
            line.clear()
            line = ProgressLine(task, isQuiet: isQuiet)
            guard !isQuiet else { return }
            let known = resumed > 0 ? ", \(resumed) known already" : ""
            Terminal.printNote("\(task): \(documents) documents, \(requests) requests\(known)")
        case .progress(_, let done, let total): line.update(done: done, total: total)
        case .aggregating, .finished: line.clear()
        }
    }

    func interrupted(canResume: Bool) {
        line.clear()
        Terminal.printNote(
            canResume
                ? "stopped; go on with the same command and --resume"
                : "stopped; with --output-path, --resume could go on")
    }

    func finish() { line.clear() }
}
