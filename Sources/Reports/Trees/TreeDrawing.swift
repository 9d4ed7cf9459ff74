/// Where the tokens of a prompt stand when they are written in lines, with room for arcs above each line.
struct TokenLayout {
    /// A token's place: its line, and its middle on it.
    struct Place: Equatable {
        var line: Int
        var x: Double
    }

    /// The characters of a fixed width font of this size.
    static let (fontSize, advance) = (13.0, 7.9)

    let labels: [String]
    let places: [Place]
    let width: Double
    /// How far up the arcs of the longest edges may reach.
    let reach: Int
    let lineCount: Int

    /// The room above a line's text.
    var arcHeight: Double { Self.height(distance: reach) + 6 }
    var lineHeight: Double { arcHeight + 28 }
    var height: Double { Double(lineCount) * lineHeight }

    /// Lays tokens out.
    init(_ trees: PromptTrees, width: Double) {
        self.width = width
        labels = trees.tokens.map { VisibleText.token($0.text) }
        let distances = trees.readings.flatMap(\.layers).flatMap { layer in
            layer.edges.map { abs(layer.parents[$0] - $0) }
        }
        reach = min(distances.max() ?? 1, 6)
        var (places, line, x) = ([Place](), 0, 0.0)
        for label in labels {
            let room = Double(VisibleText.columns(label)) * Self.advance + 9
            if x > 0, x + room > width {
                line += 1
                x = 0
            }
            places.append(Place(line: line, x: ((x + room / 2) * 2).rounded() / 2))
            x += room
        }
        self.places = places
        lineCount = line + 1
    }

    /// How high the arc of an edge reaches over so many tokens.
    static func height(distance: Int) -> Double { 10 + 11 * Double(min(distance, 6) - 1) }

    /// The height on which arcs of a line stand.
    func base(_ line: Int) -> Double { Double(line) * lineHeight + arcHeight }

    /// The arc of an edge; one whose ends are in different lines leaves at the right and comes back at the left.
    func arc(_ child: Int, _ parent: Int) -> String {
        let (first, last) = (places[min(child, parent)], places[max(child, parent)])
        let rise = Self.height(distance: abs(child - parent))
        let (start, end) = (base(first.line), base(last.line))
        if first.line == last.line {
            return "M\(text(first.x)) \(text(start))Q\(text((first.x + last.x) / 2)) "
                + "\(text(start - 2 * rise)) \(text(last.x)) \(text(start))"
        }
        var path =
            "M\(text(first.x)) \(text(start))Q\(text(first.x)) \(text(start - rise)) "
            + "\(text(width)) \(text(start - rise))"
        for line in (first.line + 1)..<last.line {
            path += "M0 \(text(base(line) - rise))H\(text(width))"
        }
        return path + "M0 \(text(end - rise))Q\(text(last.x)) \(text(end - rise)) "
            + "\(text(last.x)) \(text(end))"
    }

    private func text(_ value: Double) -> String {
        let half = (value * 2).rounded() / 2
        return half == half.rounded() ? "\(Int(half))" : "\(half)"
    }
}

/// Arcs over the tokens of a prompt, as SVG.
struct TreeDrawing {
    let layout: TokenLayout

    /// Edges are told apart by where they lead and by how alike their ends are.
    static let kinds = ["chain", "jump", "back"]
    static let levels: [Float] = [0.4, 0.8]

    /// The arcs of a layer: one path for each kind and level.
    func arcs(_ layer: PromptTrees.Layer) -> Markup {
        var paths = Array(repeating: ["", "", ""], count: Self.kinds.count)
        for child in layer.edges {
            let parent = layer.parents[child]
            let kind = parent < child ? 2 : parent == child + 1 ? 0 : 1
            let level = Self.levels.count { layer.cosines[child] >= $0 }
            paths[kind][level] += layout.arc(child, parent)
        }
        return Markup(
            paths.indices.flatMap { kind in
                paths[kind].indices.map { level in
                    tag(
                        "path", ["class": "\(Self.kinds[kind]) w\(level)", "d": paths[kind][level]])
                }
            })
    }

    /// The tokens; an unusual one is pressed into the room that it was given.
    var tokens: Markup {
        Markup(
            zip(layout.labels, layout.places).map { label, place in
                let room = Double(VisibleText.columns(label)) * TokenLayout.advance
                let base = layout.base(place.line) + 17
                let x = Self.text(place.x)
                guard !label.unicodeScalars.allSatisfy(\.isASCII), VisibleText.columns(label) > 1
                else {
                    return tag("text", ["x": x, "y": Self.text(base)], Markup(label))
                }
                return tag(
                    "text",
                    [
                        "x": x, "y": Self.text(base), "textLength": Self.text(room),
                        "lengthAdjust": "spacingAndGlyphs",
                    ], Markup(label))
            })
    }

    /// The drawing in a page.
    func svg(_ layer: PromptTrees.Layer, class name: String, label: String) -> Markup {
        tag(
            "svg",
            [
                "class": "tree \(name)", "viewBox": viewBox, "role": "img", "aria-label": label,
                "tabindex": "0",
            ], tag("g", ["class": "arcs"], arcs(layer)), tag("g", ["class": "marks"]),
            tag("g", ["class": "tokens"], tokens))
    }

    /// The drawing as a file of its own.
    func file(_ layer: PromptTrees.Layer, title: String) -> String {
        let style = """
            svg{background:#fff;color:#20262c}text{font:13px ui-monospace,Menlo,Consolas,'DejaVu Sans \
            Mono',monospace;text-anchor:middle;fill:currentColor}path{fill:none;stroke-linecap:round}\
            .chain{stroke:#8a939c}.jump{stroke:#1f6fb5}.back{stroke:#c2570c}.w0{stroke-width:1}\
            .w1{stroke-width:1.7}.w2{stroke-width:2.6}@media (prefers-color-scheme:dark){svg{\
            background:#15181b;color:#e3e7ea}.chain{stroke:#78828b}.jump{stroke:#6db3f2}\
            .back{stroke:#f0a35e}}
            """
        return tag(
            "svg",
            [
                "xmlns": "http://www.w3.org/2000/svg", "viewBox": viewBox,
                "width": Self.text(layout.width), "height": Self.text(layout.height),
            ], tag("title", [:], Markup(title)), .own("style", style), arcs(layer), tokens
        ).source + "\n"
    }

    private var viewBox: String { "0 0 \(Self.text(layout.width)) \(Self.text(layout.height))" }

    private static func text(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : "\((value * 100).rounded() / 100)"
    }
}
