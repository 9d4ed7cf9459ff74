import FoundationEssentials
import Storage
import TestSupport
import Testing

@testable import GGUF

@Suite("GGUF files")
struct GGUFFileTests {
    private struct Blocks: Decodable {
        let values: [UInt32]
        let f32, f16, bf16, q8_0: String
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test("blocks are those of the gguf package, bit for bit", arguments: GGUFType.allCases)
    func blocks(type: GGUFType) throws {
        let blocks = try Fixtures.decode(Blocks.self, from: "blocks.json")
        var bytes: [UInt8] = []
        #expect(type.append(blocks.values.map(Float.init(bitPattern:)), to: &bytes))
        let expected = [
            GGUFType.f32: blocks.f32, .f16: blocks.f16, .bf16: blocks.bf16, .q8_0: blocks.q8_0,
        ]
        #expect(Self.hex(bytes) == expected[type])
    }

    @Test(
        "every pattern of half precision is its own nearest one, and midpoints go to the even one")
    func halfPrecision() {
        for bits in UInt16.min...UInt16.max {
            let value = HalfPrecision.float(bits)
            if value.isNaN {
                #expect(HalfPrecision.float(HalfPrecision.bits(value)).isNaN)
                continue
            }
            #expect(HalfPrecision.bits(value) == bits)
            guard bits & 0x7FFF < 0x7BFF else { continue }
            let middle = (value + HalfPrecision.float(bits + 1)) / 2
            #expect(HalfPrecision.bits(middle) == bits + bits % 2, "between \(bits) and the next")
        }
        #expect(HalfPrecision.bits(65520) == 0x7C00)
        #expect(HalfPrecision.bits(-.infinity) == 0xFC00)
    }

    private static var content: GGUFContent {
        GGUFContent(
            pairs: [("a", .uint32(7)), ("b", .texts([[104, 105], []]))],
            tensors: [
                GGUFTensor("t", shape: [2, 3], type: .f16) {
                    try $0.write([0, 1, 2, -1, -2, 0.5])
                },
                GGUFTensor("u", shape: [1], type: .f32) { try $0.write([1]) },
            ])
    }

    @Test("a small file has the bytes of the format's description")
    func bytes() throws {
        let folder = TemporaryFolder()
        let path = folder.file("small.gguf")
        try GGUFWriter.write(Self.content, to: path)
        let number = { (value: UInt64) in
            (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        }
        let word = { (value: UInt64) in Array(number(value)[..<4]) }
        var expected: [UInt8] = [71, 71, 85, 70] + word(3) + number(2) + number(2)
        expected += number(1) + [97] + word(4) + word(7)
        expected += number(1) + [98] + word(9) + word(8) + number(2)
        expected += number(2) + [104, 105] + number(0)
        expected += number(1) + [116] + word(2) + number(3) + number(2) + word(1) + number(0)
        expected += number(1) + [117] + word(1) + number(1) + word(0) + number(32)
        expected += [UInt8](repeating: 0, count: (32 - expected.count % 32) % 32)
        expected += [0, 0, 0, 0x3C, 0, 0x40, 0, 0xBC, 0, 0xC0, 0, 0x38]
        expected += [UInt8](repeating: 0, count: 20)
        expected += [0, 0, 0x80, 0x3F] + [UInt8](repeating: 0, count: 28)
        #expect(try ByteStream.contents(of: path) == expected)
        let file = try GGUFFile(path: path)
        #expect(file["a"] == .uint32(7))
        #expect(file["b"] == .texts([[104, 105], []]))
        #expect(file.tensors.map(\.name) == ["t", "u"])
        #expect(file.tensors[0].shape == [2, 3] && file.tensors[0].type == .f16)
        #expect(file.bytes(of: file.tensors[1]) == [0, 0, 0x80, 0x3F])
        #expect(GGUFFile.isOne(path))
    }

    @Test("a file that is cut off anywhere, or has a byte changed, never ends the program")
    func damage() throws {
        let folder = TemporaryFolder()
        let path = folder.file("small.gguf")
        try GGUFWriter.write(Self.content, to: path)
        let bytes = try ByteStream.contents(of: path)
        for end in 0..<bytes.count {
            try AtomicFile.write(to: path) { try $0.write(bytes[..<end]) }
            #expect(throws: GGUFError.self) { try GGUFFile(path: path) }
        }
        for index in bytes.indices {
            for value: UInt8 in [0, 1, 0x7F, 0xFF] {
                var changed = bytes
                changed[index] = value
                try AtomicFile.write(to: path) { try $0.write(changed) }
                _ = try? GGUFFile(path: path)
            }
        }
    }

    @Test("a value that the type cannot hold is refused, and no file is left")
    func overflow() throws {
        let folder = TemporaryFolder()
        let path = folder.file("large.gguf")
        for (type, value) in [(GGUFType.f16, Float(70000)), (.q8_0, .infinity), (.bf16, .nan)] {
            let tensor = GGUFTensor("w", shape: [1, 32], type: type) {
                try $0.write([Float](repeating: value, count: 32))
            }
            #expect(
                throws: GGUFError.notFinite(file: path, tensor: "w", type: type.name)
            ) {
                try GGUFWriter.write(GGUFContent(pairs: [], tensors: [tensor]), to: path)
            }
            #expect(!FilePath.exists(path))
        }
    }

    @Test("errors name the file, what was found and what was expected")
    func sentences() {
        #expect(
            "\(GGUFError.notFinite(file: "m.gguf", tensor: "w", type: "f16"))"
                == "m.gguf: tensor 'w' has a value that is not finite in f16, expected numbers; "
                + "take --outtype bf16 or f32")
        #expect(
            "\(GGUFError.malformed(file: "m.gguf", offset: 9, what: "axes", found: "5", expected: "1 to 4"))"
                == "m.gguf: axes at byte 9 is 5, expected 1 to 4")
    }
}
