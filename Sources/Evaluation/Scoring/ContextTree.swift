/// The different contexts of some requests, with what they begin with in common.
///
/// Each node holds tokens that are read once, on from the state of its parent. Requests hang on the
/// node at which their context ends.
struct ContextTree {
    /// A piece of text that one or more contexts have in common.
    struct Node {
        /// The tokens after those of the parent.
        var tokens: ArraySlice<Int32>
        /// How many of the first tokens are the prompt of a tree: all or none.
        var promptLength: Int
        /// The nodes that go on from here.
        var children: [Int] = []
        /// The requests whose context ends here, in order.
        var requests: [Int] = []
    }

    /// A context that is to be read.
    struct Context {
        /// The tokens.
        var tokens: ArraySlice<Int32>
        /// Whether they are the prompt of a tree; then only equal contexts share anything.
        var isPrompt: Bool
    }

    /// Common beginnings that are shorter than this are read again for each context.
    static let shortestSharedPart = 16

    private(set) var nodes: [Node] = []
    /// The nodes without a parent, in the order of their first requests.
    private(set) var roots: [Int] = []

    /// Arranges contexts; request `i` has context `contexts[i]`.
    init(_ contexts: [Context]) {
        let order = contexts.indices.sorted { left, right in
            let (first, second) = (contexts[left], contexts[right])
            if first.isPrompt != second.isPrompt { return second.isPrompt }
            if !first.tokens.elementsEqual(second.tokens) {
                return first.tokens.lexicographicallyPrecedes(second.tokens)
            }
            return left < right
        }
        // Equal contexts become one entry.
        var unique: [Entry] = []
        for index in order {
            let context = contexts[index]
            if let last = unique.last, last.isPrompt == context.isPrompt,
                last.tokens.elementsEqual(context.tokens)
            {
                unique[unique.count - 1].requests.append(index)
            } else {
                unique.append(
                    Entry(
                        tokens: context.tokens, isPrompt: context.isPrompt, requests: [index]))
            }
        }
        let chains = unique.prefix { !$0.isPrompt }
        build(Array(chains))
        for prompt in unique.dropFirst(chains.count) {
            roots.append(add(prompt, from: 0, parent: nil))
        }
        sortRoots()
    }

    private struct Entry {
        var tokens: ArraySlice<Int32>
        var isPrompt: Bool
        var requests: [Int]
    }

    /// Entries that have their first `depth` tokens in common; `read` of these are in the parent.
    private struct Family {
        var range: Range<Int>
        var read: Int
        var parent: Int?
    }

    /// Makes nodes of sorted, different contexts.
    private mutating func build(_ entries: [Entry]) {
        guard !entries.isEmpty else { return }
        var pending = [Family(range: entries.indices, read: 0, parent: nil)]
        while let family = pending.popLast() {
            var family = family
            guard family.range.count > 1 else {
                attach(
                    add(entries[family.range.lowerBound], from: family.read, parent: family.parent),
                    family.parent)
                continue
            }
            // Sorted, so what the first and the last have in common all have.
            let (first, last) = (
                entries[family.range.lowerBound].tokens,
                entries[family.range.upperBound - 1].tokens
            )
            let common = zip(first, last).prefix { $0 == $1 }.count
            if common - family.read >= ContextTree.shortestSharedPart {
                let part = first.dropFirst(family.read).prefix(common - family.read)
                nodes.append(Node(tokens: part, promptLength: 0))
                attach(nodes.count - 1, family.parent)
                (family.parent, family.read) = (nodes.count - 1, common)
            }
            // The first may end where the others part.
            var start = family.range.lowerBound
            if first.count == common {
                if let parent = family.parent, family.read == common {
                    nodes[parent].requests += entries[start].requests
                } else {
                    attach(
                        add(entries[start], from: family.read, parent: family.parent), family.parent
                    )
                }
                start += 1
            }
            while start < family.range.upperBound {
                let next = token(common, of: entries[start])
                var end = start + 1
                while end < family.range.upperBound, token(common, of: entries[end]) == next {
                    end += 1
                }
                pending.append(
                    Family(range: start..<end, read: family.read, parent: family.parent))
                start = end
            }
        }
    }

    private func token(_ place: Int, of entry: Entry) -> Int32 {
        entry.tokens[entry.tokens.startIndex + place]
    }

    private mutating func add(_ entry: Entry, from read: Int, parent: Int?) -> Int {
        nodes.append(
            Node(
                tokens: entry.tokens.dropFirst(read),
                promptLength: entry.isPrompt ? entry.tokens.count : 0, requests: entry.requests))
        return nodes.count - 1
    }

    private mutating func attach(_ node: Int, _ parent: Int?) {
        if let parent { nodes[parent].children.append(node) } else { roots.append(node) }
    }

    /// Puts roots and children into the order of their first requests.
    private mutating func sortRoots() {
        var first = [Int](repeating: .max, count: nodes.count)
        // Children come after their parents.
        for index in nodes.indices.reversed() {
            let below = nodes[index].children.map { first[$0] }.min() ?? .max
            first[index] = min(nodes[index].requests.first ?? .max, below)
            nodes[index].children.sort { first[$0] < first[$1] }
        }
        roots.sort { first[$0] < first[$1] }
    }
}
