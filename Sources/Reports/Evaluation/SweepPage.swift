import Storage

/// The report of a sweep, as plain values: what its members scored, what each differs by from one of them, and
/// how their held-out losses fell.
public struct SweepPage: Sendable {
    /// A member's metric of a task.
    public struct Row: Sendable {
        /// The task.
        public var task: String
        /// The metric.
        public var metric: String
        /// The member.
        public var member: String
        /// How many runs the member has.
        public var runs: Int
        /// The mean over runs and items.
        public var mean: Double
        /// What it differs by; `nil` for the reference, and where the two cannot be compared.
        public var difference: Difference?

        /// Groups what is known of a metric.
        public init(
            task: String, metric: String, member: String, runs: Int, mean: Double,
            difference: Difference?
        ) {
            self.task = task
            self.metric = metric
            self.member = member
            self.runs = runs
            self.mean = mean
            self.difference = difference
        }
    }

    /// A member's mean less the reference's.
    public struct Difference: Sendable {
        /// The difference.
        public var value: Double
        /// Its standard error over items.
        public var itemError: Double?
        /// Its standard error over seeds.
        public var seedError: Double?

        /// Groups the figures.
        public init(value: Double, itemError: Double?, seedError: Double?) {
            self.value = value
            self.itemError = itemError
            self.seedError = seedError
        }

        /// Twice the larger error: a difference within it tells nothing.
        var reach: Double? { [itemError, seedError].compactMap(\.self).max().map { 2 * $0 } }
    }

    /// A setting of the comparison.
    public struct Member: Sendable {
        /// Its name.
        public var name: String
        /// What sets it apart.
        public var settings: [(name: String, value: String)]
        /// Its runs that are finished.
        public var runs: [Run]
        /// Tells members that hold out the same records from others.
        public var heldOut: String

        /// Groups what is known of a member.
        public init(
            name: String, settings: [(name: String, value: String)], heldOut: String, runs: [Run]
        ) {
            self.name = name
            self.settings = settings
            self.heldOut = heldOut
            self.runs = runs
        }
    }

    /// A training and scoring of a member.
    public struct Run: Sendable {
        /// Its random seed; `nil` if it was not trained.
        public var seed: Int?
        /// The pages about it, with paths from this page's folder.
        public var pages: [(name: String, path: String)]
        /// Its held-out losses, in order.
        public var losses: [(step: Int, loss: Double)]

        /// Groups what is known of a run.
        public init(
            seed: Int?, pages: [(name: String, path: String)], losses: [(step: Int, loss: Double)]
        ) {
            self.seed = seed
            self.pages = pages
            self.losses = losses
        }
    }

    private let title: String
    private let subtitle: String
    private let reference: String
    private let members: [Member]
    private let rows: [Row]
    private let legend: String
    private let command: [String]

    /// Prepares a page.
    ///
    /// - Parameters:
    ///   - title: The page's title.
    ///   - subtitle: What was compared, in a line.
    ///   - reference: The member that others are held against.
    ///   - members: All members, in order.
    ///   - rows: Tasks and metrics one after the other, members in order.
    ///   - legend: What the figures mean.
    ///   - command: The words that were typed, the program first.
    public init(
        title: String, subtitle: String, reference: String, members: [Member], rows: [Row],
        legend: String, command: [String]
    ) {
        self.title = title
        self.subtitle = subtitle
        self.reference = reference
        self.members = members
        self.rows = rows
        self.legend = legend
        self.command = command
    }

    /// The page as HTML.
    public var html: String {
        var data = JSONObject()
        let curves = curveCharts.compactMap { chart -> Markup? in
            guard let rendered = chart.render() else { return nil }
            data[chart.id] = rendered.data
            return rendered.figure
        }
        var page = Page(title: title, subtitle: subtitle, sections: [])
        page.sections = [
            differenceSection,
            curves.isEmpty
                ? []
                : Page.section("Held-out loss", tag("div", ["class": "charts"], Markup(curves))),
            tableSection, memberSection,
            Page.section(
                "To repeat it", Page.command(command),
                Page.note("What is finished is not run again; give another --output-dir for that.")),
        ]
        page.data = [("charts", JSONWriter(isCompact: true).string(.object(data)))]
        return page.html
    }

    // MARK: - Differences

    /// The rows of each task and metric.
    private var subjects: [[Row]] {
        var subjects: [[Row]] = []
        for row in rows {
            if let last = subjects.last?.last, last.task == row.task, last.metric == row.metric {
                subjects[subjects.count - 1].append(row)
            } else {
                subjects.append([row])
            }
        }
        return subjects
    }

    private var differenceSection: Markup {
        var (figures, same) = ([Markup](), [String]())
        for rows in subjects {
            let shown = rows.compactMap { row in row.difference.map { (row.member, $0) } }
            if shown.contains(where: { $0.1.value != 0 || ($0.1.reach ?? 0) > 0 }) {
                figures.append(difference(of: rows[0], among: rows, shown))
            } else if !shown.isEmpty {
                same.append("\(rows[0].task) \(rows[0].metric)")
            }
        }
        guard !figures.isEmpty || !same.isEmpty else {
            return Page.note("Nothing can be compared yet: '\(reference)' has no scores.")
        }
        return Page.section(
            "Differences from \(reference)", tag("div", ["class": "charts"], Markup(figures)),
            Page.note(
                "Points are differences of means, bars reach twice the larger of the two errors to "
                    + "each side: where a bar crosses the line at 0, the difference tells nothing. A "
                    + "point without a bar has an error of 0, or none is known."),
            same.isEmpty
                ? []
                : Page.note(
                    "No member differs from \(reference) in any item of "
                        + same.joined(separator: ", ") + "."))
    }

    private func difference(
        of subject: Row, among rows: [Row], _ shown: [(member: String, x: Difference)]
    ) -> Markup {
        let ends = shown.flatMap {
            [$0.x.value - ($0.x.reach ?? 0), $0.x.value + ($0.x.reach ?? 0)]
        }
        let axis = Ticks(min(0, ends.min() ?? 0), max(0, ends.max() ?? 0), count: 4)
        let zero = tag(
            "i", ["class": "zero", "style": "left:\(LineChart.percent(axis.fraction(0)))"])
        let lines = shown.map { member, x -> Markup in
            [
                tag("div", ["class": "what"], Markup(member)),
                tag(
                    "div", ["class": "track"], zero,
                    ScorePage.mark((value: x.value, error: x.reach), axis, run: 0, of: 1)),
                tag("div", ["class": "number"], Markup(Self.signed(x.value))),
            ]
        }
        let ticks = axis.values.map {
            tag(
                "span", ["style": "left:\(LineChart.percent(axis.fraction($0)))"],
                Markup(axis.label($0)))
        }
        let mean = rows.first { $0.member == reference }.map {
            ", \(reference) has \(Self.text($0.mean))"
        }
        return tag(
            "figure", ["class": "chart"],
            tag(
                "figcaption", [:], tag("strong", [:], Markup(subject.task)),
                tag("span", ["class": "unit"], Markup(subject.metric + (mean ?? "")))),
            tag(
                "div", ["class": "scores"], Markup(lines), tag("div", ["class": "what"]),
                tag("div", ["class": "ticks"], Markup(ticks))))
    }

    // MARK: - Curves

    /// One chart for each set of records that is held out: losses on others are no comparison.
    private var curveCharts: [LineChart] {
        let trained = members.filter { $0.runs.contains { !$0.losses.isEmpty } }
        var groups: [(heldOut: String, members: [Member])] = []
        for member in trained {
            if let place = groups.firstIndex(where: { $0.heldOut == member.heldOut }) {
                groups[place].members.append(member)
            } else {
                groups.append((member.heldOut, [member]))
            }
        }
        let steps = trained.flatMap(\.runs).flatMap(\.losses).map(\.step)
        let range = 0...Double(max(steps.max() ?? 1, 1))
        return groups.enumerated().map { number, group in
            var chart = LineChart(
                id: "held-out-\(number)",
                title: "On \(group.heldOut)", unit: "nats a token",
                series: [], xRange: range)
            chart.startsAtZero = false
            chart.isWide = number == 0
            for (place, member) in group.members.enumerated() {
                chart.series += Self.lines(of: member, place: place)
            }
            let isMean = group.members.contains { $0.runs.count > 1 }
            let notes = [
                isMean ? "Thin lines are seeds, the thick one is their mean." : nil,
                Self.coincidences(among: chart.series.filter { !$0.isFaint }),
            ]
            chart.note = notes.compactMap(\.self).joined(separator: " ")
            return chart
        }
    }

    /// Names lines that cannot be seen because others lie upon them.
    private static func coincidences(among lines: [LineChart.Series]) -> String? {
        let all = lines.flatMap(\.points).map(\.y)
        let width = 0.003 * ((all.max() ?? 0) - (all.min() ?? 0))
        let found = lines.indices.compactMap { place -> String? in
            let line = lines[place]
            let above = lines[(place + 1)...].filter { other in
                other.points.map(\.x) == line.points.map(\.x)
                    && zip(line.points, other.points).allSatisfy { abs($0.y - $1.y) <= width }
            }
            return above.last.map { "\(line.name) under \($0.name)" }
        }
        return found.isEmpty ? nil : "Too alike to be seen apart: \(found.joined(separator: ", "))."
    }

    /// A member's mean over its seeds, behind it the seeds.
    private static func lines(of member: Member, place: Int) -> [LineChart.Series] {
        let runs = member.runs.map(\.losses).filter { !$0.isEmpty }
        let (color, isDashed) = (place % 6 + 1, place / 6 % 2 == 1)
        var byStep: [Int: [Double]] = [:]
        for one in runs.joined() { byStep[one.step, default: []].append(one.loss) }
        let mean = byStep.filter { $0.value.count == runs.count }.sorted { $0.key < $1.key }.map {
            LineChart.Point(x: Double($0.key), y: $0.value.reduce(0, +) / Double($0.value.count))
        }
        let seeds =
            runs.count < 2
            ? []
            : runs.map { losses in
                LineChart.Series(
                    name: "", points: losses.map { .init(x: Double($0.step), y: $0.loss) },
                    color: color, isFaint: true, isDashed: isDashed)
            }
        return seeds + [
            LineChart.Series(
                name: member.name, points: mean, color: color, isMarked: mean.count <= 30,
                isDashed: isDashed)
        ]
    }

    // MARK: - Figures

    private var tableSection: Markup {
        let groups = subjects.map { rows in
            let title: Markup = [
                Markup(rows[0].task + " "), tag("span", ["class": "unit"], Markup(rows[0].metric)),
            ]
            let cells = rows.map { row -> [Markup] in
                [
                    row.member == reference
                        ? tag("strong", [:], Markup(row.member)) : Markup(row.member),
                    Markup(FigureText.count(row.runs)), Markup(Self.text(row.mean)),
                    Markup(row.difference.map { Self.signed($0.value) } ?? ""),
                    Markup(row.difference?.itemError.map(Self.text) ?? ""),
                    Markup(row.difference?.seedError.map(Self.text) ?? ""),
                ]
            }
            return (title: title, rows: cells)
        }
        return Page.section(
            "Figures",
            Page.table(
                head: [
                    "Member", "Runs", "Mean", "Difference", "Error of items", "Error of seeds",
                ], groups: groups), Page.note(legend))
    }

    private var memberSection: Markup {
        let cells = members.map { member -> [Markup] in
            let pages = member.runs.flatMap { run in
                run.pages.map { page in
                    tag(
                        "a", ["href": Self.address(page.path), "class": "page"],
                        Markup(page.name + (run.seed.map { " \($0)" } ?? "")))
                }
            }
            let settings = member.settings.map { "\($0.name) \($0.value)" }
                .joined(separator: ", ")
            return [
                Markup(member.name), Markup(settings.isEmpty ? "as all" : settings),
                pages.isEmpty ? "not finished" : tag("span", ["class": "pages"], Markup(pages)),
            ]
        }
        return Page.section(
            "Members",
            Page.table(
                head: ["Member", "What sets it apart", "Its pages, by seed"], rows: cells,
                texts: [0, 1, 2]))
    }

    // MARK: - Text

    private static func text(_ value: Double) -> String { FigureText.fixed(value, decimals: 4) }

    /// A difference with its sign; one that is rounded to nothing has none.
    private static func signed(_ value: Double) -> String {
        let text = text(value)
        return value > 0 && text != "0.0000" ? "+" + text : text
    }

    /// A relative path as browsers take it.
    private static func address(_ path: String) -> String {
        path.utf8.reduce(into: "") { text, byte in
            let sign = Unicode.Scalar(byte)
            let isPlain =
                sign.properties.isAlphabetic && byte < 0x80 || (0x30...0x39).contains(byte)
                || "-._~/".unicodeScalars.contains(sign)
            text +=
                isPlain
                ? String(sign)
                : (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
        }
    }
}
