/// Edges over numbered vertices, in an order that decides between edges of equal weight.
///
/// Text gives a window graph (``init(promptLength:neighbors:)``), the patches of an image a grid
/// (``init(gridRows:columns:)``).
public struct NeighborGraph: Equatable, Sendable {
    /// The number of vertices, without the ``tail``.
    public let vertexCount: Int
    /// Pairs of vertices; among equal weights the earlier edge wins.
    public let edges: [Edge]
    /// How many vertices come after those of the edges, each joined to the one before it whatever the weights.
    public var tail = 0

    /// Two vertices that may be neighbours in the tree.
    public struct Edge: Equatable, Sendable {
        /// One end.
        public var a: Int32
        /// The other end.
        public var b: Int32

        /// Joins two vertices.
        public init(_ a: Int32, _ b: Int32) {
            self.a = a
            self.b = b
        }
    }

    /// Groups edges over `vertexCount` vertices.
    ///
    /// - Throws: ``TreeTopologyError/edgeOutOfRange(edge:vertexCount:)``.
    public init(vertexCount: Int, edges: [Edge]) throws {
        for (index, edge) in edges.enumerated() {
            guard edge.a >= 0, edge.a < vertexCount, edge.b >= 0, edge.b < vertexCount else {
                throw TreeTopologyError.edgeOutOfRange(edge: index, vertexCount: vertexCount)
            }
        }
        self.vertexCount = vertexCount
        self.edges = edges
    }

    /// Joins the cells of a grid, numbered row by row, to those beside and below them.
    ///
    /// - Parameters:
    ///   - rows: The number of rows, at least 1.
    ///   - columns: The number of cells in each, at least 1.
    public init(gridRows rows: Int, columns: Int) {
        precondition(rows >= 1 && columns >= 1, "\(rows) rows, \(columns) columns")
        var edges: [Edge] = []
        edges.reserveCapacity(2 * rows * columns)
        for cell in 0..<rows * columns {
            if cell % columns + 1 < columns { edges.append(Edge(Int32(cell), Int32(cell + 1))) }
            if cell / columns + 1 < rows { edges.append(Edge(Int32(cell), Int32(cell + columns))) }
        }
        self.vertexCount = rows * columns
        self.edges = edges
    }

    /// Joins each token of a prompt to the next `neighbors` ones.
    ///
    /// Listed as the released code does, from the last token backwards: token `P - 1` with the 1st,
    /// 2nd, … before it, then token `P - 2`, and so on.
    ///
    /// - Parameters:
    ///   - promptLength: The number of tokens, `P`.
    ///   - neighbors: How far apart two joined tokens may be, at least 1.
    public init(promptLength: Int, neighbors: Int) {
        precondition(neighbors >= 1, "\(neighbors) neighbors, expected at least 1")
        var edges: [Edge] = []
        edges.reserveCapacity(promptLength * min(neighbors, promptLength))
        for token in stride(from: promptLength - 1, to: 0, by: -1) {
            for distance in 1...min(neighbors, token) {
                edges.append(Edge(Int32(token), Int32(token - distance)))
            }
        }
        self.vertexCount = promptLength
        self.edges = edges
    }
}
