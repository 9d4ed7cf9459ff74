import Glibc
import Storage

/// The trees that the layers of a model build over one prompt; of two models, to see what differs.
public struct PromptTrees: Equatable, Sendable {
    /// A token of the prompt.
    public struct Token: Equatable, Sendable {
        /// Its id.
        public var id: Int
        /// Its text.
        public var text: String

        /// Groups id and text.
        public init(id: Int, text: String) {
            self.id = id
            self.text = text
        }
    }

    /// The tree of one layer.
    public struct Layer: Equatable, Sendable {
        /// The place of each token's parent; -1 for the root, the last token.
        public var parents: [Int]
        /// How alike each token and its parent are, the cosine of their state inputs; unused at the root.
        public var cosines: [Float]

        /// Groups parents and cosines, which must describe one tree.
        public init(parents: [Int], cosines: [Float]) {
            precondition(
                parents.count == cosines.count,
                "\(parents.count) parents, \(cosines.count) cosines")
            self.parents = parents
            self.cosines = cosines.map { $0.isFinite ? $0 : 0 }
        }
    }

    /// What one model makes of the prompt.
    public struct Reading: Equatable, Sendable {
        /// The model's name.
        public var name: String
        /// Its layers, the first first.
        public var layers: [Layer]

        /// Groups name and layers.
        public init(name: String, layers: [Layer]) {
            self.name = name
            self.layers = layers
        }
    }

    /// The tokens of the prompt.
    public var tokens: [Token]
    /// One reading, or two of as many layers.
    public var readings: [Reading]

    /// Groups tokens and readings, whose trees must be of these tokens.
    public init(tokens: [Token], readings: [Reading]) {
        self.tokens = tokens
        self.readings = readings
        if let problem = problem { preconditionFailure(problem) }
    }

    /// What is wrong; `nil` if these are trees.
    private var problem: String? {
        guard let depth = readings.first?.layers.count, depth > 0, (1...2).contains(readings.count)
        else { return "there are no trees" }
        for reading in readings {
            guard reading.layers.count == depth else { return "the readings differ in layers" }
            for (number, layer) in reading.layers.enumerated() {
                guard layer.parents.count == tokens.count, layer.cosines.count == tokens.count
                else { return "layer \(number) is of another number of tokens" }
                guard layer.isTree else { return "layer \(number) is no tree" }
            }
        }
        return nil
    }
}

extension PromptTrees.Layer {
    /// Whether all tokens hang on the last one.
    fileprivate var isTree: Bool {
        guard parents.last == -1 else { return parents.isEmpty }
        return parents.dropLast().allSatisfy(parents.indices.contains)
            && order.count == parents.count
    }

    /// The children of each token, in the order of the text.
    var children: [[Int]] {
        var children = [[Int]](repeating: [], count: parents.count)
        for (token, parent) in parents.enumerated() where parent >= 0 {
            children[parent].append(token)
        }
        return children
    }

    /// The tokens that hang on the last one, it first, parents before children.
    private var order: [Int] {
        let children = children
        var order = parents.isEmpty ? [] : [parents.count - 1]
        var next = 0
        while next < order.count {
            order += children[order[next]]
            next += 1
        }
        return order
    }

    /// The number of steps from each token to the root.
    var depths: [Int] {
        var depths = [Int](repeating: 0, count: parents.count)
        for token in order where parents[token] >= 0 { depths[token] = depths[parents[token]] + 1 }
        return depths
    }

    /// How many tokens each one gathers from: those of its subtree, itself left out.
    var gathered: [Int] {
        var counts = [Int](repeating: 0, count: parents.count)
        for token in order.reversed() where parents[token] >= 0 {
            counts[parents[token]] += counts[token] + 1
        }
        return counts
    }

    /// The tokens of edges, each edge by its child.
    var edges: [Int] { parents.indices.filter { parents[$0] >= 0 } }

    /// The edges by their two ends, whatever their direction: one number each.
    var ends: Set<Int> {
        Set(edges.map { min($0, parents[$0]) * parents.count + max($0, parents[$0]) })
    }

    /// The weight of an edge, by which the tree is chosen.
    static func weight(cosine: Float) -> Double { exp(-Double(cosine)) }
}

// MARK: - The file

extension PromptTrees {
    /// The trees as JSON.
    public var json: JSONValue {
        [
            "format": "mambatreel.trees", "version": 1,
            "tokens": .array(
                tokens.map { ["id": .integer($0.id), "text": .string($0.text)] }),
            "readings": .array(
                readings.map { reading in
                    [
                        "name": .string(reading.name),
                        "layers": .array(reading.layers.map(Self.json)),
                    ]
                }),
        ]
    }

    private static func json(_ layer: Layer) -> JSONValue {
        [
            "parents": .array(layer.parents.map { .integer($0) }),
            "cosines": .array(
                zip(layer.parents, layer.cosines).map { parent, cosine in
                    parent < 0 ? .null : .number((Double(cosine) * 1e6).rounded() / 1e6)
                }),
        ]
    }

    /// Writes the file.
    ///
    /// - Parameter path: The file.
    /// - Throws: `FileError`.
    public func write(to path: String) throws {
        try AtomicFile.write(JSONWriter(isCompact: true).string(json) + "\n", to: path)
    }

    /// Reads the file.
    ///
    /// - Parameter path: The file.
    /// - Throws: `FileError`, `JSONError` or ``ReportError``.
    public init(file path: String) throws {
        let fields = try JSONFields(JSONValue.read(path), file: path)
        tokens = try fields.objects("tokens").map {
            Token(id: try $0.integer("id"), text: try $0.string("text"))
        }
        readings = try fields.objects("readings").map { reading in
            Reading(
                name: try reading.string("name"),
                layers: try reading.objects("layers").map { layer in
                    let parents = try layer.integers("parents")
                    let cosines = try layer.array("cosines").map { Float($0.numberValue ?? 1) }
                    guard parents.count == cosines.count else {
                        throw ReportError.trees(
                            file: path, problem: "has more parents or more cosines")
                    }
                    return Layer(parents: parents, cosines: cosines)
                })
        }
        if let problem { throw ReportError.trees(file: path, problem: problem) }
    }
}
