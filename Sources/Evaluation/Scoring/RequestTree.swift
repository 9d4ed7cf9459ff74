/// What some texts read, with what they begin with in common there once.
///
/// A node's tokens are read once, on from the end of its parent. All that its texts predict from
/// these tokens hangs on them.
struct RequestTree {
    /// Tokens that one or more texts have in common.
    struct Node {
        /// Where the tokens stand in each of the texts.
        var places: Range<Int>
        /// Which texts these are, as places in ``RequestTree/order``.
        var texts: Range<Int>
        /// How many of the tokens are the prompt of a tree; 0 but in nodes that begin a text.
        var promptLength = 0
        /// The node whose tokens come before, if any.
        var parent: Int?
        /// The last of the nodes that go on from here, if there are any.
        var lastChild: Int?
    }

    /// A token that one or more texts predict from the same place.
    struct Prediction {
        /// The place in the node of the token before it.
        let place: Int
        /// The token.
        let token: Int32
        /// The texts, and which of their predictions it is.
        var uses: [(text: Int, number: Int)]
    }

    /// The fewest tokens that need not be read again for which a beginning becomes a node.
    static let leastSaving = 2

    /// The nodes, parents before what goes on from them and all of that before other nodes.
    private(set) var nodes: [Node] = []
    /// The numbers of the texts, those with common beginnings next to each other.
    private(set) var order: [Int]
    private let texts: [RequestText]

    /// Arranges texts; those that predict nothing are left out.
    ///
    /// - Parameters:
    ///   - texts: The texts.
    ///   - isPrompt: Whether prompts count: they are read as a whole, and only equal ones once.
    ///   - canContinue: Whether a text may be read in pieces; otherwise only equal ones are read once.
    init(_ texts: [RequestText], isPrompt: Bool, canContinue: Bool) {
        self.texts = texts
        order = texts.indices.filter { !texts[$0].targets.isEmpty }
        func promptLength(_ text: Int) -> Int { isPrompt ? texts[text].promptLength : 0 }
        order.sort { left, right in
            let (first, second) = (promptLength(left), promptLength(right))
            if first != second { return first < second }
            return texts[left].precedes(texts[right]) ?? (left < right)
        }
        var start = 0
        while start < order.count {
            let (text, prompt) = (texts[order[start]], promptLength(order[start]))
            let whole = canContinue ? prompt : text.count
            let end =
                order[start...].firstIndex { other in
                    promptLength(other) != prompt || text.commonLength(with: texts[other]) < whole
                        || (!canContinue && texts[other].count != whole)
                } ?? order.count
            var family = Family(texts: start..<end)
            if whole > 0 {
                family.parent = add(0..<whole, of: start..<end, parent: nil)
                nodes[nodes.count - 1].promptLength = prompt
                family.read = whole
                family.common = whole
            }
            grow(family)
            start = end
        }
        arrange()
    }

    /// Texts that have their first `common` tokens in common, of which `read` are in nodes.
    private struct Family {
        var texts: Range<Int>
        var read = 0
        var common = 0
        var parent: Int?
    }

    /// Makes nodes of what a family's texts read further.
    private mutating func grow(_ family: Family) {
        var pending = [family]
        while var family = pending.popLast() {
            // Sorted, so what the first and the last have in common all have.
            let (first, last) = (
                texts[order[family.texts.lowerBound]], texts[order[family.texts.upperBound - 1]]
            )
            family.common = first.commonLength(with: last, from: family.common)
            let branches = branches(of: family)
            let saved = (family.common - family.read) * (branches.count - 1)
            if family.common > family.read,
                branches.count == 1 || saved >= RequestTree.leastSaving
            {
                family.parent = add(
                    family.read..<family.common, of: family.texts, parent: family.parent)
                family.read = family.common
            }
            for branch in branches {
                if texts[order[branch.lowerBound]].count > family.common {
                    pending.append(
                        Family(
                            texts: branch, read: family.read, common: family.common,
                            parent: family.parent))
                } else if family.read < family.common {
                    _ = add(family.read..<family.common, of: branch, parent: family.parent)
                }
            }
        }
    }

    /// A family's texts by the token after what all have in common; first those that end there.
    private func branches(of family: Family) -> [Range<Int>] {
        func next(_ index: Int) -> Int32? {
            let text = texts[order[index]]
            return family.common < text.count ? text[family.common] : nil
        }
        var branches: [Range<Int>] = []
        var start = family.texts.lowerBound
        while start < family.texts.upperBound {
            let token = next(start)
            let end =
                (start..<family.texts.upperBound).first { next($0) != token }
                ?? family.texts.upperBound
            branches.append(start..<end)
            start = end
        }
        return branches
    }

    private mutating func add(_ places: Range<Int>, of texts: Range<Int>, parent: Int?) -> Int {
        nodes.append(Node(places: places, texts: texts, parent: parent))
        return nodes.count - 1
    }

    /// Puts nodes into the order of their first texts, each followed by what goes on from it.
    private mutating func arrange() {
        let first = nodes.map { node in order[node.texts].min() ?? 0 }
        var children = [[Int]](repeating: [], count: nodes.count)
        var pending: [Int] = []
        for (index, node) in nodes.enumerated() {
            if let parent = node.parent {
                children[parent].append(index)
            } else {
                pending.append(index)
            }
        }
        pending.sort { first[$0] > first[$1] }
        var arranged: [Node] = []
        var place = [Int](repeating: 0, count: nodes.count)
        arranged.reserveCapacity(nodes.count)
        while let index = pending.popLast() {
            place[index] = arranged.count
            var node = nodes[index]
            if let parent = node.parent {
                node.parent = place[parent]
                arranged[place[parent]].lastChild = arranged.count
            }
            arranged.append(node)
            pending += children[index].sorted { first[$0] > first[$1] }
        }
        nodes = arranged
    }

    /// A node's tokens.
    func tokens(of node: Node) -> [Int32] {
        texts[order[node.texts.lowerBound]].tokens(node.places)
    }

    /// What is predicted from a node's tokens, in the order of places.
    func predictions(from node: Node) -> [Prediction] {
        let all = order[node.texts].flatMap { index in
            let text = texts[index]
            let places = node.places.clamped(
                to: text.firstPlace..<text.firstPlace + text.targets.count)
            return places.map { place in
                let number = place - text.firstPlace
                return (
                    place: place - node.places.lowerBound,
                    token: text.targets[text.targets.startIndex + number], text: index,
                    number: number
                )
            }
        }.sorted { ($0.place, $0.token, $0.text) < ($1.place, $1.token, $1.text) }
        var predictions: [Prediction] = []
        for item in all {
            if predictions.last?.place != item.place || predictions.last?.token != item.token {
                predictions.append(Prediction(place: item.place, token: item.token, uses: []))
            }
            predictions[predictions.count - 1].uses.append((item.text, item.number))
        }
        return predictions
    }
}
