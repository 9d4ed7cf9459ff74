import Python

/// A plot of a few lines of text: one curve of Braille dots, and points of a second one on top.
///
/// The axis of values begins and ends with what there is, not with 0, and says so by its numbers. Measured
/// points are joined by straight lines; nothing is smoothed.
///
///     3.6 ┤⡀
///         │⠱⡀
///     3.4 ┤ ⠑⠤⣀●
///         └────────
///         1     40
public struct LinePlot {
    /// A point of a curve.
    public typealias Point = (x: Double, y: Double)

    private let curve: [Point]
    private let marks: [Point]
    private let xRange: ClosedRange<Double>
    private let yRange: ClosedRange<Double>

    /// Takes points; fails if there are fewer than two, or one is not finite.
    ///
    /// - Parameters:
    ///   - curve: The points that are joined, by rising `x`.
    ///   - marks: Points that stand for themselves.
    public init?(curve: [Point], marks: [Point] = []) {
        let all = curve + marks
        let (xs, ys) = (all.map(\.x), all.map(\.y))
        guard curve.count >= 2, all.allSatisfy({ $0.x.isFinite && $0.y.isFinite }),
            let left = xs.min(), let right = xs.max(), left < right,
            let low = ys.min(), let high = ys.max()
        else { return nil }
        self.curve = curve
        self.marks = marks
        xRange = left...right
        // A flat curve lies in the middle.
        let room = low == high ? max(abs(low) * 0.01, 1e-3) : 0
        yRange = low - room...high + room
    }

    /// The lines of the plot.
    ///
    /// - Parameters:
    ///   - columns: The width; fewer than 24 are not enough for a plot.
    ///   - rows: The height of the curve, at least 3, to which two lines are added.
    /// - Returns: Lines of at most that width; none if it is not enough.
    public func lines(columns: Int, rows: Int = 10) -> [String] {
        precondition(rows >= 3, "a plot has \(rows) rows, expected at least 3")
        let ticks = ticks(count: max(3, rows / 2))
        let labels = Dictionary(
            ticks.map { (row(of: $0.value, rows), $0.text) },
            uniquingKeysWith: { first, _ in first })
        let margin = labels.values.map(\.count).max() ?? 0
        let width = columns - margin - 2
        guard columns >= 24, width >= 10 else { return [] }
        let grid = cells(width: width, rows: rows)
        let padding = String(repeating: " ", count: margin)
        let body = (0..<rows).map { row in
            let label = labels[row]
            let text = label.map { String(repeating: " ", count: margin - $0.count) + $0 }
            return (text ?? padding) + (label == nil ? " │" : " ┤") + Self.trimmed(grid[row])
        }
        let (left, right) = (Self.text(xRange.lowerBound, 0), Self.text(xRange.upperBound, 0))
        let gap = String(repeating: " ", count: max(1, width - left.count - right.count))
        return body + [
            padding + " └" + String(repeating: "─", count: width),
            padding + "  " + left + gap + right,
        ]
    }

    private static func trimmed(_ cells: [Character]) -> String {
        let end = cells.lastIndex { $0 != " " }.map { $0 + 1 } ?? 0
        return String(cells[..<end])
    }

    private func row(of y: Double, _ rows: Int) -> Int {
        min(rows - 1, Int((1 - share(of: y)) * Double(rows)))
    }

    /// Where a value lies, from 0 at the bottom to 1 at the top.
    private func share(of y: Double) -> Double {
        (y - yRange.lowerBound) / (yRange.upperBound - yRange.lowerBound)
    }

    /// Where a place lies, from 0 on the left to 1 on the right.
    private func share(ofPlace x: Double) -> Double {
        (x - xRange.lowerBound) / (xRange.upperBound - xRange.lowerBound)
    }

    /// Round numbers within the values.
    private func ticks(count: Int) -> [(value: Double, text: String)] {
        let rough = (yRange.upperBound - yRange.lowerBound) / Double(max(count, 1))
        var (power, places) = (1.0, 0)
        while power > rough { (power, places) = (power / 10, places + 1) }
        while power * 10 <= rough { power *= 10 }
        let step = [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? rough
        if step >= power * 10 { places = max(0, places - 1) }
        let first = Int((yRange.lowerBound / step).rounded(.up))
        let last = Int((yRange.upperBound / step).rounded(.down))
        guard first <= last else { return [] }
        return (first...last).map { (Double($0) * step, Self.text(Double($0) * step, places)) }
    }

    private static func text(_ value: Double, _ places: Int) -> String {
        places == 0
            ? String(Int(value.rounded())) : PythonFloat.fixed(value, places: min(places, 9))
    }

    /// The curve as characters of two by four dots, the marks on top.
    private func cells(width: Int, rows: Int) -> [[Character]] {
        let (dotColumns, dotRows) = (width * 2, rows * 4)
        func dot(_ point: Point) -> (column: Double, row: Double) {
            (
                share(ofPlace: point.x) * Double(dotColumns - 1),
                (1 - share(of: point.y)) * Double(dotRows - 1)
            )
        }
        var bits = [[UInt32]](repeating: .init(repeating: 0, count: width), count: rows)
        for (from, to) in zip(curve, curve.dropFirst()) {
            let (start, end) = (dot(from), dot(to))
            let (across, down) = (end.column - start.column, end.row - start.row)
            let count = max(1, Int(max(abs(across), abs(down)).rounded(.up)))
            for index in 0...count {
                let share = Double(index) / Double(count)
                let column = Int((start.column + across * share).rounded())
                let row = Int((start.row + down * share).rounded())
                bits[row / 4][column / 2] |= Self.bit[row % 4][column % 2]
            }
        }
        var cells = bits.map { row in
            row.map { $0 == 0 ? " " : Character(UnicodeScalar(0x2800 + $0) ?? " ") }
        }
        for mark in marks {
            let place = dot(mark)
            cells[Int(place.row.rounded()) / 4][Int(place.column.rounded()) / 2] = "●"
        }
        return cells
    }

    /// The dots of a Braille character, by row and column.
    private static let bit: [[UInt32]] = [
        [0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80],
    ]
}
