import MambaLM
import Tensors
import TestSupport
import Testing

@Suite("The mixer's state matrix")
struct StateMatrixTests {
    private func model() throws -> MambaModel {
        try MambaModel.load(folder: Fixtures.path("plain"), engine: makeEngine(threads: 1)).model
    }

    private func logits(of model: MambaModel) -> [Float] {
        model.read(TokenBatch([.init(tokens: [3, 1, 4])])).logits.values
    }

    @Test("what is kept of frozen logarithms follows every change of them")
    func followsChanges() throws {
        let model = try model()
        let ALog = model.blocks[0].mixer.ALog
        func expectFresh() throws {
            let fresh = try self.model()
            fresh.blocks[0].mixer.ALog.replaceValue(ALog.value.copy())
            #expect(logits(of: model) == logits(of: fresh))
        }
        let before = logits(of: model)
        let replaced = ALog.value.copy()
        replaced[3, 1] += 1
        ALog.replaceValue(replaced)
        #expect(logits(of: model) != before)
        try expectFresh()
        for _ in 0..<2 {
            ALog.makeTrainable(on: model.engine)
            for _ in 0..<2 {
                ALog.value[2, 1] += 0.5
                try expectFresh()
            }
            ALog.freeze()
            try expectFresh()
        }
    }
}
