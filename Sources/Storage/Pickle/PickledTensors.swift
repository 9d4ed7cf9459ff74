/// The tensors of a checkpoint that `torch.save` wrote, found without running anything.
///
/// Such a file is a zip file with a pickle, which says what the tensors are, and an entry for each storage. Of the
/// pickle's instructions only those are followed that build dictionaries, tuples, texts and numbers; of the objects
/// that it may ask for, only ordered dictionaries, tensors, parameters and storages are known, and they are values
/// here, never code. All else is an error.
///
/// Source: `torch/serialization.py`, `torch/_utils.py`; Python's `pickletools` for the instructions.
struct PickledTensors {
    /// The tensors in the order of the pickle; several may share bytes, as tied weights do.
    let tensors: [SafetensorsTensor]

    /// Longer than any pickle of a checkpoint.
    static let pickleLimit = 1 << 26

    /// Whether a file is one, or is of PyTorch's format before 1.6.
    static func isOne(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.starts(with: ZipDirectory.magic) || bytes.starts(with: [0x80, 2, 0x8A, 0x0A])
    }

    /// Reads what the tensors are.
    ///
    /// - Parameters:
    ///   - bytes: The file's content.
    ///   - file: Its name, for messages.
    /// - Throws: ``PickleError``.
    init(_ bytes: UnsafeRawBufferPointer, file: String) throws {
        guard bytes.starts(with: ZipDirectory.magic) else { throw PickleError.legacy(file: file) }
        let entries = try ZipDirectory(bytes, file: file).ranges
        let pickles = entries.keys.filter { $0.hasSuffix("/data.pkl") || $0 == "data.pkl" }
        guard pickles.count == 1, let pickle = pickles.first, let place = entries[pickle] else {
            throw PickleError.missing(file: file, entry: "data.pkl")
        }
        guard place.count <= Self.pickleLimit else {
            throw PickleError.malformed(
                file: file, offset: place.lowerBound, found: "\(place.count) bytes",
                expected: "at most \(Self.pickleLimit)")
        }
        let folder = pickle.dropLast("data.pkl".count)
        if let order = entries[folder + "byteorder"], !bytes[order].elementsEqual("little".utf8) {
            throw PickleError.tensor(
                file: file, name: "byteorder",
                found: quoted(String(decoding: bytes[order], as: UTF8.self)),
                expected: "'little'")
        }
        let machine = PickleMachine(Array(bytes[place]), start: place.lowerBound, file: file)
        defer { machine.forget() }
        tensors = try machine.tensors().map { name, tensor in
            func wrong(_ found: String, _ expected: String) -> PickleError {
                .tensor(file: file, name: name, found: found, expected: expected)
            }
            guard let storage = entries[folder + "data/" + tensor.storage.key] else {
                throw PickleError.missing(file: file, entry: "data/\(tensor.storage.key)")
            }
            let known: [String: ElementType] = [
                "FloatStorage": .float32, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
            ]
            guard let type = known[tensor.storage.type] else {
                throw wrong(
                    "a tensor in a \(tensor.storage.type)",
                    "float32, float16 or bfloat16 (FloatStorage, HalfStorage or BFloat16Storage)")
            }
            let width = type.bits / 8
            guard storage.count / width == tensor.storage.count, storage.count % width == 0 else {
                throw wrong(
                    "in a storage of \(storage.count) bytes", "\(tensor.storage.count) elements")
            }
            guard let count = SafetensorsEntry.product(tensor.shape), tensor.offset >= 0,
                count <= tensor.storage.count,
                tensor.offset <= tensor.storage.count - count
            else {
                throw wrong(
                    "\(tensor.shape.prefix(16)) from element \(tensor.offset) on",
                    "a part of its storage of \(tensor.storage.count) elements")
            }
            guard tensor.isContiguous else {
                throw wrong(
                    "a tensor of shape \(tensor.shape.prefix(16)) with strides \(tensor.strides.prefix(16))",
                    "elements one after the other; save it after .contiguous()")
            }
            let begin = storage.lowerBound + tensor.offset * width
            return SafetensorsTensor(
                name: name, type: type, shape: tensor.shape,
                byteRange: begin..<(begin + count * width), count: count)
        }
    }
}

/// A tensor as a pickle describes it.
struct PickledTensor: Equatable {
    /// Memory that tensors lie in.
    struct Storage: Equatable {
        let key: String
        /// The class, such as `FloatStorage`.
        let type: String
        /// How many elements it has.
        let count: Int
    }

    let storage: Storage
    let offset: Int
    let shape: [Int]
    let strides: [Int]

    /// Whether the elements lie one after the other, the last axis fastest.
    var isContiguous: Bool {
        if shape.contains(0) { return true }
        var expected = 1
        for (size, stride) in zip(shape, strides).reversed() where size != 1 {
            guard stride == expected else { return false }
            expected *= size
        }
        return true
    }
}
