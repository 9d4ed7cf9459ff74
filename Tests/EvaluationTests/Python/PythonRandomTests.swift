import Python
import Storage
import Testing

@testable import Evaluation

@Suite("Python's random numbers")
struct PythonRandomTests {
    @Test("bits, units, samples and choices are Python's")
    func numbersArePythons() throws {
        for row in try Fixture.json("random.json").elements {
            let seed = try #require(UInt64(try row.member("seed").stringValue ?? ""))
            var random = PythonRandom(seed: seed)
            let bits = (0..<700).map { _ in Int(random.next()) }
            #expect(
                stride(from: 0, to: 700, by: 100).map { bits[$0] }
                    == (try row.member("bits").integers))
            random = PythonRandom(seed: seed)
            #expect((0..<4).map { _ in random.nextUnit() } == (try row.member("unit").numbers))
            random = PythonRandom(seed: seed)
            for sample in try row.member("samples").elements {
                let (count, picks) = (
                    try #require(sample["count"]?.integerValue),
                    try #require(sample["picks"]?.integerValue)
                )
                #expect(random.sample(picks, of: count) == (try sample.member("result").integers))
            }
            random = PythonRandom(seed: seed)
            for expected in try row.member("choices").elements {
                var indices = [Int32](repeating: -1, count: expected.integers.count)
                random.drawIndices(into: &indices)
                #expect(indices.map(Int.init) == expected.integers)
            }
        }
    }
}
