import Tensors
import TestSupport
import Testing

@testable import Kernels

@Suite("Buffers")
struct BufferTests {
    @Test("a buffer grows, is used again, and says beforehand what it will hold")
    func reuse() {
        let buffer = Buffer(of: makeEngine(), columns: 4)
        #expect(buffer.byteCount == 0)
        let first = buffer.matrix(rows: 3)
        #expect(first.shape == [3, 4] && first.isContiguous)
        #expect(buffer.byteCount == buffer.byteCount(rows: 3))
        #expect(buffer.matrix(rows: 4, columns: 2).base == first.base)
        #expect(buffer.matrix(rows: 3).base == first.base)
        #expect(buffer.matrix(rows: 300).shape == [300, 4])
        #expect(buffer.byteCount == buffer.byteCount(rows: 300))
        #expect(buffer.byteCount == 300 * 4 * 4 * 9 / 8)
    }

    @Test("wide rows do not lie a multiple of 2 KiB apart", arguments: [1024, 1536, 3072])
    func wideRows(_ columns: Int) {
        let buffer = Buffer(of: makeEngine(), columns: columns)
        let wide = buffer.matrix(rows: 5)
        #expect(wide.shape == [5, columns])
        #expect(wide.rowStride >= columns && wide.rowStride * 4 % 2048 != 0)
        wide.rows(4..<5).fill(1)
        #expect(buffer.byteCount == buffer.byteCount(rows: 5))
        #expect(buffer.matrix(rows: 1).isContiguous)
        #expect(buffer.matrix(rows: 2, columns: 2 * columns).rowStride >= 2 * columns)
    }
}
