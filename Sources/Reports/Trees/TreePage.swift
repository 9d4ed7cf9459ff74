import Storage

/// The page of trees: those of one prompt, or of many in numbers.
public struct TreePage: Sendable {
    private let trees: PromptTrees?
    private let survey: TreeSurvey?
    private let layer: Int
    private let facts: [(name: String, value: String)]
    private let command: [String]

    /// Prepares a page.
    ///
    /// - Parameters:
    ///   - trees: Those of one prompt, which are drawn.
    ///   - survey: Those of many, in numbers.
    ///   - layer: The layer that is drawn at first.
    ///   - facts: What else to say: the model, the prompt's source.
    ///   - command: The words that were typed, the program first.
    public init(
        trees: PromptTrees?, survey: TreeSurvey? = nil, layer: Int = 0,
        facts: [(name: String, value: String)] = [], command: [String] = []
    ) {
        self.trees = trees
        self.survey = survey
        self.layer = layer
        self.facts = facts
        self.command = command
    }

    /// The page as HTML.
    public var html: String {
        let models = (trees?.readings.map(\.name) ?? survey?.names ?? []).joined(separator: " → ")
        let count = trees.map { "\(FigureText.count($0.tokens.count, "token"))" }
        let layers = trees.map {
            "\(FigureText.count($0.readings[0].layers.count, "layer"))"
        }
        var page = Page(
            title: "Trees",
            subtitle: [models, count, layers].compactMap { $0 }.joined(separator: " · "),
            sections: [])
        if let trees, let figure = TreeFigure(trees, layer: layer) {
            page.sections.append(tag("section", [:], figure.markup))
            page.data.append(("trees", figure.data))
        }
        if let survey { page.sections.append(survey.markup) }
        if !facts.isEmpty { page.sections.append(Page.section("About", Page.facts(facts))) }
        if !command.isEmpty {
            page.sections.append(Page.section("To repeat it", Page.command(command)))
        }
        return page.html
    }

    /// The drawing of one layer as an SVG file; `nil` without a prompt.
    public var svg: String? {
        guard let trees, let reading = trees.readings.last, !trees.tokens.isEmpty else {
            return nil
        }
        let number = min(layer, reading.layers.count - 1)
        return TreeDrawing(layout: TokenLayout(trees, width: 1080)).file(
            reading.layers[number], title: "\(reading.name), layer \(number)")
    }

    /// Everything as JSON.
    public var json: JSONValue {
        switch (trees, survey) {
        case (let trees?, nil): trees.json
        case (nil, let survey?): survey.json
        default:
            ["trees": trees?.json ?? .null, "survey": survey?.json ?? .null]
        }
    }
}
