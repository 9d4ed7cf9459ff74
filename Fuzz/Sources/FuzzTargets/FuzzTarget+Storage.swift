@testable import Storage

extension FuzzTarget {
    /// Readers of Storage.
    static let storage = [
        FuzzTarget(name: "json") { bytes in
            let value = try JSONValue(
                parsing: bytes, file: "fuzz.json", options: JSONOptions(allowsNonFinite: true))
            let text = JSONWriter().string(value)
            let again = try JSONValue(
                parsing: text, file: "fuzz.json", options: JSONOptions(allowsNonFinite: true))
            precondition(JSONWriter().string(again) == text, "what is written reads otherwise")
        },
        FuzzTarget(name: "pickle") { bytes in
            let file = try SafetensorsFile(
                path: InputFile.path("pytorch_model.bin", holding: bytes))
            for tensor in file.tensors { _ = try file.floats(of: tensor) }
        },
        FuzzTarget(name: "safetensors") { bytes in
            let file = try SafetensorsFile(
                path: InputFile.path("model.safetensors", holding: bytes))
            for tensor in file.tensors where tensor.count <= 1 << 16 {
                _ = try file.floats(of: tensor)
            }
        },
        FuzzTarget(name: "safetensors-index") { bytes in
            // The shard that seeds name: two empty tensors.
            let header =
                #"{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"#
                + #""b":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#
            let size = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init)
            _ = InputFile.path("a.safetensors", holding: size + Array(header.utf8))
            _ = try SafetensorsCheckpoint(
                path: InputFile.path("model.safetensors.index.json", holding: bytes)
            ).names
        },
        FuzzTarget(name: "gzip") { bytes in
            let path = InputFile.path("lines.jsonl.gz", holding: bytes)
            _ = try ByteStream.contents(of: path, limit: 1 << 22)
        },
        FuzzTarget(name: "parquet") { bytes in
            let records = try JSONRecords(path: InputFile.path("rows.parquet", holding: bytes))
            // A few bytes can stand for billions of rows.
            var rows = 0
            while rows < 10_000, try records.next() != nil { rows += 1 }
        },
        FuzzTarget(name: "table") { bytes in
            _ = try JSONRecords(path: InputFile.path("table.csv", holding: bytes)).all()
        },
        FuzzTarget(name: "zstd") { bytes in
            let path = InputFile.path("lines.jsonl.zst", holding: bytes)
            _ = try ByteStream.contents(of: path, limit: 1 << 22)
            let reader = try LineReader(path: path, lineLimit: 1 << 16)
            var lines = 0
            while try reader.next() != nil, lines < 10_000 { lines += 1 }
        },
    ]
}
