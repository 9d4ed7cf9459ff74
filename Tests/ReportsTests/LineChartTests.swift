import Testing

@testable import Reports

@Suite("Charts")
struct LineChartTests {
    @Test(
        "ticks are round and hold the numbers between them",
        arguments: [
            (0.0, 8.62, ["0", "2", "4", "6", "8", "10"]),
            (1.61, 1.94, ["1.6", "1.7", "1.8", "1.9", "2.0"]),
            (0, 3e-5, ["0", "1e-5", "2e-5", "3e-5"]),
            (0, 0.003, ["0", "0.001", "0.002", "0.003"]),
            (0, 0, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
            (5, 5, ["0", "1", "2", "3", "4", "5"]),
            (-1, 1, ["−1.0", "−0.5", "0", "0.5", "1.0"]),
            (0, 14256, ["0", "5,000", "10,000", "15,000"]),
        ])
    func ticks(_ least: Double, _ greatest: Double, _ labels: [String]) {
        let ticks = Ticks(least, greatest)
        #expect(ticks.values.map { ticks.label($0) } == labels)
        #expect(ticks.lower <= least && ticks.upper >= greatest)
    }

    @Test("an exact axis ends where the numbers do, and whole numbers stay whole")
    func exactTicks() {
        let ticks = Ticks(0, 7, isWhole: true, isExact: true)
        #expect(ticks.upper == 7)
        #expect(ticks.values == [0, 2, 4, 6])
        #expect(Ticks(0, 1, isWhole: true, isExact: true).values == [0, 1])
    }

    @Test("a line of 100,000 points keeps its extremes and its gaps")
    func decimation() {
        var points = (0..<100_000).map { LineChart.Point(x: Double($0), y: Double($0 % 7)) }
        points[51_234].y = 1000
        points[77_777].y = -1000
        points[20_000].y = .nan
        let kept = LineChart.decimated(points, over: 0...99_999)
        #expect(kept.count < 5 * (LineChart.columns + 1))
        #expect(kept.contains(points[51_234]) && kept.contains(points[77_777]))
        #expect(kept.contains { $0.y.isNaN })
        #expect(kept.first == points.first && kept.last == points.last)
        #expect(zip(kept, kept.dropFirst()).allSatisfy { $0.x < $1.x })
        #expect(LineChart.decimated(Array(points.prefix(1500)), over: 0...1).count == 1500)
    }

    @Test("a chart without a number is no chart, and one point is a dot")
    func empty() throws {
        var chart = LineChart(
            id: "x", title: "<Loss>", unit: "nats & more",
            series: [.init(name: "a", points: [.init(x: 1, y: .nan)], color: 1)], xRange: 0...1)
        #expect(chart.render() == nil)
        chart.series[0].points.append(.init(x: 1, y: 2))
        let figure = try #require(chart.render()).figure.source
        try HTMLCheck.check(figure)
        #expect(figure.contains("class=\"dots c1\""))
        #expect(!figure.contains("nan"))
    }

    @Test("an axis that does not begin at zero says so, and decimation is told")
    func honesty() throws {
        let points = (0..<5000).map { LineChart.Point(x: Double($0), y: 2 + Double($0 % 3) / 10) }
        let chart = LineChart(
            id: "x", title: "Loss", unit: "nats",
            series: [.init(name: "a", points: points, color: 1)],
            xRange: 0...5000, startsAtZero: false)
        let figure = try #require(chart.render()).figure.source
        #expect(figure.contains("The axis begins at 2"))
        #expect(figure.contains("5,000 points of a, drawn by the least"))
    }
}
