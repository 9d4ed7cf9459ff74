import Storage

/// Lines over a common axis, as wide as there is room.
///
/// The drawing is stretched to its frame while lines keep their width; labels are text beside it, so they stay as
/// large as all other text. Nothing is smoothed.
struct LineChart {
    /// A point; one that is not finite leaves a gap.
    struct Point: Equatable {
        var x: Double
        var y: Double
    }

    /// One line.
    struct Series {
        var name: String
        /// In the order of `x`.
        var points: [Point]
        /// Which of the page's colours, from 1.
        var color: Int
        /// Whether each point is marked: where there are few.
        var isMarked = false
        /// Whether it stands back, as one of several that another line sums up: without a name of its own.
        var isFaint = false
        /// Whether it is dashed, to be told from another of its colour.
        var isDashed = false

        /// How the page draws it.
        fileprivate var style: String {
            "c\(color)" + (isFaint ? " faint" : "") + (isDashed ? " dashed" : "")
        }
    }

    /// Names the chart in the page.
    var id: String
    var title: String
    /// What the vertical axis counts.
    var unit: String
    var series: [Series]
    /// What the horizontal axis counts, and how far it goes.
    var xName = "step"
    var xRange: ClosedRange<Double>
    /// Whether zero has to be on the vertical axis.
    var startsAtZero = true
    /// Level lines, with what they mean.
    var limits: [(name: String, value: Double)] = []
    /// What has to be said of how the numbers came about.
    var note = ""
    /// Whether it takes the whole width of the page.
    var isWide = false

    /// The columns in which a line of many points is drawn by its extremes.
    static let columns = 1000

    /// The chart, and its numbers for the page's script; no chart without a number.
    func render() -> (figure: Markup, data: JSONValue)? {
        let lines = series.map { Self.decimated($0.points, over: xRange) }
        let all = lines.joined().map(\.y).filter(\.isFinite)
        guard let least = all.min(), let greatest = all.max() else { return nil }
        // Zero costs little room where the least number is less than a third of the greatest.
        let fromZero = startsAtZero || least >= 0 && least < greatest / 3
        let high = max(
            greatest, limits.map(\.value).filter { $0 <= 4 * greatest }.max() ?? greatest)
        let y = Ticks(fromZero ? min(least, 0) : least, high, count: isWide ? 5 : 4)
        let x = Ticks(
            xRange.lowerBound, xRange.upperBound, count: isWide ? 6 : 4, isWhole: true,
            isExact: true)
        var notes = note.isEmpty ? [] : [note]
        if y.lower > 0 { notes.append("The axis begins at \(y.label(y.lower)), not at 0.") }
        for (one, line) in zip(series, lines) where line.count < one.points.count {
            notes.append(
                "\(FigureText.count(one.points.count)) points of \(one.name), drawn by the least "
                    + "and greatest of each of \(Self.columns) columns.")
        }
        let figure = tag(
            "figure", ["class": isWide ? "chart wide" : "chart", "data-chart": id],
            tag(
                "figcaption", [:], tag("strong", [:], Markup(title)),
                tag("span", ["class": "unit"], Markup(unit)), legend),
            plot(lines, x, y),
            notes.isEmpty ? [] : Page.note(notes.joined(separator: " ")))
        let data: JSONObject = [
            "x": [.number(x.lower), .number(x.upper)], "name": .string(xName),
            "series": .array(
                zip(series, lines).filter { !$0.0.isFaint }.map { one, line in
                    [
                        "name": .string(one.name), "color": .integer(one.color),
                        "x": .array(line.map { .number($0.x) }),
                        "y": .array(
                            line.map {
                                $0.y.isFinite ? .string(FigureText.short($0.y)) : .null
                            }),
                        "at": .array(
                            line.map {
                                $0.y.isFinite
                                    ? .number((y.fraction($0.y) * 1000).rounded() / 1000) : .null
                            }),
                    ]
                }),
        ]
        return (figure, .object(data))
    }

    private var legend: Markup {
        let named = series.filter { !$0.isFaint }
        guard named.count > 1 else { return [] }
        return tag(
            "span", ["class": "legend"],
            Markup(
                named.map {
                    tag("span", [:], tag("i", ["class": "key \($0.style)"]), Markup($0.name))
                }))
    }

    private func plot(_ lines: [[Point]], _ x: Ticks, _ y: Ticks) -> Markup {
        let labels = y.values.map { (value: $0, text: y.label($0)) }
        let width = labels.map(\.text.count).max() ?? 1
        let grid = labels.map { place in
            tag(
                "path",
                [
                    "class": place.value == 0 ? "base" : "grid",
                    "d": "M0 \(Self.place(1 - y.fraction(place.value)))h1000",
                ])
        }
        let levels = limits.filter { $0.value >= y.lower && $0.value <= y.upper }
        let marks = levels.map {
            tag(
                "path",
                ["class": "limit", "d": "M0 \(Self.place(1 - y.fraction($0.value)))h1000"])
        }
        let drawn = zip(series, lines).map { one, line -> Markup in
            let isMarked = one.isMarked || line.count(where: \.y.isFinite) == 1
            return [
                tag("path", ["class": "line \(one.style)", "d": Self.line(line, x, y)]),
                isMarked
                    ? tag("path", ["class": "dots c\(one.color)", "d": Self.dots(line, x, y)]) : [],
            ]
        }
        let svg = tag(
            "svg",
            [
                "viewBox": "0 0 1000 1000", "preserveAspectRatio": "none", "role": "img",
                "aria-label": description(lines),
            ], Markup(grid), Markup(marks), Markup(drawn))
        let yLabels = labels.map {
            tag(
                "span", ["style": "bottom:\(Self.percent(y.fraction($0.value)))"], Markup($0.text))
        }
        let xLabels = x.values.map { value in
            tag(
                "span", ["style": "left:\(Self.percent(x.fraction(value)))"],
                Markup(x.label(value)))
        }
        let levelNames = levels.map {
            tag(
                "span",
                ["class": "level", "style": "bottom:\(Self.percent(y.fraction($0.value)))"],
                Markup($0.name))
        }
        return tag(
            "div", ["class": "plot", "style": "--labels:\(width)ch"],
            tag("div", ["class": "y"], Markup(yLabels)),
            tag("div", ["class": "area"], svg, Markup(levelNames)),
            tag("div", ["class": "x"], Markup(xLabels)),
            tag("div", ["class": "xname"], Markup(xName)))
    }

    /// The lines in words, for those who cannot see them.
    private func description(_ lines: [[Point]]) -> String {
        let parts = zip(series, lines).compactMap { one, line -> String? in
            guard !one.isFaint else { return nil }
            let values = line.filter(\.y.isFinite)
            guard let first = values.first, let last = values.last else { return nil }
            return "\(one.name) from \(FigureText.short(first.y)) at \(xName) "
                + "\(FigureText.short(first.x)) to \(FigureText.short(last.y)) at \(xName) "
                + FigureText.short(last.x)
        }
        return "\(title) (\(unit)): " + parts.joined(separator: "; ")
    }

    private static func line(_ points: [Point], _ x: Ticks, _ y: Ticks) -> String {
        var (path, isDown) = ("", false)
        for point in points {
            guard point.y.isFinite else {
                isDown = false
                continue
            }
            path += isDown ? "L" : "M"
            path += "\(place(x.fraction(point.x))) \(place(1 - y.fraction(point.y)))"
            isDown = true
        }
        return path
    }

    /// Strokes without length, whose round ends are the points: these stay round when the drawing is stretched.
    private static func dots(_ points: [Point], _ x: Ticks, _ y: Ticks) -> String {
        points.filter(\.y.isFinite).reduce(into: "") { path, point in
            path += "M\(place(x.fraction(point.x))) \(place(1 - y.fraction(point.y)))h0"
        }
    }

    /// A place in the drawing, in tenths.
    private static func place(_ fraction: Double) -> String {
        let tenths = Int((min(max(fraction, -1), 2) * 10_000).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(Double(tenths) / 10)"
    }

    static func percent(_ fraction: Double) -> String {
        "\((fraction * 100_000).rounded() / 1000)%"
    }

    /// Of more points than can be seen, those that the drawing needs: in each column the first, the least, the
    /// greatest and the last.
    ///
    /// - Parameters:
    ///   - points: In the order of `x`.
    ///   - range: What the columns divide.
    /// - Returns: All points if they are few; else at most four a column, gaps among them.
    static func decimated(_ points: [Point], over range: ClosedRange<Double>) -> [Point] {
        guard points.count > 2 * columns else { return points }
        let width = max(range.upperBound - range.lowerBound, .leastNormalMagnitude)
        func column(_ x: Double) -> Int {
            Int(min(max((x - range.lowerBound) / width, 0), 1) * Double(columns))
        }
        var result: [Point] = []
        var start = 0
        while start < points.count {
            let place = column(points[start].x)
            var end = start + 1
            while end < points.count, column(points[end].x) == place { end += 1 }
            let finite = (start..<end).filter { points[$0].y.isFinite }
            let least = finite.min { points[$0].y < points[$1].y }
            let greatest = finite.max { points[$0].y < points[$1].y }
            let gap = (start..<end).first { !points[$0].y.isFinite }
            let kept = [finite.first, least, greatest, finite.last, gap].compactMap { $0 }
            result += Set(kept).sorted().map { points[$0] }
            start = end
        }
        return result
    }
}
