import TestSupport
import Testing

@testable import Storage

@Suite("Safetensors writer")
struct SafetensorsWriterTests {
    let folder = TemporaryFolder()
    private typealias Spec = SafetensorsWriter.Spec

    @Test("what is written reads back, rounded where the type asks for it")
    func roundTrip() throws {
        let path = folder.file("m.safetensors")
        let long = (0..<100_003).map { Float($0) / 7 }
        try SafetensorsWriter.write(
            [
                Spec(name: "narrow", type: .bfloat16, shape: [100_003]),
                Spec(name: "wide", type: .float32, shape: [3, 1]),
                Spec(name: "scalar", type: .float32, shape: []),
                Spec(name: "empty", type: .float32, shape: [0, 4]),
                Spec(name: "raw", type: .int64, shape: [1]),
            ], to: path
        ) { spec, sink in
            switch spec.name {
            case "narrow":
                try sink.write(floats: long[..<50_000])
                try sink.write(floats: long[50_000...])
            case "wide": try sink.write(floats: [1.5, -0.0, .infinity])
            case "scalar": try sink.write(floats: CollectionOfOne(Float(7)))
            case "raw": try sink.write(bytes: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt8])
            default: try sink.write(floats: [])
            }
        }
        let file = try SafetensorsFile(path: path)
        #expect(file.metadata == ["format": "pt"])
        #expect(Set(file.tensors.map(\.name)) == ["raw", "wide", "scalar", "empty", "narrow"])
        #expect(try file.floats(of: file.tensor("wide")) == [1.5, -0.0, .infinity])
        #expect(try file.floats(of: file.tensor("scalar")) == [7])
        #expect(
            try file.floats(of: file.tensor("narrow"))
                == long.map { BFloat16.float(BFloat16.bits($0)) })
        #expect(try file.bytes(of: file.tensor("raw")).elementsEqual(1...8))
        for tensor in file.tensors {
            #expect(tensor.byteRange.lowerBound % (tensor.type.bits / 8) == 0, "\(tensor.name)")
        }
        #expect(folder.names() == ["m.safetensors"])
    }

    @Test("the bytes are those of the format: length, compact JSON, blanks up to 8, data")
    func bytes() throws {
        let path = folder.file("m.safetensors")
        try SafetensorsWriter.write(
            [
                Spec(name: "é\"", type: .bfloat16, shape: [1]),
                Spec(name: "b", type: .float32, shape: [1, 1]),
            ], metadata: ["format": "pt", "a": "1"], to: path
        ) { _, sink in
            try sink.write(floats: [1])
        }
        let header = """
            {"__metadata__":{"a":"1","format":"pt"},\
            "b":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},\
            "é\\"":{"dtype":"BF16","shape":[1],"data_offsets":[4,6]}}
            """
        let blanks = (8 - header.utf8.count % 8) % 8
        #expect(
            rawContents(path)
                == safetensors(
                    header + String(repeating: " ", count: blanks),
                    data: [0, 0, 0x80, 0x3F, 0x80, 0x3F]))
    }

    @Test("without metadata there is no entry for them")
    func noMetadata() {
        let header = SafetensorsWriter.header([], [:])
        #expect(header == safetensors("{}      "))
    }

    @Test("a failure leaves nothing behind")
    func aFailureLeavesNothing() throws {
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try SafetensorsWriter.write(
                [Spec(name: "a", type: .float32, shape: [2])], to: folder.file("m.safetensors")
            ) { _, sink in
                try sink.write(floats: [1])
                throw Stop()
            }
        }
        #expect(folder.names() == [])
    }
}
