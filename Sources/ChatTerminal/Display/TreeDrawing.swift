import CommandSupport

/// A tree of tokens in box-drawing characters.
///
/// Lines flow to the right, then down, and a branch joins the first token of the line below it in the
/// same column; the root is at the end. Tokens that follow each other in the text too are parted by a
/// dot, others by an arrow.
///
///     │ Which· city →
///     ├── · is
///     │ · the· capital· of →
///     └ ?
///
/// From every token the line goes on to the child with the largest subtree, and only the other
/// children become branches. So a tree of `n` tokens is never more than log2 `n` branches deep, and a
/// chain is one line, however long.
struct TreeDrawing {
    private let labels: [String]
    private let parents: [Int]
    private let children: [[Int]]
    private let sizes: [Int]
    private let width: Int
    /// The number of tokens without children.
    let leafCount: Int
    /// The most steps from a token to the root.
    let depth: Int

    /// Prepares a drawing.
    ///
    /// - Parameters:
    ///   - labels: What is written for each token.
    ///   - parents: The place of each token's parent; -1 for the root.
    ///   - width: The columns of a line.
    init(labels: [String], parents: [Int], width: Int) {
        self.labels = labels
        self.parents = parents
        self.width = width
        var children = [[Int]](repeating: [], count: labels.count)
        for (token, parent) in parents.enumerated() where children.indices.contains(parent) {
            children[parent].append(token)
        }
        var order = parents.indices.filter { parents[$0] < 0 }
        var next = 0
        while next < order.count {
            order += children[order[next]]
            next += 1
        }
        var sizes = [Int](repeating: 1, count: labels.count)
        for token in order.reversed() where parents[token] >= 0 {
            sizes[parents[token]] += sizes[token]
        }
        var depths = [Int](repeating: 0, count: labels.count)
        for token in order where parents[token] >= 0 { depths[token] = depths[parents[token]] + 1 }
        self.children = children
        self.sizes = sizes
        leafCount = children.count(where: \.isEmpty)
        depth = depths.max() ?? 0
    }

    /// The lines from top to bottom.
    var lines: [String] {
        guard let root = parents.firstIndex(where: { $0 < 0 }) else { return [] }
        let rows = rows(downTo: root, width: width - 2)
        return rows.dropLast() + rows.suffix(1).map { (rows.count > 1 ? "└ " : "─ ") + $0 }
    }

    /// The lines of the subtree of a token, from its farthest leaf down; the last is without the
    /// sign of its column, which tells what it joins.
    private func rows(downTo last: Int, width: Int) -> [String] {
        var rows: [String] = []
        var segment: [Int] = []
        var previous = -1
        for token in path(downTo: last) {
            let branches = children[token].filter { $0 != previous }
            if !branches.isEmpty {
                rows += wrapped(segment, width: width).map { "│ " + $0 }
                segment = []
            }
            for branch in branches {
                let inner = self.rows(downTo: branch, width: width - 2)
                rows += inner.dropLast().map { "│ " + $0 }
                rows.append((inner.count > 1 ? "├─┴ " : "├── ") + (inner.last ?? ""))
            }
            segment.append(token)
            previous = token
        }
        let end = wrapped(segment, width: width)
        return rows + end.dropLast().map { "│ " + $0 } + end.suffix(1)
    }

    /// The tokens from a leaf to the given one, by the largest subtrees.
    private func path(downTo last: Int) -> [Int] {
        var path = [last]
        while let child = children[path[path.count - 1]].max(by: { sizes[$0] < sizes[$1] }) {
            path.append(child)
        }
        return path.reversed()
    }

    /// Tokens one after the other, as many rows as they need.
    private func wrapped(_ tokens: [Int], width: Int) -> [String] {
        var rows = [""]
        for token in tokens {
            let row = rows[rows.count - 1]
            let label = labels[token]
            let isJump = parents[token] >= 0 && parents[token] != token + 1
            let text = (row.hasSuffix("→") && !label.hasPrefix(" ") ? " " : "") + label
            let fits = DisplayWidth.of(row) + DisplayWidth.of(text) + 2 <= width
            let start = fits || row.isEmpty ? row + text : label
            if !fits, !row.isEmpty { rows.append("") }
            rows[rows.count - 1] = start + (isJump ? " →" : "·")
        }
        return rows.map { $0.hasSuffix("·") ? String($0.dropLast()) : $0 }
    }
}
