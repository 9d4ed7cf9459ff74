import Glibc
import TestSupport
import Testing

@testable import Storage

/// A file's bytes: the length of the header, the header, the data.
func safetensors(_ header: String, data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
    let length = length ?? UInt64(header.utf8.count)
    return withUnsafeBytes(of: length.littleEndian) { Array($0) } + Array(header.utf8) + data
}

@Suite("Safetensors file")
struct SafetensorsFileTests {
    let folder = TemporaryFolder()
    private var path: String { folder.file("a.safetensors") }

    private func open(_ bytes: [UInt8]) throws -> SafetensorsFile {
        try SafetensorsFile(path: folder.write(bytes, to: "a.safetensors"))
    }

    /// The header of one tensor, of which parts can be replaced.
    private func entry(
        name: String = "x", type: String = "\"F32\"", shape: String = "[2]",
        offsets: String = "[0,8]", more: String = ""
    ) -> String {
        "{\"\(name)\":{\"dtype\":\(type),\"shape\":\(shape),\"data_offsets\":\(offsets)\(more)}}"
    }

    @Test("tensors come in the order of their bytes, with their values")
    func tensorsInOrder() throws {
        let header = """
            {"b":{"dtype":"F32","shape":[2],"data_offsets":[6,14]},\
            "__metadata__":{"format":"pt","note":"é"},\
            "a":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]},\
            "s":{"dtype":"F16","shape":[],"data_offsets":[4,6]},\
            "e":{"dtype":"I64","shape":[0,3],"data_offsets":[6,6]}}
            """
        let file = try open(
            safetensors(
                header,
                data: [0x80, 0x3F, 0x00, 0xC0, 0x01, 0x00, 0, 0, 0x40, 0x40, 0, 0, 0x80, 0x7F]))
        #expect(file.tensors.map(\.name) == ["a", "s", "e", "b"])
        #expect(file.metadata == ["format": "pt", "note": "é"])
        #expect(try file.floats(of: file.tensor("a")) == [1, -2])
        #expect(try file.floats(of: file.tensor("s")) == [0x1p-24])
        #expect(try file.floats(of: file.tensor("b")) == [3, .infinity])
        #expect(try file.tensor("a").shape == [1, 2])
        #expect(try file.tensor("s").shape == [])
        #expect(try file.tensor("s").count == 1)
        let empty = try file.tensor("e")
        #expect(empty.count == 0)
        #expect(file.bytes(of: empty).isEmpty)
        #expect(file.bytes(of: try file.tensor("a")).elementsEqual([0x80, 0x3F, 0x00, 0xC0]))
        #expect(file.find("c") == nil)
        #expect(throws: SafetensorsError.missingTensor(file: path, name: "c")) {
            try file.tensor("c")
        }
        #expect(throws: SafetensorsError.notFloat(file: path, name: "e", type: .int64)) {
            try file.floats(of: empty)
        }
    }

    @Test("blanks behind the header and a file without tensors are fine")
    func blanks() throws {
        #expect(try open(safetensors("{}      ")).tensors == [])
        #expect(try open(safetensors(entry() + "   ", data: Array(0..<8))).tensors.count == 1)
    }

    @Test("names that are canonically equal are two names")
    func canonicalNames() throws {
        let header =
            "{\"\u{E9}\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
            + "\"e\u{301}\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}"
        let file = try open(safetensors(header, data: [7, 8]))
        #expect(try file.bytes(of: file.tensor("\u{E9}")).first == 7)
        #expect(try file.bytes(of: file.tensor("e\u{301}")).first == 8)
    }

    @Test(
        "every element type of the format is listed with its size", arguments: ElementType.allCases)
    func elementTypes(type: ElementType) throws {
        let bytes = 8 * type.bits / 8
        let header = entry(type: "\"\(type.rawValue)\"", shape: "[2,4]", offsets: "[0,\(bytes)]")
        let file = try open(safetensors(header, data: [UInt8](repeating: 0, count: bytes)))
        #expect(file.tensors.first?.type == type)
        #expect(file.tensors.first?.byteRange.count == bytes)
    }

    @Test("a lying header length is refused")
    func headerLength() {
        for count in 0..<8 {
            #expect(throws: SafetensorsError.tooShort(file: path, bytes: count)) {
                try open([UInt8](repeating: 0, count: count))
            }
        }
        #expect(throws: SafetensorsError.headerEmpty(file: path)) { try open(safetensors("")) }
        for length in [100_000_001, UInt64(Int.max), UInt64(Int.max) + 1, .max] as [UInt64] {
            #expect(
                throws: SafetensorsError.headerTooLong(
                    file: path, bytes: length, limit: 100_000_000)
            ) {
                try open(safetensors("{}", length: length))
            }
        }
        for length in [3, 100_000_000] as [UInt64] {
            #expect(
                throws: SafetensorsError.headerPastEnd(file: path, end: 8 + Int(length), size: 10)
            ) {
                try open(safetensors("{}", length: length))
            }
        }
    }

    @Test("a header that is not a JSON object of UTF-8 is refused")
    func headerText() {
        #expect(throws: SafetensorsError.headerNotUTF8(file: path, offset: 10)) {
            try open([4, 0, 0, 0, 0, 0, 0, 0] + [0x7B, 0x22, 0xFF, 0x7D])
        }
        #expect(
            throws: SafetensorsError.headerNotJSON(
                file: path, column: 2, fault: .end(expected: "a key in quotes"))
        ) {
            try open(safetensors("{"))
        }
        #expect(throws: SafetensorsError.headerKind(file: path, found: "an array")) {
            try open(safetensors("[]"))
        }
        #expect(
            throws: SafetensorsError.headerNotJSON(file: path, column: 9, fault: .depth(limit: 8))
        ) {
            try open(safetensors(String(repeating: "[", count: 100_000)))
        }
        // A million tensors, or a shape of 50 million sizes, took 10 to 20 s.
        let text = "{\"x\":{\"shape\":["
        let limit = SafetensorsHeader.valueLimit
        #expect(
            throws: SafetensorsError.headerNotJSON(
                file: path, column: text.count + 2 * (limit - 3) + 1, fault: .values(limit: limit))
        ) {
            try open(safetensors(text + String(repeating: "1,", count: limit)))
        }
        #expect(throws: SafetensorsError.duplicateName(file: path, name: "x")) {
            try open(safetensors("{\"x\":1,\"\\u0078\":2}"))
        }
        #expect(
            throws: SafetensorsError.metadataKind(file: path, key: nil, found: "a string")
        ) {
            try open(safetensors("{\"__metadata__\":\"pt\"}"))
        }
        #expect(
            throws: SafetensorsError.metadataKind(file: path, key: "a", found: "an integer")
        ) {
            try open(safetensors("{\"__metadata__\":{\"a\":1}}"))
        }
    }

    @Test("an entry of another form is refused")
    func entries() {
        func fault(_ header: String) -> SafetensorsError.EntryFault? {
            do {
                _ = try open(safetensors(header, data: Array(0..<8)))
            } catch SafetensorsError.entry(path, "x", let fault) {
                return fault
            } catch {}
            return nil
        }
        let sizes = "integers of at least 0"
        #expect(fault("{\"x\":[]}") == .kind(found: "an array"))
        #expect(fault("{\"x\":{}}") == .missing(field: "dtype"))
        #expect(fault("{\"x\":{\"dtype\":\"F32\"}}") == .missing(field: "shape"))
        #expect(
            fault("{\"x\":{\"dtype\":\"F32\",\"shape\":[]}}") == .missing(field: "data_offsets"))
        #expect(fault(entry(more: ",\"z\":1")) == .unknown(field: "z"))
        #expect(
            fault(entry(type: "1")) == .field("dtype", found: "an integer", expected: "a string"))
        #expect(
            fault(entry(shape: "2"))
                == .field("shape", found: "an integer", expected: "an array of integers"))
        #expect(fault(entry(shape: "[-2]")) == .field("shape", found: "-2", expected: sizes))
        #expect(fault(entry(shape: "[2.0]")) == .field("shape", found: "2.0", expected: sizes))
        #expect(fault(entry(shape: "[1,2.5]")) == .field("shape", found: "2.5", expected: sizes))
        #expect(
            fault(entry(shape: "[\"2\"]")) == .field("shape", found: "a string", expected: sizes))
        #expect(
            fault(entry(shape: "[9223372036854775808]"))
                == .field("shape", found: "9.223372036854776e+18", expected: sizes))
        #expect(
            fault(entry(offsets: "[8]"))
                == .field("data_offsets", found: "1 integers", expected: "2"))
        #expect(
            fault(entry(offsets: "[0,8,8]"))
                == .field("data_offsets", found: "3 integers", expected: "2"))
        #expect(
            fault(entry(offsets: "[-8,0]"))
                == .field("data_offsets", found: "-8", expected: sizes))
        #expect(
            fault(entry(offsets: "[0,18446744073709551616]"))
                == .field("data_offsets", found: "1.8446744073709552e+19", expected: sizes))
    }

    @Test("types, shapes and offsets that do not fit are refused, each in its own way")
    func sizes() {
        func error(_ header: String, data: Int = 8) -> SafetensorsError? {
            let data = [UInt8](repeating: 0, count: data)
            return #expect(throws: SafetensorsError.self) {
                try open(safetensors(header, data: data))
            }
        }
        let x = "x"
        #expect(
            error(entry(type: "\"F33\"")) == .unknownType(file: path, name: x, found: "F33"))
        #expect(error(entry(type: "\"f32\"")) == .unknownType(file: path, name: x, found: "f32"))
        for shape in [[1 << 32, 1 << 32], [1 << 62, 3], [Int.max], [Int.max, Int.max, 0]] {
            #expect(
                error(entry(shape: "\(shape)"))
                    == .shapeTooLarge(file: path, name: x, shape: shape))
        }
        #expect(
            error(entry(offsets: "[8,0]"))
                == .offsetsReversed(file: path, name: x, begin: 8, end: 0))
        #expect(
            error(entry(offsets: "[0,4]"))
                == .sizeMismatch(file: path, name: x, found: 4, expected: 8))
        #expect(
            error(entry(offsets: "[0,9223372036854775807]"))
                == .sizeMismatch(file: path, name: x, found: .max, expected: 8))
        #expect(
            error(entry(type: "\"F4\"", shape: "[3]", offsets: "[0,1]"), data: 1)
                == .sizeMismatch(file: path, name: x, found: 1, expected: 2))
        #expect(
            error(entry(), data: 7) == .dataPastEnd(file: path, name: x, end: 8, size: 7))
        #expect(
            error(entry(offsets: "[9223372036854775799,9223372036854775807]"))
                == .dataPastEnd(file: path, name: x, end: .max, size: 8))
        #expect(error(entry(), data: 9) == .leftover(file: path, bytes: 1))
        #expect(error("{}", data: 1) == .leftover(file: path, bytes: 1))
        #expect(
            error(entry(offsets: "[1,9]"), data: 9) == .gap(file: path, name: x, bytes: 1))
        let two = { (begin: Int) in
            "{\"y\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[\(begin),\(begin + 2)]},"
                + "\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}"
        }
        #expect(error(two(3), data: 5) == .overlap(file: path, name: "y", other: "x"))
        #expect(error(two(0), data: 4) == .overlap(file: path, name: "x", other: "y"))
        #expect(error(two(5), data: 7) == .gap(file: path, name: "y", bytes: 1))
    }

    @Test("missing files, folders and devices are refused")
    func badPaths() {
        let missing = folder.file("none")
        #expect(throws: FileError.system(file: missing, action: "open", code: ENOENT)) {
            try SafetensorsFile(path: missing)
        }
        for path in [folder.path, "/dev/null"] {
            #expect(throws: FileError.notRegular(file: path)) { try SafetensorsFile(path: path) }
        }
    }

    @Test("sentences name the file and the tensor, on one line")
    func sentences() {
        let mismatch = SafetensorsError.sizeMismatch(
            file: "m.safetensors", name: "a\nb", found: 4, expected: 8)
        #expect(
            "\(mismatch)"
                == "m.safetensors: tensor 'a\\u{a}b' has 4 bytes, its shape and dtype need 8")
        let entry = SafetensorsError.entry(
            file: "m", name: "x", fault: .field("shape", found: "-2", expected: "integers"))
        #expect("\(entry)" == "m: tensor 'x' has -2 in field 'shape', expected integers")
        let long = SafetensorsError.missingTensor(
            file: "m", name: String(repeating: "x", count: 1_000_000))
        #expect("\(long)".count < 300)
    }

    @Test("20,000 random edits of a header give an error or a consistent file")
    func fuzz() throws {
        let header = """
            {"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[2,3],\
            "data_offsets":[0,24]},"b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]},\
            "c":{"dtype":"F16","shape":[],"data_offsets":[32,34]}}
            """
        let seed = safetensors(header, data: Array(0..<34))
        let numbers = [
            "0", "1", "-1", "34", "1e3", "0.5", "9223372036854775807", "99999999999999999999",
        ]
        var generator = SeededGenerator(seed: 7)
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<max(bytes.count, 1), using: &generator)
                let byte = UInt8(truncatingIfNeeded: generator.next())
                switch Int.random(in: 0..<7, using: &generator) {
                case 0 where place < bytes.count: bytes[place] = byte
                case 1: bytes.insert(byte, at: place)
                case 2 where place < bytes.count: bytes.remove(at: place)
                case 3: bytes.removeLast(min(bytes.count, Int(byte) % 40))
                case 4: bytes.append(byte)
                case 5 where bytes.count > 8: bytes[Int(byte) % 8] = UInt8(place & 0xFF)
                default:
                    let digits = bytes.indices.filter { 0x30...0x39 ~= bytes[$0] && $0 >= 8 }
                    guard let digit = digits.randomElement(using: &generator),
                        let number = numbers.randomElement(using: &generator)
                    else { continue }
                    bytes.replaceSubrange(digit...digit, with: number.utf8)
                    let length = UInt64(bytes[0]) + UInt64(number.utf8.count) - 1
                    bytes[0] = UInt8(truncatingIfNeeded: length)
                }
            }
            let header: SafetensorsHeader
            do {
                header = try bytes.withUnsafeBytes { try SafetensorsHeader($0, file: "f") }
            } catch let error as SafetensorsError {
                #expect("\(error)".hasPrefix("f: "))
                continue
            }
            accepted += 1
            var end = header.tensors.first?.byteRange.lowerBound ?? bytes.count
            for tensor in header.tensors {
                #expect(tensor.byteRange.lowerBound == end)
                #expect(tensor.count == tensor.shape.reduce(1, *))
                #expect(tensor.byteRange.count * 8 == tensor.count * tensor.type.bits)
                end = tensor.byteRange.upperBound
            }
            #expect(end == bytes.count)
            // Only now and then, since writing a file takes longer than all the rest.
            guard accepted % 20 == 0 else { continue }
            let file = try open(bytes)
            for tensor in file.tensors {
                #expect(file.bytes(of: tensor).elementsEqual(bytes[tensor.byteRange]))
                if [.float32, .float16, .bfloat16].contains(tensor.type) {
                    #expect(try file.floats(of: tensor).count == tensor.count)
                }
            }
        }
        #expect(accepted > 100, "accepted \(accepted)")
    }
}
