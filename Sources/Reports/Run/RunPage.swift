import Glibc
import Storage

/// The report of a training run, as plain values; finished or still going on.
public struct RunPage: Sendable {
    /// A line about training.
    struct Step: Sendable {
        var step: Int
        var loss: Double
        var learningRate: Double?
        var gradientNorm: Double?
        var tokensPerSecond: Double?
        var peakBytes: Double?
        var seconds: Double?
    }

    /// A line about validation.
    struct Evaluation: Sendable {
        var step: Int
        var epoch: Double?
        var loss: Double
    }

    /// Something that the user should know.
    struct Warning: Sendable {
        var step: Int
        var message: String
    }

    /// A prompt and its answer at some step.
    struct Sample: Sendable {
        var step: Int
        var prompt: String
        var answer: String
        /// Whether the model without adapter gave it.
        var isBase: Bool
    }

    var name = ""
    var steps: [Step] = []
    var evaluations: [Evaluation] = []
    var warnings: [Warning] = []
    var samples: [Sample] = []
    /// The configuration, in the order of its file.
    var settings: [(name: String, value: String)] = []
    /// The words that were typed to begin it, the program first.
    var command: [String] = []
    /// Versions, machine and sizes.
    var facts: [(name: String, value: String)] = []
    var totalSteps: Int?
    /// Whether the run has ended, before its last step too.
    var isOver = false
    var trees: PromptTrees?

    /// The page as HTML.
    public var html: String {
        var data = JSONObject()
        let charts = charts.compactMap { chart -> Markup? in
            guard let rendered = chart.render() else { return nil }
            data[chart.id] = rendered.data
            return rendered.figure
        }
        var sections = [warningSection, Page.tiles(tiles)]
        sections.append(
            charts.isEmpty
                ? Page.note("No step has been logged yet.")
                : Page.section("Curves", tag("div", ["class": "charts"], Markup(charts)), figures))
        sections.append(samplesSection)
        var page = Page(title: name, subtitle: subtitle, sections: [])
        page.data = [("charts", JSONWriter(isCompact: true).string(.object(data)))]
        if let trees, let figure = TreeFigure(trees) {
            sections.append(
                Page.section(
                    "The trees of one sample",
                    Page.note(
                        "Each layer joins similar tokens of a prompt by a tree, along which states "
                            + "flow to the last token."),
                    figure.markup))
            page.data.append(("trees", figure.data))
        }
        sections += [repeatSection, settingsSection]
        page.sections = sections
        return page.html
    }

    private var lastStep: Int { max(steps.last?.step ?? 0, evaluations.last?.step ?? 0) }

    private var subtitle: String {
        let model = setting("model").map { " of \($0)" } ?? ""
        let kind = setting("fine_tune_type") == "full" ? "All weights" : "Adapter"
        let topology = setting("topology").map { ", \($0) topology" } ?? ""
        let total = totalSteps.map { " of \(FigureText.count($0))" } ?? ""
        let isWhole = totalSteps.map { lastStep >= $0 } == true
        let state = isWhole ? "finished" : isOver ? "ended early" : "not finished"
        return "\(kind)\(model)\(topology) · step \(FigureText.count(lastStep))\(total), \(state)"
    }

    private func setting(_ name: String) -> String? {
        settings.first { $0.name == name }?.value
    }

    // MARK: - Figures

    private var tiles: [(value: String, label: String)] {
        var tiles: [(value: String, label: String)] = []
        if let last = evaluations.last {
            let first = evaluations.first.map { $0.step < last.step ? $0 : nil } ?? nil
            tiles.append(
                (
                    (first.map { "\(FigureText.short($0.loss)) → " } ?? "")
                        + FigureText.short(last.loss), "held-out loss, nats a token"
                ))
            if let best = evaluations.min(by: { $0.loss < $1.loss }), best.step < last.step {
                tiles.append(
                    (
                        FigureText.short(best.loss),
                        "best held-out loss, step \(FigureText.count(best.step))"
                    ))
            }
        }
        if let last = steps.last {
            tiles.append((FigureText.short(last.loss), "last training loss, nats a token"))
        }
        let speeds = steps.compactMap(\.tokensPerSecond).filter(\.isFinite).sorted()
        if !speeds.isEmpty {
            tiles.append((FigureText.short(speeds[speeds.count / 2]), "tokens a second, median"))
        }
        if let most = steps.compactMap(\.peakBytes).max() {
            tiles.append((FigureText.bytes(most), "memory at most"))
        }
        if let seconds { tiles.append((FigureText.duration(seconds: seconds), "training time")) }
        return tiles
    }

    /// How long all sittings of the run took up to their last logged lines.
    private var seconds: Double? {
        let times = steps.compactMap(\.seconds)
        guard var last = times.first else { return nil }
        var sum = 0.0
        for time in times.dropFirst() {
            if time < last { sum += last }
            last = time
        }
        return sum + last
    }

    private var charts: [LineChart] {
        let range = 0...Double(max(lastStep, totalSteps ?? 0, 1))
        func points(_ value: (Step) -> Double?) -> [LineChart.Point] {
            steps.map { LineChart.Point(x: Double($0.step), y: value($0) ?? .nan) }
        }
        func chart(
            _ id: String, _ title: String, _ unit: String, color: Int,
            _ value: (Step) -> Double?
        ) -> LineChart {
            LineChart(
                id: id, title: title, unit: unit,
                series: [.init(name: title.lowercased(), points: points(value), color: color)],
                xRange: range)
        }
        var loss = chart("loss", "Loss", "nats a token", color: 1) { $0.loss }
        loss.series[0].name = "training"
        loss.startsAtZero = false
        loss.isWide = true
        if !evaluations.isEmpty {
            loss.series.append(
                .init(
                    name: "held out",
                    points: evaluations.map { .init(x: Double($0.step), y: $0.loss) }, color: 2,
                    isMarked: evaluations.count <= 60))
        }
        if let interval = setting("logging_steps"), interval != "1" {
            loss.note =
                "A point of the training line is the mean of the \(interval) steps before it; "
                + "otherwise nothing is smoothed."
        }
        var gradient = chart("gradient", "Gradient norm", "before clipping", color: 3) {
            $0.gradientNorm
        }
        if let limit = setting("max_grad_norm").flatMap(Double.init), limit > 0 {
            gradient.limits = [("clipped above", limit)]
        }
        let largest = steps.compactMap(\.peakBytes).max() ?? 0
        let (scale, unit) = FigureText.byteUnit(for: largest)
        return [
            loss,
            chart("rate", "Learning rate", "", color: 4) { $0.learningRate },
            gradient,
            chart("speed", "Speed", "tokens a second, prompts included", color: 5) {
                $0.tokensPerSecond
            },
            chart("memory", "Memory", "\(unit) at most so far", color: 6) {
                $0.peakBytes.map { $0 / scale }
            },
        ]
    }

    /// The numbers behind the curves: validations, or the last of many.
    private var figures: Markup {
        let shown = evaluations.suffix(200)
        guard !shown.isEmpty else { return [] }
        let rows = shown.map { row -> [Markup] in
            [
                Markup(FigureText.count(row.step)),
                Markup(row.epoch.map { FigureText.short($0) } ?? ""),
                Markup(FigureText.short(row.loss, digits: 5)),
                Markup(FigureText.short(exp(row.loss))),
            ]
        }
        let left = evaluations.count - shown.count
        return Page.details(
            "Every validation"
                + (left > 0 ? " (the last \(shown.count) of \(evaluations.count))" : ""),
            Page.table(
                head: ["Step", "Epoch", "Held-out loss", "Perplexity"], rows: rows, texts: []))
    }

    // MARK: - Parts

    private var warningSection: Markup {
        guard !warnings.isEmpty else { return [] }
        let items = warnings.prefix(100).map { warning in
            tag(
                "li", [:],
                warning.step > 0
                    ? tag("span", ["class": "unit"], "step \(FigureText.count(warning.step)): ")
                    : [],
                Markup(warning.message))
        }
        let more =
            warnings.count > 100
            ? Page.note("\(FigureText.count(warnings.count - 100)) more are in metrics.jsonl.") : []
        return tag(
            "section", ["class": "warnings"], tag("h2", [:], "Warnings"),
            tag("ul", [:], Markup(Array(items))), more)
    }

    private var samplesSection: Markup {
        var prompts: [String] = []
        var byPrompt: [String: [Sample]] = [:]
        for sample in samples {
            if byPrompt[sample.prompt] == nil { prompts.append(sample.prompt) }
            byPrompt[sample.prompt, default: []].append(sample)
        }
        guard !prompts.isEmpty else { return [] }
        let blocks = prompts.prefix(50).map { Self.block($0, byPrompt[$0] ?? []) }
        let more =
            prompts.count > 50
            ? Page.note("\(prompts.count - 50) more prompts are in samples.jsonl.") : []
        return Page.section("Sample answers", Markup(Array(blocks)), more)
    }

    /// A prompt with the base model's answer beside the latest one, and those in between.
    private static func block(_ prompt: String, _ samples: [Sample]) -> Markup {
        let base = samples.last { $0.isBase }
        let trained = samples.filter { !$0.isBase }
        func answer(_ sample: Sample, _ title: String) -> Markup {
            tag("div", [:], tag("h3", [:], Markup(title)), Page.quotation(sample.answer))
        }
        var answers: [Markup] = []
        if let base { answers.append(answer(base, "Base model")) }
        if let last = trained.last {
            answers.append(answer(last, "After step \(FigureText.count(last.step))"))
        }
        let between = trained.dropLast().suffix(20)
        let earlier = between.map { answer($0, "After step \(FigureText.count($0.step))") }
        let left = trained.count - 1 - between.count
        return tag(
            "article", ["class": "sample"],
            tag("div", ["class": "prompt", "dir": "auto"], Markup(prompt)),
            tag("div", ["class": "beside"], Markup(answers)),
            earlier.isEmpty
                ? []
                : Page.details(
                    "On the way" + (left > 0 ? " (\(left) earlier ones are left out)" : ""),
                    tag("div", ["class": "beside"], Markup(Array(earlier)))))
    }

    private var repeatSection: Markup {
        guard !command.isEmpty else { return [] }
        return Page.section(
            "To repeat it", Page.command(command),
            Page.note(
                "Give another --output-dir, or --overwrite to put the new run in the place of this "
                    + "one. The same seed gives the same weights."))
    }

    private var settingsSection: Markup {
        [
            facts.isEmpty ? [] : Page.section("Machine and versions", Page.facts(facts)),
            settings.isEmpty
                ? [] : Page.section("Settings", Page.facts(settings, areMany: true)),
        ]
    }
}
