import CommandSupport
import Evaluation
import Reports
import Storage

/// Results as a page that can be looked at.
enum ScoreReport {
    /// Writes `report.html` beside the results; what goes wrong is a warning.
    ///
    /// - Parameters:
    ///   - results: What came out.
    ///   - options: How tasks were run.
    ///   - information: What else there is to say.
    ///   - outputPath: As the user gave it; beside a `.json` file the page has its stem.
    static func write(
        _ results: EvaluationResults, _ options: EvaluationOptions, _ information: RunInformation,
        beside outputPath: String
    ) {
        let folder = ResultsReport.folder(for: outputPath, information)
        let name =
            outputPath.hasSuffix(".json")
            ? "\(FilePath.name(of: outputPath).dropLast(5)).html" : "report.html"
        let path = FilePath.join(folder, name)
        do {
            let html = page(results, options, information).html
            if try ReportFile.replace(html, at: path) {
                Terminal.printNote("wrote \(path)")
            } else {
                Terminal.printNote("warning: \(path) is somebody else's; no report was written")
            }
        } catch {
            Terminal.printNote("warning: \(error); there is no report")
        }
    }

    private static func page(
        _ results: EvaluationResults, _ options: EvaluationOptions, _ information: RunInformation
    ) -> ScorePage {
        let groups = results.groups.flatMap { group in
            group.figures.map { figure in
                ScorePage.Row(
                    task: group.group.alias, metric: figure.metric,
                    higherIsBetter: group.higherIsBetter.first { $0.metric == figure.metric }
                        .flatMap(\.value),
                    items: figure.documents, values: [(figure.value, figure.error)])
            }
        }
        let tasks = results.tasks.flatMap { task in
            task.figures.map { figure in
                ScorePage.Row(
                    task: task.task.alias,
                    metric: figure.filter == "none"
                        ? figure.metric.name.rawValue
                        : "\(figure.metric.name.rawValue),\(figure.filter)",
                    higherIsBetter: figure.metric.higherIsBetter, items: task.sampleCount,
                    values: [(figure.value, figure.error)])
            }
        }
        let text = { (value: JSONValue) -> String in
            value.stringValue ?? JSONWriter(escapesNonASCII: false).string(value)
        }
        let arguments = information.modelArguments.members
        let names = ["pretrained", "peft"].compactMap {
            information.modelArguments[$0]?.stringValue
        }
        let seconds = information.duration / .seconds(1)
        return ScorePage(
            title: "Evaluation", runs: [names.joined(separator: " + ")], rows: groups + tasks,
            facts: arguments.map { ($0.key, text($0.value)) } + [
                ("weights", information.dataType),
                ("examples in prompts", options.shots.map { "\($0)" } ?? "as the task says"),
                ("limit", options.limit.map { "\($0)" } ?? "none"),
                ("longest request", "\(options.maximumLength) tokens"),
                ("time", ProgressLine.text(.seconds(seconds))), ("version", information.version),
                ("machine", information.environment),
            ], warnings: results.notices.map { "\($0)" },
            command: CommandLineProgram.typedWords("mtl-eval", without: ["--resume"]))
    }

    /// Two runs beside each other.
    ///
    /// - Parameters:
    ///   - comparisons: Task by task.
    ///   - first: The first run's folder.
    ///   - second: The second run's.
    /// - Returns: The page.
    /// - Throws: What is wrong with the samples.
    static func page(
        _ comparisons: [PairedComparison], _ first: String, _ second: String
    ) throws -> ScorePage {
        let rows = comparisons.map { x in
            ScorePage.Row(
                task: x.task, metric: x.metric, higherIsBetter: nil, items: x.documents,
                values: [(x.first, x.firstError), (x.second, x.secondError)],
                difference: .init(
                    value: x.difference, error: x.error, onlyFirst: x.onlyFirst,
                    onlySecond: x.onlySecond, pValue: x.pValue))
        }
        let flips = try FlippedItems.find(first, second, limit: 20).map { flips in
            ScorePage.Flips(
                title: "\(flips.task), \(flips.metric)", isGain: flips.isGain, count: flips.count,
                shown: flips.items.map { item in
                    ScorePage.Flip(
                        id: "\(item.id)", context: item.context,
                        choices: item.choices.map {
                            .init(
                                text: $0.text, scores: [$0.first, $0.second], isRight: $0.isRight)
                        })
                })
        }
        return ScorePage(
            title: "Comparison", runs: [first, second], rows: rows, flips: flips,
            facts: [("version", "mambatreel \(CommandLineProgram.version)")],
            command: CommandLineProgram.typedWords("mtl-eval", without: ["--overwrite"]))
    }
}
