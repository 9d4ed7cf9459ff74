import Tensors
import TestSupport
import Testing

@testable import Kernels

@Suite("Workspace")
struct WorkspaceTests {
    @Test("a name's memory is used again, and grows")
    func memory() {
        let workspace = Workspace(of: makeEngine())
        let first = workspace.tensor("a", [3, 4])
        #expect(first.shape == [3, 4] && first.isContiguous)
        #expect(workspace.tensor("a", [4, 2]).base == first.base)
        #expect(workspace.tensor("b", [3, 4]).base != first.base)
        let bytes = workspace.bytes
        #expect(workspace.tensor("a", [300, 4]).shape == [300, 4])
        #expect(workspace.bytes > bytes)
    }

    @Test("wide rows do not lie a multiple of 2 KiB apart", arguments: [1024, 1536, 3072])
    func wideRows(_ columns: Int) {
        let workspace = Workspace(of: makeEngine())
        let wide = workspace.tensor("wide", [5, columns])
        #expect(wide.shape == [5, columns])
        #expect(wide.rowStride >= columns && wide.rowStride * 4 % 2048 != 0)
        wide.rows(4..<5).fill(1)
        #expect(workspace.tensor("wide", [1, columns]).isContiguous)
        #expect(workspace.tensor("wide", [2, 2 * columns]).rowStride >= 2 * columns)
    }
}
