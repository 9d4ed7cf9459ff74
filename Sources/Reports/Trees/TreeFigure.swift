import Storage

/// The trees of one prompt in a page: a drawing whose layer can be chosen, and the layers in numbers.
///
/// Without a script the drawing shows one layer; everything else is the same.
struct TreeFigure {
    private let trees: PromptTrees
    private let shown: (reading: Int, layer: Int)

    /// Prepares a figure; there is none of an empty prompt.
    ///
    /// - Parameters:
    ///   - trees: The trees.
    ///   - layer: The layer that is shown at first.
    init?(_ trees: PromptTrees, layer: Int = 0) {
        guard !trees.tokens.isEmpty else { return nil }
        self.trees = trees
        shown = (trees.readings.count - 1, min(layer, trees.readings[0].layers.count - 1))
    }

    var markup: Markup {
        let layers = trees.readings[0].layers.count
        let layer = trees.readings[shown.reading].layers[shown.layer]
        let wide = TreeDrawing(layout: TokenLayout(trees, width: 1080))
        let narrow = TreeDrawing(layout: TokenLayout(trees, width: 336))
        let label = "Tree of layer \(shown.layer) over \(trees.tokens.count) tokens"
        let models = trees.readings.enumerated().map { number, reading -> Markup in
            let box: KeyValuePairs<String, String> =
                number == shown.reading
                ? ["type": "radio", "name": "reading", "value": "\(number)", "checked": "checked"]
                : ["type": "radio", "name": "reading", "value": "\(number)"]
            return tag("label", [:], tag("input", box), Markup(reading.name))
        }
        return [
            tag(
                "figure", ["class": "trees"],
                tag(
                    "div", ["class": "controls"],
                    tag("strong", ["class": "layer"], "Layer \(shown.layer)"),
                    tag(
                        "label", ["class": "slider"], "layers 0 to \(layers - 1)",
                        tag(
                            "input",
                            [
                                "type": "range", "min": "0", "max": "\(layers - 1)", "step": "1",
                                "value": "\(shown.layer)", "aria-label": "Layer",
                            ])),
                    models.count > 1 ? tag("span", ["class": "models"], Markup(models)) : []),
                tag("p", ["class": "sums"], Markup(Self.sums(layer))),
                wide.svg(layer, class: "wide", label: label),
                narrow.svg(layer, class: "narrow", label: label),
                tag(
                    "p", ["class": "token", "aria-live": "polite"],
                    "Point at a token to see which tokens it gathers from and where its state flows."
                ),
                Self.key),
            layerTable, agreement, tokenTable(layer),
        ]
    }

    /// What the colours and widths mean.
    private static var key: Markup {
        func entry(_ kind: String, _ text: String) -> Markup {
            tag("span", [:], tag("i", ["class": "key \(kind)"]), Markup(text))
        }
        return tag(
            "figcaption", ["class": "legend"], entry("chain", "to the next token"),
            entry("jump", "to a later one"), entry("back", "back to an earlier one"),
            tag(
                "span", [:],
                "wider: more alike (cosine from \(levels[0]), from \(levels[1]))"))
    }

    private static let levels = TreeDrawing.levels.map { "\($0)" }

    /// A layer in one sentence; the page's script says the same of others.
    private static func sums(_ layer: PromptTrees.Layer) -> String {
        let edges = layer.edges
        let jumps = edges.count { abs(layer.parents[$0] - $0) != 1 }
        let back = edges.count { layer.parents[$0] < $0 }
        return "\(FigureText.count(jumps)) of \(FigureText.count(edges.count, "edge")) "
            + "\(jumps == 1 ? "joins" : "join") no neighbours, "
            + "\(FigureText.count(back)) \(back == 1 ? "leads" : "lead") back; depth "
            + "\(FigureText.count(layer.depths.max() ?? 0)), a chain's is "
            + "\(FigureText.count(max(layer.parents.count - 1, 0)))."
    }

    // MARK: - Numbers

    private var layerTable: Markup {
        let figures = trees.readings.map { $0.layers.map { TreeFigures($0) } }
        let edges = trees.readings.map { $0.layers.map(\.ends) }
        let isPair = figures.count == 2
        func text(_ key: String, _ value: Double) -> String {
            key == "cosine" ? FigureText.fixed(value, decimals: 3) : FigureText.percent(value)
        }
        let rows = figures[0].indices.map { layer -> [Markup] in
            var cells: [Markup] = [Markup("\(layer)")]
            cells += TreeFigures.names.map { name in
                Markup(
                    figures.map { text(name.key, name.get($0[layer])) }.joined(separator: " → "))
            }
            if isPair {
                cells.append(
                    Markup(
                        FigureText.percent(
                            TreeFigures.agreement(edges[0][layer], edges[1][layer]))))
            }
            return cells
        }
        let order = trees.readings.map(\.name).joined(separator: " → ")
        return [
            tag("h3", [:], "Layers"),
            isPair ? Page.note("\(order). The last column: the share of edges in both.") : [],
            Page.table(
                head: ["Layer"] + TreeFigures.names.map(\.title) + (isPair ? ["In both"] : []),
                rows: rows, texts: []),
            Page.note(TreeFigures.note),
        ]
    }

    private var agreement: Markup {
        let reading = trees.readings[shown.reading]
        guard reading.layers.count > 1, trees.tokens.count > 2 else { return [] }
        let edges = reading.layers.map(\.ends)
        let shares = edges.indices.map { row in
            (0..<row).map { TreeFigures.agreement(edges[row], edges[$0]) }
        }
        return Page.details(
            "Agreement between layers", AgreementTable.markup(shares, title: ""))
    }

    private func tokenTable(_ layer: PromptTrees.Layer) -> Markup {
        let shown = trees.tokens.indices.prefix(200)
        let (depths, gathered) = (layer.depths, layer.gathered)
        func label(_ place: Int) -> Markup {
            tag("code", [:], Markup(VisibleText.token(trees.tokens[place].text)))
        }
        let rows = shown.map { token -> [Markup] in
            let parent = layer.parents[token]
            return [
                Markup("\(token)"), label(token),
                parent < 0 ? "root" : [label(parent), " \(parent)"],
                Markup(
                    parent < 0 ? "" : FigureText.fixed(Double(layer.cosines[token]), decimals: 3)),
                Markup(
                    parent < 0
                        ? ""
                        : FigureText.fixed(
                            PromptTrees.Layer.weight(cosine: layer.cosines[token]), decimals: 3)),
                Markup("\(depths[token])"), Markup("\(gathered[token])"),
            ]
        }
        let left = trees.tokens.count - shown.count
        return Page.details(
            "Tokens of layer \(self.shown.layer)"
                + (left > 0
                    ? " (the first \(shown.count) of \(FigureText.count(trees.tokens.count)))"
                    : ""),
            Page.table(
                head: [
                    "Place", "Token", "Flows to", "Cosine", "Edge weight", "Depth", "Gathers from",
                ], rows: rows, texts: [1, 2]))
    }

    // MARK: - Data

    /// The trees for the page's script: parents as distances, cosines in thousandths.
    var data: String {
        let readings = trees.readings.map { reading -> JSONValue in
            let layers = reading.layers.map { layer -> JSONValue in
                [
                    "p": .array(
                        layer.parents.enumerated().map { .integer($1 < 0 ? 0 : $1 - $0) }),
                    "c": .array(layer.cosines.map { .integer(Int(($0 * 1000).rounded())) }),
                ]
            }
            return ["name": .string(reading.name), "layers": .array(layers)]
        }
        let layout = TokenLayout(trees, width: 1080)
        let value: JSONValue = [
            "tokens": .array(trees.tokens.map { .string(VisibleText.token($0.text, limit: 80)) }),
            "ids": .array(trees.tokens.map { .integer($0.id) }),
            "levels": .array(TreeDrawing.levels.map { .integer(Int($0 * 1000)) }),
            "reading": .integer(shown.reading), "arc": .number(layout.arcHeight),
            "line": .number(layout.lineHeight), "readings": .array(readings),
        ]
        return JSONWriter(escapesNonASCII: false, isCompact: true).string(value)
    }
}
