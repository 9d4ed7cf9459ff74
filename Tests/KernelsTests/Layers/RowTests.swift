import Tensors
import TestSupport
import Testing

@Suite("Operations on rows")
struct RowTests {
    @Test("adding, scaling, gathering and scattering rows")
    func rows() {
        let engine = makeEngine(threads: 2)
        let y = Tensor([1, 2, 3, 4], shape: [2, 2])
        engine.add(Tensor([1, 1, 2, 2], shape: [2, 2]), scale: 0.5, to: y)
        #expect(y.values == [1.5, 2.5, 4, 5])
        engine.scale(y, by: 2)
        #expect(y.values == [3, 5, 8, 10])
        let gathered = Tensor(shape: [3, 2])
        engine.gatherRows([1, 0, 1], of: y, into: gathered)
        #expect(gathered.values == [8, 10, 3, 5, 8, 10])
        engine.scatterAddRows(gathered, to: [0, 0, 1], of: y)
        #expect(y.values == [14, 20, 16, 20])
    }
}
