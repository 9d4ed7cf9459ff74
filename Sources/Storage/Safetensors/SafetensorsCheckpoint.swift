/// The tensors of a checkpoint, in one safetensors file or spread over several.
public struct SafetensorsCheckpoint: Sendable {
    /// A tensor and the file that holds it.
    public struct Entry: Sendable {
        /// The file; keep it as the owner of the tensor's bytes.
        public let file: SafetensorsFile
        /// The tensor.
        public let tensor: SafetensorsTensor
    }

    /// The file, or the index of the files, that the tensors were found by.
    public let path: String
    /// The files, each mapped once; in the order of their names if there are several.
    public let files: [SafetensorsFile]

    private let entries: [ExactString: Entry]

    /// Opens a checkpoint.
    ///
    /// - Parameters:
    ///   - path: A safetensors file, an index (`….safetensors.index.json`), or a folder with
    ///     `STEM.safetensors` or, if that is absent, `STEM.safetensors.index.json`; where there is neither,
    ///     what PyTorch pickled as `STEM.bin` (`pytorch_model.bin` of a model) or its index.
    ///   - stem: The name of the files in a folder, without suffix.
    /// - Throws: ``SafetensorsError`` if no checkpoint is there, or file and index do not agree;
    ///   ``PickleError``, ``FileError`` and ``JSONError``.
    public init(path: String, stem: String = "model") throws {
        let found = try SafetensorsCheckpoint.locate(path, stem: stem)
        self.path = found
        if found.hasSuffix(".json") {
            (files, entries) = try SafetensorsCheckpoint.shards(of: found)
        } else {
            let file = try SafetensorsFile(path: found)
            files = [file]
            entries = Dictionary(
                uniqueKeysWithValues: file.tensors.map {
                    (ExactString($0.name), Entry(file: file, tensor: $0))
                })
        }
    }

    /// The names of all tensors, in the order of the files and of the bytes in them.
    public var names: [String] { files.flatMap { $0.tensors.map(\.name) } }

    /// The texts that the writer added to the first file, such as `format: pt`.
    public var metadata: [String: String] { files.first?.metadata ?? [:] }

    /// The tensor of a name with its file, nil if there is none.
    public func find(_ name: String) -> Entry? { entries[ExactString(name)] }

    /// The tensor of a name with its file.
    ///
    /// - Throws: ``SafetensorsError/missingTensor(file:name:)``.
    public func entry(_ name: String) throws -> Entry {
        guard let entry = find(name) else {
            throw SafetensorsError.missingTensor(file: path, name: name)
        }
        return entry
    }

    private static func locate(_ path: String, stem: String) throws -> String {
        guard FilePath.exists(path) else {
            throw SafetensorsError.noCheckpoint(looked: [path])
        }
        guard FilePath.isFolder(path) else { return path }
        let looked = ["\(stem).safetensors", "\(stem).safetensors.index.json"]
            .map { FilePath.join(path, $0) }
        if let found = looked.first(where: FilePath.exists) { return found }
        let pickle = (stem == "model" ? "pytorch_model" : stem) + ".bin"
        let pickles = [pickle, "\(pickle).index.json"].map { FilePath.join(path, $0) }
        if let found = pickles.first(where: FilePath.exists) { return found }
        throw SafetensorsError.noCheckpoint(looked: looked)
    }

    /// The most values in an index, each tensor being one.
    static let indexValueLimit = 200_000

    private static func shards(
        of index: String
    ) throws -> ([SafetensorsFile], [ExactString: Entry]) {
        let map = try JSONFields(
            JSONValue.read(
                index, limit: SafetensorsHeader.lengthLimit,
                options: JSONOptions(
                    refusesDuplicateKeys: true, valueLimit: indexValueLimit)), file: index
        ).object("weight_map")
        var names: [ExactString: [ExactString]] = [:]
        for tensor in map.object.keys {
            let shard = try map.string(tensor)
            guard isPlainName(shard) else {
                throw SafetensorsError.shardName(index: index, tensor: tensor, found: shard)
            }
            names[ExactString(shard), default: []].append(ExactString(tensor))
        }
        var files: [SafetensorsFile] = []
        var entries: [ExactString: Entry] = [:]
        let folder = FilePath.folder(of: index)
        for shard in names.keys.map(\.text).sorted(by: {
            $0.utf8.lexicographicallyPrecedes($1.utf8)
        }) {
            let file = try SafetensorsFile(path: FilePath.join(folder, shard))
            for name in names[ExactString(shard)] ?? [] {
                guard let tensor = file.find(name.text) else {
                    throw SafetensorsError.notInShard(
                        index: index, tensor: name.text, shard: shard)
                }
                entries[name] = Entry(file: file, tensor: tensor)
            }
            let unlisted = file.tensors.first { entries[ExactString($0.name)]?.file !== file }
            if let unlisted {
                throw SafetensorsError.notInIndex(
                    index: index, tensor: unlisted.name, shard: shard)
            }
            files.append(file)
        }
        return (files, entries)
    }

    /// Whether a name is one of a file in a folder, which leads nowhere else.
    private static func isPlainName(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".."
            && !name.utf8.contains(UInt8(ascii: "/")) && !name.utf8.contains(0)
    }
}
