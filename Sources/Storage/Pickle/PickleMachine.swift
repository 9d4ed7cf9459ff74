/// Follows a pickle's instructions on a stack of values, and runs nothing.
///
/// Source: Python's `pickletools`.
final class PickleMachine {
    /// What a pickle can build here.
    private enum Value {
        case none
        case bool(Bool)
        case integer(Int)
        case number
        case text(String)
        case tuple([Value], depth: Int)
        case list(Box)
        case dictionary(Box)
        /// The name of a class or function that is known.
        case global(String)
        case storage(PickledTensor.Storage)
        case tensor(PickledTensor)

        /// How deep tuples are in it.
        var depth: Int {
            if case .tuple(_, let depth) = self { depth } else { 0 }
        }

        /// What it is, in a word.
        var kind: String {
            switch self {
            case .none: "None"
            case .bool: "a truth value"
            case .integer, .number: "a number"
            case .text: "a text"
            case .tuple: "a tuple"
            case .list: "a list"
            case .dictionary: "a dictionary"
            case .global(let name): name
            case .storage: "a storage"
            case .tensor: "a tensor"
            }
        }
    }

    /// What changes after it was built, so that all that name it see the change.
    private final class Box {
        var members: [(key: Value, value: Value)] = []
    }

    /// Far more than a checkpoint's, so that no input fills the memory.
    private static let (valueLimit, depthLimit) = (1 << 22, 16)

    private let code: [UInt8]
    /// Where the pickle is in its file, and the file, for messages.
    private let start: Int
    private let file: String
    private var position = 0
    private var stack: [Value] = []
    private var marks: [Int] = []
    private var memo: [Int: Value] = [:]
    private var boxes: [Box] = []
    private var count = 0

    init(_ code: [UInt8], start: Int, file: String) {
        (self.code, self.start, self.file) = (code, start, file)
    }

    /// Empties every list and dictionary, which might hold one another.
    func forget() {
        for box in boxes { box.members = [] }
        (boxes, memo, stack) = ([], [:], [])
    }

    /// The tensors of the dictionary that the pickle builds, each name once.
    func tensors() throws -> [(name: String, tensor: PickledTensor)] {
        while try !step() {}
        guard stack.count == 1, case .dictionary(let box) = stack[0] else {
            throw malformed(stack.last?.kind ?? "nothing", "a dictionary of tensors")
        }
        var names: Set<String> = []
        return try box.members.map { key, value in
            guard case .text(let name) = key else {
                throw malformed("\(key.kind) for a name", "a text")
            }
            guard case .tensor(let tensor) = value else {
                throw PickleError.tensor(
                    file: file, name: name, found: value.kind,
                    expected: "a tensor; take the model's own dictionary (state_dict) alone")
            }
            guard names.insert(name).inserted else {
                throw malformed("tensor \(quoted(name)) twice", "each name once")
            }
            return (name, tensor)
        }
    }

    /// Follows one instruction.
    ///
    /// - Returns: Whether it was the last.
    private func step() throws -> Bool {
        let instruction = try byte()
        switch instruction {
        case UInt8(ascii: "."): return true
        case 0x80:  // PROTO
            let version = try byte()
            guard (2...5).contains(version) else {
                throw malformed("protocol \(version)", "2 to 5")
            }
        case 0x95: _ = try number(8)  // FRAME
        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: "N"): try push(.none)
        case 0x88: try push(.bool(true))
        case 0x89: try push(.bool(false))
        case UInt8(ascii: "K"): try push(.integer(try number(1)))
        case UInt8(ascii: "M"): try push(.integer(try number(2)))
        case UInt8(ascii: "J"):
            try push(.integer(Int(Int32(truncatingIfNeeded: try number(4)))))
        case 0x8A: try push(.integer(try long()))
        case UInt8(ascii: "G"):
            _ = try bytes(8)
            try push(.number)
        case UInt8(ascii: "X"): try push(.text(try text(try number(4))))
        case 0x8C: try push(.text(try text(try number(1))))
        case 0x8D: try push(.text(try text(try number(8))))
        case UInt8(ascii: "U"): try push(.text(try text(try number(1))))
        case UInt8(ascii: ")"): try push(.tuple([], depth: 1))
        case 0x85: try push(tuple(try pop(1)))
        case 0x86: try push(tuple(try pop(2)))
        case 0x87: try push(tuple(try pop(3)))
        case UInt8(ascii: "t"): try push(tuple(try popToMark()))
        case UInt8(ascii: "]"): try push(.list(box()))
        case UInt8(ascii: "}"): try push(.dictionary(box()))
        case UInt8(ascii: "a"): try append(try pop(1))
        case UInt8(ascii: "e"): try append(try popToMark())
        case UInt8(ascii: "s"): try set(try pop(2))
        case UInt8(ascii: "u"): try set(try popToMark())
        case UInt8(ascii: "0"): _ = try pop(1)
        case UInt8(ascii: "q"): memo[try number(1)] = try top()
        case UInt8(ascii: "r"): memo[try number(4)] = try top()
        case 0x94: memo[memo.count] = try top()
        case UInt8(ascii: "h"): try push(try remembered(try number(1)))
        case UInt8(ascii: "j"): try push(try remembered(try number(4)))
        case UInt8(ascii: "c"):
            let (place, module) = (position, try line())
            try push(global(module, try line(), at: place))
        case 0x93:
            let names = try pop(2)
            guard case .text(let module) = names[0], case .text(let name) = names[1] else {
                throw malformed("\(names[1].kind) for a name", "texts")
            }
            try push(global(module, name, at: position))
        case UInt8(ascii: "Q"): try push(storage(try pop(1)[0]))
        case UInt8(ascii: "R"):
            let call = try pop(2)
            try push(result(of: call[0], call[1]))
        // The attributes of a dictionary, such as the versions of its modules, say nothing of tensors.
        case UInt8(ascii: "b"):
            _ = try pop(1)
            guard case .dictionary = try top() else {
                throw malformed("attributes of \(try top().kind)", "those of a dictionary")
            }
        default:
            throw PickleError.instruction(
                file: file, offset: start + position - 1, code: instruction)
        }
        return false
    }

    // What is known by name.

    private static let globals: Set<String> = [
        "collections.OrderedDict", "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_parameter",
    ]

    private func global(_ module: String, _ name: String, at place: Int) throws -> Value {
        let full = module + "." + name
        let isStorage =
            module == "torch" && name.hasSuffix("Storage") && name.utf8.count < 32
            && name.utf8.allSatisfy { $0 != UInt8(ascii: ".") }
        guard Self.globals.contains(full) || isStorage else {
            throw PickleError.global(file: file, offset: start + place, name: full)
        }
        return .global(isStorage ? name : full)
    }

    /// `('storage', class, key, device, count)`.
    private func storage(_ value: Value) throws -> Value {
        guard case .tuple(let parts, _) = value, parts.count == 5,
            case .text("storage") = parts[0], case .global(let type) = parts[1],
            case .text(let key) = parts[2], case .integer(let count) = parts[4], count >= 0,
            !Self.globals.contains(type)
        else { throw malformed(value.kind + " for a storage", "what torch.save writes") }
        return .storage(.init(key: key, type: type, count: count))
    }

    private func result(of function: Value, _ arguments: Value) throws -> Value {
        guard case .global(let name) = function, case .tuple(let parts, _) = arguments else {
            throw malformed("a call of \(function.kind)", "a function by name")
        }
        switch name {
        case "collections.OrderedDict":
            guard parts.isEmpty else { throw malformed("an OrderedDict of something", "()") }
            return .dictionary(box())
        case "torch._utils._rebuild_tensor_v2":
            guard parts.count == 6 || parts.count == 7, case .storage(let storage) = parts[0],
                case .integer(let offset) = parts[1], let shape = integers(parts[2]),
                let strides = integers(parts[3]), shape.count == strides.count,
                shape.allSatisfy({ $0 >= 0 })
            else { throw malformed("a tensor of other parts", "what torch.save writes") }
            return .tensor(
                PickledTensor(storage: storage, offset: offset, shape: shape, strides: strides))
        case "torch._utils._rebuild_parameter":
            guard parts.count == 3, case .tensor = parts[0] else {
                throw malformed("a parameter of other parts", "what torch.save writes")
            }
            return parts[0]
        default: throw malformed("a call of \(name)", "a function")
        }
    }

    private func integers(_ value: Value) -> [Int]? {
        guard case .tuple(let parts, _) = value, parts.count <= 16 else { return nil }
        var result: [Int] = []
        for part in parts {
            guard case .integer(let integer) = part else { return nil }
            result.append(integer)
        }
        return result
    }

    // The stack.

    private func push(_ value: Value) throws {
        count += 1
        guard count <= Self.valueLimit else {
            throw malformed("more than \(Self.valueLimit) values", "fewer")
        }
        stack.append(value)
    }

    private func top() throws -> Value {
        guard let value = stack.last, stack.count > marks.last ?? 0 else {
            throw malformed("no value", "one")
        }
        return value
    }

    private func pop(_ count: Int) throws -> [Value] {
        guard stack.count - count >= marks.last ?? 0 else {
            throw malformed("too few values", "\(count)")
        }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private func popToMark() throws -> [Value] {
        guard let mark = marks.popLast() else { throw malformed("no mark", "one") }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }

    private func tuple(_ parts: [Value]) throws -> Value {
        let depth = 1 + (parts.map(\.depth).max() ?? 0)
        guard depth <= Self.depthLimit else {
            throw malformed("tuples \(depth) deep", "at most \(Self.depthLimit)")
        }
        return .tuple(parts, depth: depth)
    }

    private func box() -> Box {
        let box = Box()
        boxes.append(box)
        return box
    }

    private func append(_ values: [Value]) throws {
        guard case .list(let box) = try top() else { throw malformed(try top().kind, "a list") }
        box.members += values.map { (.none, $0) }
    }

    private func set(_ values: [Value]) throws {
        guard case .dictionary(let box) = try top(), values.count % 2 == 0 else {
            throw malformed(try top().kind, "a dictionary and pairs")
        }
        for index in stride(from: 0, to: values.count, by: 2) {
            box.members.append((values[index], values[index + 1]))
        }
    }

    private func remembered(_ index: Int) throws -> Value {
        guard let value = memo[index] else { throw malformed("value \(index)", "one from before") }
        return value
    }

    // The bytes.

    private func bytes(_ count: Int) throws -> ArraySlice<UInt8> {
        guard count <= code.count - position else { throw malformed("its end", "more") }
        defer { position += count }
        return code[position..<(position + count)]
    }

    private func byte() throws -> UInt8 { UInt8(try number(1)) }

    private func number(_ count: Int) throws -> Int {
        let value = try bytes(count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard value < 1 << 62 else { throw malformed("the number \(value)", "a smaller one") }
        return Int(value)
    }

    /// An integer of up to 8 bytes, with a sign.
    private func long() throws -> Int {
        let count = try number(1)
        guard count <= 8 else { throw malformed("an integer of \(count) bytes", "at most 8") }
        let digits = try bytes(count)
        let isNegative = (digits.last ?? 0) & 0x80 != 0
        let value = digits.reversed().reduce(isNegative ? UInt64.max : 0) { $0 << 8 | UInt64($1) }
        return Int(Int64(bitPattern: value))
    }

    private func text(_ count: Int) throws -> String {
        let utf8 = try bytes(count)
        guard let text = String(validating: utf8, as: UTF8.self) else {
            throw malformed("a text that is not UTF-8", "UTF-8")
        }
        return text
    }

    private func line() throws -> String {
        guard let end = code[position...].firstIndex(of: UInt8(ascii: "\n")) else {
            throw malformed("its end", "a name")
        }
        defer { position = end + 1 }
        return String(decoding: code[position..<end], as: UTF8.self)
    }

    private func malformed(_ found: String, _ expected: String) -> PickleError {
        .malformed(file: file, offset: start + position, found: found, expected: expected)
    }
}
