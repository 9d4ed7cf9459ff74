import FoundationEssentials
import TestSupport
import Testing

@testable import Storage

@Suite("Checkpoints that PyTorch pickled")
struct PickledTensorsTests {
    private struct Expected: Decodable {
        let shape: [Int]
        let values: [Float]
    }

    private static func path(_ name: String) -> String { Fixtures.path("pickles/\(name).bin") }

    private static func bytes(_ name: String) throws -> [UInt8] {
        try ByteStream.contents(of: path(name))
    }

    @Test("tensors are those of PyTorch", arguments: ["tied", "types", "parameters", "protocol4"])
    func tensors(name: String) throws {
        let expected = try Fixtures.decode(
            [String: [String: Expected]].self, from: "pickles/expected.json")
        let tensors = try #require(expected[name])
        let file = try SafetensorsFile(path: Self.path(name))
        #expect(Set(file.tensors.map(\.name)) == Set(tensors.keys))
        for (key, wanted) in tensors {
            let tensor = try file.tensor(key)
            #expect(tensor.shape == wanted.shape)
            #expect(try file.floats(of: tensor) == wanted.values, "\(key)")
        }
    }

    @Test("tied weights lie in the same bytes")
    func tied() throws {
        let tensors = try SafetensorsFile(path: Self.path("tied")).tensors
        #expect(tensors.count == 2 && tensors[0].byteRange == tensors[1].byteRange)
    }

    @Test("what is no tensor is refused by name, and nothing is run")
    func refusals() throws {
        func error(_ name: String) -> PickleError? {
            #expect(throws: PickleError.self) { try SafetensorsFile(path: Self.path(name)) }
        }
        let harmful = try #require(error("harmful"))
        guard case .global(_, let offset, "__builtin__.print") = harmful else {
            Issue.record("\(harmful)")
            return
        }
        #expect(offset > 0 && "\(harmful)".contains("asks for '__builtin__.print' at byte"))
        #expect("\(harmful)".contains("nothing of it was run"))
        let transposed = try #require(error("transposed"))
        #expect("\(transposed)".contains("'w' is a tensor of shape [4, 3] with strides [1, 4]"))
        #expect("\(try #require(error("integers")))".contains("'w' is a tensor in a LongStorage"))
        let nested = try #require(error("nested"))
        #expect("\(nested)".contains("'state_dict' is a dictionary, expected a tensor"))
        #expect(
            "\(try #require(error("deflated")))".contains("is compressed, expected entries stored"))
        #expect(error("legacy") == .legacy(file: Self.path("legacy")))
    }

    @Test("a folder's pickle is taken where it has no safetensors")
    func folders() throws {
        let folder = TemporaryFolder()
        let pickle = folder.file("pytorch_model.bin")
        let content = try Self.bytes("types")
        try AtomicFile.write(to: pickle) { try $0.write(content) }
        #expect(try SafetensorsCheckpoint(path: folder.path).path == pickle)
        let adapter = folder.file("adapter_model.bin")
        try AtomicFile.write(to: adapter) { try $0.write(content) }
        #expect(
            try SafetensorsCheckpoint(path: folder.path, stem: "adapter_model").path == adapter)
        let safe = folder.file("model.safetensors")
        try SafetensorsWriter.write([], to: safe) { _, _ in }
        #expect(try SafetensorsCheckpoint(path: folder.path).path == safe)
    }

    @Test("the parts of an index may be pickles")
    func parts() throws {
        let folder = TemporaryFolder()
        for name in ["types", "parameters"] {
            let content = try Self.bytes(name)
            try AtomicFile.write(to: folder.file("\(name).bin")) { try $0.write(content) }
        }
        let names = ["float32", "float16", "bfloat16", "part", "scalar", "empty"]
        let map = names.map { ($0, JSONValue.string("types.bin")) } + [("w", "parameters.bin")]
        let index: JSONValue = ["weight_map": .object(JSONObject(map))]
        try AtomicFile.write(
            JSONWriter().string(index), to: folder.file("pytorch_model.bin.index.json"))
        let checkpoint = try SafetensorsCheckpoint(path: folder.path)
        #expect(checkpoint.names.count == 7)
        #expect(try checkpoint.entry("w").tensor.shape == [1, 4])
    }

    @Test("a file that is cut off, or has a byte changed, is an error or tensors within it")
    func damage() throws {
        let whole = try Self.bytes("tied")
        func read(_ bytes: [UInt8]) -> [SafetensorsTensor]? {
            bytes.withUnsafeBytes { try? PickledTensors($0, file: "x.bin").tensors }
        }
        for end in 0..<whole.count { #expect(read(Array(whole[..<end])) == nil, "\(end) bytes") }
        for index in whole.indices {
            for value: UInt8 in [0, 1, 0x2E, 0x52, 0x7F, 0xFF] {
                var bytes = whole
                bytes[index] = value
                for tensor in read(bytes) ?? [] {
                    #expect(tensor.byteRange.upperBound <= bytes.count)
                    #expect(tensor.byteRange.count == tensor.count * tensor.type.bits / 8)
                }
            }
        }
    }

    @Test("no chain of tuples, lists or dictionaries ends the program")
    func nesting() {
        func read(_ pickle: [UInt8]) -> PickleError? {
            let zip = Zip.stored([("x/data.pkl", [0x80, 2] + pickle)])
            do {
                _ = try zip.withUnsafeBytes { try PickledTensors($0, file: "x.bin") }
                return nil
            } catch { return error as? PickleError }
        }
        let count = 200_000
        let tuples = [UInt8(ascii: ")")] + [UInt8](repeating: 0x85, count: count)
        #expect("\(read(tuples).map { "\($0)" } ?? "")".contains("tuples 17 deep"))
        // A list in a list in a list, and one in itself.
        let lists =
            [UInt8](repeating: UInt8(ascii: "]"), count: count)
            + [UInt8](repeating: UInt8(ascii: "a"), count: count - 1) + [UInt8(ascii: ".")]
        #expect(read(lists) != nil)
        #expect(read(Array("]q\u{1}h\u{1}a.".utf8)) != nil)
        let empty = Array("}.".utf8)
        #expect(read(empty) == nil)
    }
}

/// Zip files as PyTorch writes them.
private enum Zip {
    static func stored(_ entries: [(name: String, content: [UInt8])]) -> [UInt8] {
        func number(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        }
        var (data, directory): ([UInt8], [UInt8]) = ([], [])
        for (name, content) in entries {
            let sizes = number(content.count, 4) + number(content.count, 4)
            let lengths = number(name.utf8.count, 2) + number(0, 2)
            let common = number(0, 2) + number(0, 2) + number(0, 8) + sizes + lengths
            directory += [0x50, 0x4B, 1, 2, 0, 0] + number(0, 2) + common + number(0, 10)
            directory += number(data.count, 4) + Array(name.utf8)
            data += [0x50, 0x4B, 3, 4] + number(0, 2) + common + Array(name.utf8) + content
        }
        return data + directory + [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + number(entries.count, 2)
            + number(entries.count, 2) + number(directory.count, 4) + number(data.count, 4)
            + number(0, 2)
    }
}
