import Glibc
import TestSupport
import Testing

@testable import Storage

@Suite("Safetensors checkpoint")
struct SafetensorsCheckpointTests {
    let folder = TemporaryFolder()
    private var index: String { folder.file("model.safetensors.index.json") }

    private func write(_ name: String, _ tensors: [String]) throws {
        try SafetensorsWriter.write(
            tensors.map { SafetensorsWriter.Spec(name: $0, type: .float32, shape: [1]) },
            to: folder.file(name)
        ) { spec, sink in try sink.write(floats: [Float(spec.name.utf8.first ?? 0)]) }
    }

    private func write(index map: JSONValue) throws {
        try AtomicFile.write(
            JSONWriter(indent: 2).string(["metadata": ["total_size": 8], "weight_map": map]),
            to: index)
    }

    @Test("one file, by its folder or by its own path")
    func oneFile() throws {
        try write("model.safetensors", ["b", "a"])
        for path in [folder.path, folder.path + "/", folder.file("model.safetensors")] {
            let checkpoint = try SafetensorsCheckpoint(path: path)
            #expect(checkpoint.names == ["b", "a"])
            #expect(checkpoint.metadata == ["format": "pt"])
            let entry = try checkpoint.entry("a")
            #expect(try entry.file.floats(of: entry.tensor) == [97])
            #expect(checkpoint.find("c") == nil)
            #expect(throws: SafetensorsError.missingTensor(file: checkpoint.path, name: "c")) {
                try checkpoint.entry("c")
            }
        }
        try write("adapter_model.safetensors", ["c"])
        #expect(
            try SafetensorsCheckpoint(path: folder.path, stem: "adapter_model").names == ["c"])
    }

    @Test("several files, each opened once")
    func severalFiles() throws {
        try write("model-00001-of-00002.safetensors", ["b", "a"])
        try write("model-00002-of-00002.safetensors", ["c"])
        try write(index: [
            "c": "model-00002-of-00002.safetensors", "a": "model-00001-of-00002.safetensors",
            "b": "model-00001-of-00002.safetensors",
        ])
        for path in [folder.path, index] {
            let checkpoint = try SafetensorsCheckpoint(path: path)
            #expect(checkpoint.names == ["b", "a", "c"])
            #expect(checkpoint.files.count == 2)
            for name in checkpoint.names {
                let entry = try checkpoint.entry(name)
                #expect(entry.tensor.name == name)
                #expect(
                    try entry.file.floats(of: entry.tensor) == [Float(name.utf8.first ?? 0)])
            }
        }
        // A single file comes first, as in transformers.
        try write("model.safetensors", ["z"])
        #expect(try SafetensorsCheckpoint(path: folder.path).names == ["z"])
    }

    @Test(
        "a shard's name that leads out of the folder is refused before anything is opened",
        arguments: [
            "../model.safetensors", "/etc/passwd", "..", ".", "", "a/b.safetensors", "a\0b", "./a",
        ])
    func hostileNames(name: String) throws {
        try write(index: ["x": .string(name)])
        #expect(throws: SafetensorsError.shardName(index: index, tensor: "x", found: name)) {
            try SafetensorsCheckpoint(path: folder.path)
        }
    }

    @Test("index and shards must agree")
    func agreement() throws {
        try write("s1", ["a"])
        try write("s2", ["b", "c"])
        try write(index: ["a": "s1", "b": "s1", "c": "s2"])
        #expect(throws: SafetensorsError.notInShard(index: index, tensor: "b", shard: "s1")) {
            try SafetensorsCheckpoint(path: folder.path)
        }
        try write(index: ["a": "s1", "b": "s2"])
        #expect(throws: SafetensorsError.notInIndex(index: index, tensor: "c", shard: "s2")) {
            try SafetensorsCheckpoint(path: folder.path)
        }
        try write("s1", ["a", "b"])
        try write(index: ["a": "s1", "b": "s2", "c": "s2"])
        #expect(throws: SafetensorsError.notInIndex(index: index, tensor: "b", shard: "s1")) {
            try SafetensorsCheckpoint(path: folder.path)
        }
        try write(index: ["a": "s3"])
        #expect(
            throws: FileError.system(file: folder.file("s3"), action: "open", code: ENOENT)
        ) {
            try SafetensorsCheckpoint(path: folder.path)
        }
        try write(index: ["a": 1])
        #expect(
            throws: JSONError.fieldKind(
                place: index, field: "weight_map.a", found: "an integer", expected: "a string")
        ) {
            try SafetensorsCheckpoint(path: folder.path)
        }
        folder.write(
            "{\"weight_map\": {\"a\": \"s1\", \"a\": \"s2\"}}", to: "model.safetensors.index.json")
        #expect(throws: JSONError.self) { try SafetensorsCheckpoint(path: folder.path) }
    }

    @Test("an index of too many tensors is refused before any file is opened")
    func manyTensors() {
        let names = (0...SafetensorsCheckpoint.indexValueLimit).map { "\"\($0)\":\"a\"" }
        let path = folder.write(
            "{\"weight_map\":{" + names.joined(separator: ",") + "}}",
            to: "model.safetensors.index.json")
        let error = #expect(throws: JSONError.self) { try SafetensorsCheckpoint(path: path) }
        guard
            case .syntax(path, 1, _, .values(limit: SafetensorsCheckpoint.indexValueLimit)) = error
        else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("what is not there is named with the paths looked for")
    func missing() throws {
        let looked = [folder.file("model.safetensors"), index]
        #expect(throws: SafetensorsError.noCheckpoint(looked: looked)) {
            try SafetensorsCheckpoint(path: folder.path)
        }
        let none = folder.file("none")
        #expect(throws: SafetensorsError.noCheckpoint(looked: [none])) {
            try SafetensorsCheckpoint(path: none)
        }
        #expect(
            "\(SafetensorsError.noCheckpoint(looked: ["m/a", "m/b"]))"
                == "m/a: not found, nor m/b")
    }
}
