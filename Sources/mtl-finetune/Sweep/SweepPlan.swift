import CommandSupport
import Storage
import YAML

/// A comparison as its file describes it: members, each trained with several seeds and scored.
///
///     training: {model: …, data: …, learning_rate: 1e-3}      flags of 'mtl-finetune train' for all
///     evaluation: {tasks: [a, b], data_dir: …}                 flags of 'mtl-eval run'
///     seeds: [1, 2, 3]
///     reference: lora                                          the member that others are held against
///     members:
///       base: {train: false, topology: chain}
///       lora: {topology: chain}                                flags of its own; null takes one away
///       tree: {topology: tree}
struct SweepPlan {
    /// One setting of the comparison.
    struct Member {
        let name: String
        /// Whether it is trained; if not, it is scored once.
        let isTrained: Bool
        /// What it is trained with, or without training what it is scored with.
        let flags: Flags
        /// What its own part of the file says, to be shown.
        let settings: [(name: String, value: String)]

        /// The records that it is validated on, in words: losses on others are no comparison.
        var heldOut: String {
            let values = { SweepPlan.values(of: $0, in: flags).joined(separator: ", ") }
            let (valid, share) = (values("valid"), values("val-size"))
            return valid.isEmpty
                ? (share.isEmpty ? "a part" : share) + " of " + values("data") : valid
        }
    }

    /// Arguments by the names of their options, without dashes, in order.
    typealias Flags = [(name: String, arguments: [String])]

    /// The sweep's name: its file's, without an ending.
    let title: String
    /// What the sweep is for, or nothing.
    let sentence: String
    let model: String
    let evaluation: Flags
    let seeds: [Int]
    let reference: String
    let members: [Member]

    /// Reads a description.
    ///
    /// - Parameters:
    ///   - bytes: The text.
    ///   - file: What messages call it.
    /// - Throws: `YAMLError`, ``SweepError`` or `ConfigurationFileError`.
    init(_ bytes: [UInt8], file: String) throws {
        let name = FilePath.name(of: file)
        title =
            [".yaml", ".yml"].first(where: name.hasSuffix).map {
                String(name.dropLast($0.count))
            } ?? name
        sentence = Recipes.sentence(of: bytes)
        let root = try YAMLReader.parse(bytes, file: file)
        let known = ["training", "evaluation", "seeds", "reference", "members"]
        let parts = root?.members ?? []
        if let other = parts.first(where: { !known.contains($0.key) }) {
            throw SweepError.unknownKey(
                file: file, line: other.line, key: other.key,
                nearest: Spelling.nearest(to: other.key, among: known))
        }
        func part(_ name: String) -> YAMLNode? { parts.first { $0.key == name }?.value }
        func problem(_ key: String, _ expected: String) -> SweepError {
            .value(file: file, line: part(key)?.line, key: key, expected: expected)
        }
        let common = try SweepPlan.flags(part("training"), file)
        evaluation = try SweepPlan.plainFlags(
            part("evaluation"), problem("evaluation", "flags of mtl-eval run, tasks among them"))
        guard evaluation.contains(where: { $0.name == "tasks" }) else {
            throw problem("evaluation", "flags of mtl-eval run, tasks among them")
        }
        let seeds = part("seeds")?.elements.map { $0.map(\.value.integerValue) } ?? [42]
        guard !seeds.isEmpty, seeds.allSatisfy({ $0 ?? -1 >= 0 }),
            Set(seeds).count == seeds.count
        else { throw problem("seeds", "a list of whole numbers, each once") }
        self.seeds = seeds.compactMap(\.self)
        guard let described = part("members")?.members, described.count >= 2 else {
            throw problem("members", "a mapping of at least two names to flags")
        }
        members = try described.map { try SweepPlan.member($0, common: common, file: file) }
        guard let reference = part("reference")?.text,
            members.contains(where: { $0.name == reference })
        else { throw problem("reference", "the name of a member") }
        self.reference = reference
        let models = SweepPlan.values(of: "model", in: common)
        let recipes = SweepPlan.values(of: "recipe", in: common)
        let fromRecipes = try recipes.compactMap { name -> String? in
            guard let text = Recipes.runs[name] else {
                throw ConfigurationFileError.unknownRecipe(
                    name: name, known: Recipes.runs.keys.sorted())
            }
            return try YAMLReader.parse(text, file: name)?.members?
                .first { $0.key == "model" }?.value.text
        }
        guard let model = models.last ?? fromRecipes.last else {
            throw problem("training", "flags of mtl-finetune train, model among them")
        }
        self.model = model
    }

    private static func member(
        _ described: YAMLNode.Member, common: Flags, file: String
    ) throws -> Member {
        let place = { (expected: String) in
            SweepError.value(
                file: file, line: described.line, key: described.key, expected: expected)
        }
        guard described.key.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._+-]*/) != nil else {
            throw place("a name of letters, digits and . _ + -, as its folder has it")
        }
        let all = described.value.members ?? []
        let train = all.first { $0.key == "train" }?.value.value
        guard train == nil || train?.boolValue != nil else { throw place("train: true or false") }
        let own = all.filter { $0.key != "train" }
        let isTrained = train?.boolValue ?? true
        let node = described.value.with(own)
        let flags = try SweepPlan.flags(node, file)
        let settings = all.map { member in
            let items = member.value.elements?.compactMap(\.text).joined(separator: ",")
            return (name: member.key, value: member.value.text ?? items ?? "none")
        }
        guard isTrained else {
            return Member(
                name: described.key, isTrained: false, flags: flags, settings: settings)
        }
        let removed = own.filter { $0.value.value.isNull }.map { $0.key.replacing("_", with: "-") }
        let replaced = Set(removed + flags.map(\.name))
        return Member(
            name: described.key, isTrained: true,
            flags: common.filter { !replaced.contains($0.name) } + flags, settings: settings)
    }

    /// The flags of a mapping, each held against what the command has.
    private static func flags(_ node: YAMLNode?, _ file: String) throws -> Flags {
        try ConfigurationFile(node, file: file, of: MTLFinetune.self, subcommand: "train").flags
            .map { (name: $0.name, arguments: $0.arguments) }
    }

    /// The flags of a mapping for another program.
    private static func plainFlags(_ node: YAMLNode?, _ problem: SweepError) throws -> Flags {
        guard let members = node?.members else { throw problem }
        return try members.map { member in
            let name = member.key.replacing("_", with: "-")
            if let isOn = member.value.value.boolValue {
                return (name: name, arguments: isOn ? ["--\(name)"] : [])
            }
            let values = try (member.value.elements ?? [member.value]).map { value in
                guard let text = value.text else { throw problem }
                return text
            }
            return (name: name, arguments: values.map { "--\(name)=\($0)" })
        }
    }

    static func values(of name: String, in flags: Flags) -> [String] {
        flags.filter { $0.name == name }.flatMap(\.arguments)
            .map { String($0.dropFirst(name.count + 3)) }
    }
}

/// What can be wrong with the file of a sweep, or stop one.
enum SweepError: Error, Equatable {
    /// A key is none of those there are.
    case unknownKey(file: String, line: Int, key: String, nearest: String?)
    /// A key is missing or holds what it cannot.
    case value(file: String, line: Int?, key: String, expected: String)
    /// A member's folder holds a run with other settings.
    case changed(folder: String)
    /// A member's command failed.
    case failed(command: String, status: Int32)
}

extension SweepError: CustomStringConvertible {
    var description: String {
        switch self {
        case .unknownKey(let file, let line, let key, let nearest):
            "\(quotedPath(file)):\(line): key \(quoted(key)) is unknown in a sweep"
                + (nearest.map { "; did you mean \(quoted($0))?" } ?? "")
        case .value(let file, let line, let key, let expected):
            quotedPath(file) + (line.map { ":\($0)" } ?? "")
                + ": key \(quoted(key)) is \(line == nil ? "missing" : "not right"), "
                + "expected \(expected)"
        case .changed(let folder):
            "\(quotedPath(folder)): was made with other settings than the sweep has now; "
                + "choose another --output-dir, or remove the folder"
        case .failed(let command, let status):
            "\(command) ended with status \(status); "
                + "give the same command again to go on when it is mended"
        }
    }
}
