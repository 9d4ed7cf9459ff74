import Storage

/// What there is to say of one layer's tree in numbers, each a share where trees of other prompts have to be
/// compared with it.
struct TreeFigures: Equatable {
    /// The share of edges that join others than neighbours in the text.
    var jumps: Double
    /// The share of edges along which a token gathers from a later one.
    var fromLater: Double
    /// The longest way to the root, as a share of the chain's.
    var depth: Double
    /// The share of tokens that gather from none.
    var leaves: Double
    /// The mean cosine of joined tokens.
    var cosine: Double

    /// Counts a tree of at least two tokens.
    init(_ layer: PromptTrees.Layer) {
        let edges = layer.edges
        let count = Double(max(edges.count, 1))
        func share(_ isCounted: (Int) -> Bool) -> Double {
            Double(edges.count(where: isCounted)) / count
        }
        jumps = share { abs(layer.parents[$0] - $0) != 1 }
        fromLater = share { layer.parents[$0] < $0 }
        depth = Double(layer.depths.max() ?? 0) / count
        leaves =
            Double(layer.gathered.count { $0 == 0 }) / Double(max(layer.parents.count, 1))
        cosine = edges.reduce(0) { $0 + Double(layer.cosines[$1]) } / count
    }

    /// The share of edges that two trees of the same tokens have in common.
    static func agreement(_ a: Set<Int>, _ b: Set<Int>) -> Double {
        a.isEmpty ? 1 : Double(a.intersection(b).count) / Double(a.count)
    }

    /// What the columns say.
    static let note =
        "Jumps: the share of edges whose ends are not side by side in the text. Back: those along "
        + "which a token gathers from a later one. Depth: the longest way to the root, as a share "
        + "of a chain's. Leaves: the share of tokens that gather from none. Cosine: how alike "
        + "joined tokens are."

    static let names: [(key: String, title: String, get: @Sendable (TreeFigures) -> Double)] = [
        ("jumps", "Jumps", { $0.jumps }),
        ("back", "Back", { $0.fromLater }),
        ("depth", "Depth", { $0.depth }),
        ("leaves", "Leaves", { $0.leaves }),
        ("cosine", "Cosine", { $0.cosine }),
    ]
}

/// A mean that grows, with its standard error.
struct RunningMean {
    private(set) var count = 0
    private(set) var mean = 0.0
    private var squares = 0.0

    /// Takes a number in (Welford's algorithm).
    mutating func add(_ value: Double) {
        count += 1
        let difference = value - mean
        mean += difference / Double(count)
        squares += difference * (value - mean)
    }

    /// The standard error; `nil` for fewer than two numbers.
    var error: Double? {
        count > 1 ? (squares / Double(count - 1) / Double(count)).squareRoot() : nil
    }
}

/// The trees of many prompts in numbers: means over prompts, each prompt with the same weight.
public struct TreeSurvey: Sendable {
    /// The names of the models: one, or two that are compared.
    public let names: [String]
    /// How many prompts have been taken in.
    public private(set) var prompts = 0
    /// How many were too short to have another tree than the chain.
    public private(set) var short = 0
    /// The tokens of all of them.
    public private(set) var tokens = 0
    private let layers: Int
    private var figures: [[[RunningMean]]]
    private var agreements: [[[RunningMean]]]
    private var kept: [RunningMean]

    /// Begins with no prompt.
    ///
    /// - Parameters:
    ///   - names: The names of one or two models.
    ///   - layers: How many layers they have.
    public init(names: [String], layers: Int) {
        self.names = names
        self.layers = layers
        let row = [RunningMean](repeating: RunningMean(), count: TreeFigures.names.count)
        figures = names.map { _ in Array(repeating: row, count: layers) }
        let line = [RunningMean](repeating: RunningMean(), count: layers)
        agreements = names.map { _ in Array(repeating: line, count: layers) }
        kept = line
    }

    /// Takes the trees of a prompt in.
    public mutating func add(_ trees: PromptTrees) {
        precondition(
            trees.readings.count == names.count && trees.readings[0].layers.count == layers,
            "\(trees.readings.count) readings, expected \(names.count)")
        guard trees.tokens.count > 2 else {
            short += 1
            return
        }
        prompts += 1
        tokens += trees.tokens.count
        var ends: [[Set<Int>]] = []
        for (model, reading) in trees.readings.enumerated() {
            let own = reading.layers.map(\.ends)
            for (number, layer) in reading.layers.enumerated() {
                let values = TreeFigures(layer)
                for (place, name) in TreeFigures.names.enumerated() {
                    figures[model][number][place].add(name.get(values))
                }
                for other in 0..<number {
                    agreements[model][number][other].add(
                        TreeFigures.agreement(own[number], own[other]))
                }
            }
            ends.append(own)
        }
        guard ends.count == 2 else { return }
        for number in 0..<layers {
            kept[number].add(TreeFigures.agreement(ends[0][number], ends[1][number]))
        }
    }

    /// The numbers as JSON.
    public var json: JSONValue {
        func value(_ mean: RunningMean) -> JSONValue {
            ["mean": .number(mean.mean), "stderr": mean.error.map { .number($0) } ?? .null]
        }
        let readings = names.indices.map { model -> JSONValue in
            let rows = figures[model].map { row -> JSONValue in
                .object(JSONObject(zip(TreeFigures.names, row).map { ($0.key, value($1)) }))
            }
            let agreement = agreements[model].enumerated().map { number, line -> JSONValue in
                .array(line[..<number].map { .number($0.mean) })
            }
            return [
                "name": .string(names[model]), "layers": .array(rows),
                "agreement_with_earlier_layers": .array(agreement),
            ]
        }
        var object: JSONObject = [
            "format": "mambatreel.tree-survey", "version": 1, "prompts": .integer(prompts),
            "shorter_than_three_tokens": .integer(short), "tokens": .integer(tokens),
            "readings": .array(readings),
        ]
        if names.count == 2 { object["edges_in_both"] = .array(kept.map(value)) }
        return .object(object)
    }

    /// The numbers as parts of a page.
    var markup: Markup {
        func text(_ mean: RunningMean, _ key: String) -> String {
            let error = mean.error.map {
                " ± "
                    + FigureText.fixed(
                        key == "cosine" ? $0 : 100 * $0, decimals: key == "cosine" ? 3 : 1)
            }
            let value =
                key == "cosine"
                ? FigureText.fixed(mean.mean, decimals: 3)
                : FigureText.fixed(100 * mean.mean, decimals: 1) + (error == nil ? " %" : "")
            return value + (error.map { $0 + (key == "cosine" ? "" : " %") } ?? "")
        }
        let tables = names.indices.map { model in
            [
                names.count > 1 ? tag("h3", [:], Markup(names[model])) : [],
                Page.table(
                    head: ["Layer"] + TreeFigures.names.map(\.title),
                    rows: figures[model].enumerated().map { number, row in
                        [Markup("\(number)")]
                            + zip(row, TreeFigures.names).map { Markup(text($0, $1.key)) }
                    }, texts: []),
            ] as Markup
        }
        let change =
            names.count < 2
            ? []
            : Page.section(
                "What training changed",
                Page.note(
                    "The share of a layer's edges that both models have; the rest lead elsewhere."),
                Page.table(
                    head: ["Layer", "Edges in both"],
                    rows: kept.enumerated().map { [Markup("\($0)"), Markup(text($1, ""))] },
                    texts: []))
        return [
            Page.section(
                "Over \(FigureText.count(prompts, "prompt"))",
                Page.note(
                    "\(FigureText.count(tokens)) tokens; means over prompts ± standard error."
                        + (short > 0
                            ? " \(FigureText.count(short, "prompt")) of two tokens or fewer "
                                + (short == 1 ? "is" : "are") + " left out: the tree is the chain."
                            : "")),
                Markup(tables), Page.note(TreeFigures.note)),
            change,
            Page.section(
                "Agreement between layers",
                Page.note(
                    "The mean share of edges that the trees of two layers have in common."),
                tag(
                    "div", ["class": "beside"],
                    Markup(
                        names.indices.map { model in
                            AgreementTable.markup(
                                agreements[model].map { $0.map(\.mean) },
                                title: names.count > 1 ? names[model] : "")
                        }))),
        ]
    }
}

/// How much the trees of layers have in common, as a table of tinted fields.
enum AgreementTable {
    /// The lower half of a table of layers by layers.
    static func markup(_ shares: [[Double]], title: String) -> Markup {
        let hasText = shares.count <= 12
        let rows = shares.indices.map { row -> Markup in
            let cells = shares.indices.map { column -> Markup in
                guard column < row else {
                    return tag("td", column == row ? ["class": "same"] : ["class": "none"])
                }
                let text = FigureText.fixed(100 * shares[row][column], decimals: 0)
                return tag(
                    "td",
                    [
                        "style": "--v:\(Int((shares[row][column] * 100).rounded()))%",
                        "title": "layers \(row) and \(column): \(text) %",
                    ], hasText ? Markup(text) : [])
            }
            return tag("tr", [:], tag("th", [:], Markup("\(row)")), Markup(cells))
        }
        let foot = tag(
            "tr", [:], tag("th"), Markup(shares.indices.map { tag("th", [:], Markup("\($0)")) }))
        return tag(
            "div", ["class": "agreement"],
            title.isEmpty ? [] : tag("h3", [:], Markup(title)),
            tag("table", [:], tag("tbody", [:], Markup(rows), foot)),
            Page.note("Layer by layer, in percent."))
    }
}
