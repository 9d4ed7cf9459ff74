import Chat
import CommandSupport
import Python

extension ChatLoop {
    /// Shows the tokens of a text: side by side on a terminal, else one a line, its id and text.
    func tokens(_ text: String) {
        let pieces = session.tokens(of: text)
        guard screen.isTerminal else {
            for piece in pieces { screen.line("\(piece.id)\t\(PlainText.escaped(piece.text))") }
            return
        }
        screen.line(Figures.count(pieces.count, "token"))
        flow(pieces.map { "\($0.id) '\(PlainText.escaped($0.text))'" })
    }

    /// Tells how likely a text is, and each of its tokens.
    func score(_ text: String) throws {
        let score = try session.score(text)
        let perplexity = score.perplexity.map { ", perplexity \(PythonFloat.fixed($0, places: 2))" }
        screen.line(
            "log-likelihood \(PythonFloat.fixed(score.logLikelihood, places: 3)) of "
                + Figures.count(score.pieces.count, "token") + (perplexity ?? ""))
        let cells = zip(score.pieces, score.logProbabilities).map { piece, value in
            (PlainText.escaped(piece.text), value.map { PythonFloat.fixed($0, places: 2) } ?? "-")
        }
        if screen.isTerminal {
            flow(cells.map { "'\($0)' \($1)" })
        } else {
            for (text, value) in cells { screen.line("\(value)\t\(text)") }
        }
    }

    /// Draws the tree that a layer built over the last prompt.
    func tree(layer: Int) throws {
        let tree = try session.tree(layer: layer)
        let drawing = TreeDrawing(
            labels: tree.pieces.map { Self.label($0.text) }, parents: tree.parents,
            width: screen.width - 1)
        screen.line(
            "layer \(tree.layer): \(Figures.count(tree.pieces.count, "token")), "
                + Figures.count(drawing.leafCount, "leaf", plural: "leaves")
                + ", depth \(drawing.depth)")
        for line in drawing.lines { screen.line(line) }
        guard screen.isTerminal else { return }
        screen.note(
            "Read right, then down; a branch joins the line below it. · next token, → jump.")
    }

    /// How a token stands in a drawing: a space alone could not be seen.
    private static func label(_ text: String) -> String {
        text.allSatisfy { $0 == " " } ? text.replacing(" ", with: "␣") : PlainText.escaped(text)
    }

    /// Cells side by side, two spaces between them, as many as fit into a line.
    private func flow(_ cells: [String]) {
        let width = screen.width - 1
        var (line, column) = ("", 0)
        for cell in cells {
            let columns = DisplayWidth.of(cell)
            if column > 0, column + 2 + columns > width {
                screen.line(line)
                (line, column) = ("", 0)
            }
            line += (column > 0 ? "  " : "") + cell
            column += (column > 0 ? 2 : 0) + columns
        }
        if column > 0 { screen.line(line) }
    }
}
