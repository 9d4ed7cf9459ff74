import Storage

/// The report of an evaluation, or of two beside each other, as plain values.
public struct ScorePage: Sendable {
    /// A metric of a task.
    public struct Row: Sendable {
        /// The task, or group.
        public var task: String
        /// The metric.
        public var metric: String
        /// Whether more is better; `nil` if that is not known.
        public var higherIsBetter: Bool?
        /// How many items it was taken from.
        public var items: Int
        /// One value per run, each with its standard error if there is one.
        public var values: [(value: Double, error: Double?)]
        /// What the two runs differ by.
        public var difference: Difference?

        /// Groups what is known of a metric.
        public init(
            task: String, metric: String, higherIsBetter: Bool?, items: Int,
            values: [(value: Double, error: Double?)], difference: Difference? = nil
        ) {
            self.task = task
            self.metric = metric
            self.higherIsBetter = higherIsBetter
            self.items = items
            self.values = values
            self.difference = difference
        }
    }

    /// A paired difference, the second run less the first.
    public struct Difference: Sendable {
        /// The difference.
        public var value: Double
        /// Its paired standard error.
        public var error: Double?
        /// How many items only the first run has right.
        public var onlyFirst: Int?
        /// How many items only the second run has right.
        public var onlySecond: Int?
        /// McNemar's p-value.
        public var pValue: Double?

        /// Groups the figures.
        public init(
            value: Double, error: Double?, onlyFirst: Int? = nil, onlySecond: Int? = nil,
            pValue: Double? = nil
        ) {
            self.value = value
            self.error = error
            self.pValue = pValue
            self.onlyFirst = onlyFirst
            self.onlySecond = onlySecond
        }
    }

    /// An item that one run has right and the other wrong.
    public struct Flip: Sendable {
        /// A continuation that was scored.
        public struct Choice: Sendable {
            /// Its text.
            public var text: String
            /// Its log-probability by each run.
            public var scores: [Double?]
            /// Whether it is the right one; `nil` if that is not known.
            public var isRight: Bool?

            /// Groups what is known of a choice.
            public init(text: String, scores: [Double?], isRight: Bool?) {
                self.text = text
                self.scores = scores
                self.isRight = isRight
            }
        }

        /// Which item.
        public var id: String
        /// What was asked.
        public var context: String
        /// What was scored.
        public var choices: [Choice]

        /// Groups what is known of an item.
        public init(id: String, context: String, choices: [Choice]) {
            self.id = id
            self.context = context
            self.choices = choices
        }
    }

    /// The items of a task that changed in one direction.
    public struct Flips: Sendable {
        /// The task and metric.
        public var title: String
        /// Whether the second run has them right.
        public var isGain: Bool
        /// How many there are.
        public var count: Int
        /// The first of them.
        public var shown: [Flip]

        /// Groups items.
        public init(title: String, isGain: Bool, count: Int, shown: [Flip]) {
            self.title = title
            self.isGain = isGain
            self.count = count
            self.shown = shown
        }
    }

    private let title: String
    private let runs: [String]
    private let rows: [Row]
    private let flips: [Flips]
    private let facts: [(name: String, value: String)]
    private let warnings: [String]
    private let command: [String]

    /// Prepares a page.
    ///
    /// - Parameters:
    ///   - title: The page's title.
    ///   - runs: The names of one or two runs.
    ///   - rows: The metrics, with one value per run.
    ///   - flips: The items that changed.
    ///   - facts: What else to say.
    ///   - warnings: What the user should know.
    ///   - command: The words that were typed, the program first.
    public init(
        title: String, runs: [String], rows: [Row], flips: [Flips] = [],
        facts: [(name: String, value: String)] = [], warnings: [String] = [],
        command: [String] = []
    ) {
        self.title = title
        self.runs = runs
        self.rows = rows
        self.flips = flips
        self.facts = facts
        self.warnings = warnings
        self.command = command
    }

    /// The page as HTML.
    public var html: String {
        let items = rows.map(\.items).max() ?? 0
        let tasks = Set(rows.map(\.task)).count
        var page = Page(
            title: title,
            subtitle: [
                runs.joined(separator: " → "), FigureText.count(tasks, "task"),
                "up to \(FigureText.count(items, "item"))",
            ].joined(separator: " · "), sections: [])
        if !warnings.isEmpty {
            page.sections.append(
                tag(
                    "section", ["class": "warnings"], tag("h2", [:], "Warnings"),
                    tag("ul", [:], Markup(warnings.prefix(100).map { tag("li", [:], Markup($0)) })))
            )
        }
        page.sections += [chart, table, flipSection]
        if !facts.isEmpty {
            page.sections.append(Page.section("About", Page.facts(facts, areMany: facts.count > 8)))
        }
        if !command.isEmpty {
            page.sections.append(Page.section("To repeat it", Page.command(command)))
        }
        return page.html
    }

    // MARK: - Scores

    /// Whether a metric is a share of items, which all have one axis.
    private static func isShare(_ row: Row) -> Bool {
        row.values.allSatisfy { (0...1).contains($0.value) }
    }

    private var chart: Markup {
        let shown = rows.filter { Self.isShare($0) && !$0.values.isEmpty }
        guard !shown.isEmpty else { return [] }
        let ends = shown.flatMap(\.values).flatMap { one in
            [one.value - (one.error ?? 0), one.value + (one.error ?? 0)]
        }
        let (least, greatest) = (max(0, ends.min() ?? 0), min(1, ends.max() ?? 1))
        // Zero costs little room where the least score is less than half of the greatest.
        let axis = Ticks(least < greatest / 2 ? 0 : least, greatest, count: 5)
        let entries = shown.map { row -> Markup in
            let marks = row.values.enumerated().map { run, one in
                Self.mark(one, axis, run: run, of: row.values.count)
            }
            return [
                tag(
                    "div", ["class": "what"], Markup("\(row.task) "),
                    tag("span", ["class": "unit"], Markup(row.metric))),
                tag(
                    "div", ["class": "number"],
                    Markup(row.values.map { Self.text($0.value) }.joined(separator: " → "))),
                tag("div", ["class": "track"], Markup(marks)),
            ]
        }
        let ticks = axis.values.map {
            tag(
                "span", ["style": "left:\(LineChart.percent(axis.fraction($0)))"],
                Markup(axis.label($0)))
        }
        let legend =
            runs.count < 2
            ? []
            : tag(
                "p", ["class": "legend"],
                Markup(
                    runs.enumerated().map { run, name in
                        tag(
                            "span", [:], tag("i", ["class": "key c\(run + 1)"]), Markup(name))
                    }))
        let isCertain = shown.contains { row in row.values.contains { $0.error == 0 } }
        return Page.section(
            "Scores", legend,
            tag(
                "div", ["class": "scores"], Markup(entries), tag("div", ["class": "what"]),
                tag("div", ["class": "ticks"], Markup(ticks))),
            Page.note(
                "Points are means, bars reach one standard error to each side."
                    + (axis.lower > 0
                        ? " The axis begins at \(axis.label(axis.lower)), not at 0." : "")
                    + (isCertain
                        ? " An error of 0 says that all items came out alike, not that the score is certain."
                        : "")))
    }

    /// A point with its error bar; of two runs the first above the second.
    static func mark(
        _ one: (value: Double, error: Double?), _ axis: Ticks, run: Int, of runs: Int
    ) -> Markup {
        let error = one.error ?? 0
        let from = axis.fraction(max(one.value - error, axis.lower))
        let to = axis.fraction(min(one.value + error, axis.upper))
        let shift = runs > 1 ? (run == 0 ? -5 : 5) : 0
        return tag(
            "span", ["class": "mark c\(run + 1)", "style": "transform:translateY(\(shift)px)"],
            error > 0
                ? tag(
                    "i",
                    [
                        "class": "error",
                        "style":
                            "left:\(LineChart.percent(from));width:\(LineChart.percent(to - from))",
                    ]) : [],
            tag(
                "i",
                ["class": "dot", "style": "left:\(LineChart.percent(axis.fraction(one.value)))"]))
    }

    private var table: Markup {
        let isPair = runs.count == 2
        var head = ["Task", "Metric", "Items"]
        head +=
            isPair
            ? ["First", "Second", "Difference", "Only first", "Only second", "p"] : ["Value"]
        let cells = rows.map { row -> [Markup] in
            let arrow = row.higherIsBetter.map { $0 ? " ↑" : " ↓" } ?? ""
            var cells: [Markup] = [
                Markup(row.task), Markup(row.metric + arrow), Markup(FigureText.count(row.items)),
            ]
            cells += row.values.map { Markup(Self.text($0.value, $0.error)) }
            guard isPair else { return cells }
            let x = row.difference
            cells += [
                Markup(
                    x.map { ($0.value > 0 ? "+" : "") + Self.text($0.value, $0.error) } ?? ""),
                Markup(x?.onlyFirst.map { FigureText.count($0) } ?? ""),
                Markup(x?.onlySecond.map { FigureText.count($0) } ?? ""),
                Markup(x?.pValue.map { FigureText.short($0, digits: 2) } ?? ""),
            ]
            return cells
        }
        let note =
            isPair
            ? "First is \(runs[0]), second \(runs[1]). Differences are second less first with their "
                + "paired standard errors; p is McNemar's exact test of items that only one has right."
            : "Values ± standard errors; ↑ more is better, ↓ less is better."
        return Page.section(
            "Figures", Page.table(head: head, rows: cells, texts: [0, 1]), Page.note(note))
    }

    private static func text(_ value: Double, _ error: Double? = nil) -> String {
        let decimals = abs(value) < 10 ? 4 : 2
        return FigureText.fixed(value, decimals: decimals)
            + (error.map { " ± " + FigureText.fixed($0, decimals: decimals) } ?? "")
    }

    // MARK: - Items that changed

    private var flipSection: Markup {
        guard !flips.isEmpty else { return [] }
        let groups = flips.map { group -> Markup in
            let left = group.count - group.shown.count
            return Page.details(
                "\(group.title): \(FigureText.count(group.count, "item")) only "
                    + (group.isGain ? "the second" : "the first") + " run has right"
                    + (left > 0 ? ", \(FigureText.count(left)) of them left out here" : ""),
                Markup(group.shown.map(Self.item)))
        }
        return Page.section("Items that changed", Markup(groups))
    }

    private static func item(_ flip: Flip) -> Markup {
        let rows = flip.choices.prefix(20).map { choice -> [Markup] in
            [
                choice.isRight == true
                    ? tag("span", ["class": "right"], Markup(choice.text), " (right)")
                    : Markup(choice.text)
            ]
                + choice.scores.map { Markup($0.map { FigureText.fixed($0, decimals: 2) } ?? "") }
        }
        return tag(
            "article", ["class": "flip"],
            tag("p", ["class": "unit"], Markup("item \(flip.id)")),
            Page.quotation(cut(flip.context)),
            rows.isEmpty
                ? []
                : Page.table(
                    head: ["Continuation", "First, log-probability", "Second"], rows: rows))
    }

    /// The end of a long context, where the question stands.
    private static func cut(_ text: String) -> String {
        text.unicodeScalars.count > 2000
            ? "…" + String(String.UnicodeScalarView(text.unicodeScalars.suffix(2000))) : text
    }
}

/// A page as a file.
public enum ReportFile {
    /// Writes a page, over an earlier one of this program's but over nothing else.
    ///
    /// - Parameters:
    ///   - html: The page.
    ///   - path: The file.
    /// - Returns: Whether it was written: false where something of somebody else's has the name.
    /// - Throws: `FileError`.
    public static func replace(_ html: String, at path: String) throws -> Bool {
        guard !FilePath.exists(path) || isOwn(path) else { return false }
        try AtomicFile.write(html, to: path)
        return true
    }

    private static func isOwn(_ path: String) -> Bool {
        guard FilePath.isFile(path), let reader = try? LineReader(path: path) else { return false }
        for _ in 0..<2 {
            guard let line = try? reader.next() else { return false }
            if line.text.contains("content=\"MambaTreeL\"") { return true }
        }
        return false
    }
}
