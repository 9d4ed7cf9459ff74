import CommandSupport
import Testing

@Suite("A plot in the terminal")
struct LinePlotTests {
    @Test("a curve falls from corner to corner, and the axes say what it is")
    func falling() throws {
        let plot = try #require(
            LinePlot(curve: [(1, 4), (11, 2), (21, 2)], marks: [(1, 4), (21, 3)]))
        #expect(
            plot.lines(columns: 30, rows: 5) == [
                "4 ┤●⠢⡀",
                "  │  ⠈⠑⠤⡀",
                "3 ┤     ⠈⠑⢄⡀                 ●",
                "  │        ⠈⠒⢄⡀",
                "2 ┤           ⠈⠢⢄⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀",
                "  └───────────────────────────",
                "   1                        21",
            ])
    }

    @Test("lines are never wider than the terminal, whatever the values")
    func widths() throws {
        let curves: [[LinePlot.Point]] = [
            (1...500).map { (Double($0), 3 + 1 / Double($0)) }, [(10, 1e6), (20, 0)],
            [(1, 2), (2, 2)], [(0, 1e-4), (5, 2e-4)], [(1, -3), (100_000, 7)],
        ]
        for curve in curves {
            let plot = try #require(LinePlot(curve: curve))
            for columns in [24, 40, 79, 100] {
                let lines = plot.lines(columns: columns)
                #expect(lines.count == 12)
                #expect(lines.allSatisfy { $0.count <= columns })
                // At least two numbers, or the axis tells no scale.
                #expect(lines.count { $0.contains("┤") } >= 2, "\(lines.joined(separator: "\n"))")
            }
            #expect(plot.lines(columns: 23).isEmpty)
        }
    }

    @Test("there is none of one point, or of numbers that are none")
    func refusals() {
        #expect(LinePlot(curve: [(1, 2)]) == nil)
        #expect(LinePlot(curve: [(1, 2), (1, 3)]) == nil)
        #expect(LinePlot(curve: [(1, 2), (2, .nan)]) == nil)
    }
}
