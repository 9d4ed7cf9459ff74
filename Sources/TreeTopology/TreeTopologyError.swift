/// The ways edges or parent links can fail to be one rooted tree.
public enum TreeTopologyError: Error, Equatable {
    /// An edge, by its place in the list, names a vertex that does not exist.
    case edgeOutOfRange(edge: Int, vertexCount: Int)
    /// The root is not a vertex.
    case rootOutOfRange(root: Int, vertexCount: Int)
    /// The edges cannot be a tree: there must be one less than there are vertices.
    case edgeCount(edges: Int, vertexCount: Int)
    /// Some vertices cannot be reached from the root.
    case unreachable(count: Int)
}

extension TreeTopologyError: CustomStringConvertible {
    /// One line that names the numbers.
    public var description: String {
        switch self {
        case .edgeOutOfRange(let edge, let vertexCount):
            "edge \(edge) joins a vertex outside 0..<\(vertexCount)"
        case .rootOutOfRange(let root, let vertexCount):
            "root \(root) is not a vertex, expected one of 0..<\(vertexCount)"
        case .edgeCount(let edges, let vertexCount):
            "\(edges) edges over \(vertexCount) vertices, expected \(max(vertexCount - 1, 0))"
        case .unreachable(let count):
            "\(count) vertices cannot be reached from the root"
        }
    }
}
