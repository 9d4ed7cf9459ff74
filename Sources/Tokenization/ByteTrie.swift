/// Byte strings by their beginnings, each with a number.
///
/// First bytes are looked up in a table, later ones in lists of siblings, which are short for
/// tokens.
struct ByteTrie {
    private struct Node {
        var byte: UInt8
        var value: Int32 = -1
        var child: Int32 = -1
        var sibling: Int32 = -1
    }

    private var nodes: [Node] = []
    private var roots = [Int32](repeating: -1, count: 256)

    /// Adds a string that is not empty; the last number of a string holds.
    ///
    /// - Parameters:
    ///   - string: The string.
    ///   - value: Its number, not negative.
    mutating func insert(_ string: [UInt8], value: Int32) {
        var node: Int32 = -1
        for byte in string { node = self.node(for: byte, below: node) }
        if node >= 0 { nodes[Int(node)].value = value }
    }

    /// Calls a body with every string that a text begins with, the shortest first.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - start: Where it begins.
    ///   - limit: Where it ends.
    ///   - body: Is given the string's number and where it ends in the text.
    @inline(__always)
    func forEachMatch(
        in text: Span<UInt8>, from start: Int, to limit: Int, _ body: (Int32, Int) -> Void
    ) {
        let nodes = nodes.span
        var node = roots[Int(text[start])]
        var position = start
        while node >= 0 {
            position += 1
            let current = nodes[Int(node)]
            if current.value >= 0 { body(current.value, position) }
            guard position < limit else { break }
            node = current.child
            while node >= 0 && nodes[Int(node)].byte != text[position] {
                node = nodes[Int(node)].sibling
            }
        }
    }

    /// The node of a byte below another, made if need be; below -1 is the root.
    private mutating func node(for byte: UInt8, below parent: Int32) -> Int32 {
        let first = parent < 0 ? roots[Int(byte)] : nodes[Int(parent)].child
        var node = first
        while node >= 0 && nodes[Int(node)].byte != byte { node = nodes[Int(node)].sibling }
        if node >= 0 { return node }
        let new = Int32(nodes.count)
        nodes.append(Node(byte: byte, sibling: parent < 0 ? -1 : first))
        if parent < 0 {
            roots[Int(byte)] = new
        } else {
            nodes[Int(parent)].child = new
        }
        return new
    }
}
