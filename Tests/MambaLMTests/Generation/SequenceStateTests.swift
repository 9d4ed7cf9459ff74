import MambaLM
import Storage
import Tensors
import TestSupport
import Testing

@Suite("Files of states")
struct SequenceStateTests {
    private func model(seed: UInt64 = 5, inner: Int = 12, gain: Float = 1) -> MambaModel {
        var configuration = MambaConfiguration()
        (configuration.vocabulary, configuration.model, configuration.layers) = (30, 8, 2)
        (configuration.inner, configuration.state, configuration.stepRank) = (inner, 4, 2)
        var generator = SeededGenerator(seed: seed)
        let model = MambaModel.random(
            configuration, engine: makeEngine(threads: 1), using: &generator)
        model.flow = ChainFlow(gain: gain)
        return model
    }

    private func state(of model: MambaModel) throws -> SequenceState {
        try #require(model.readPrompt([1, 2, 3, 4, 5]).state)
    }

    @Test("a state is read back bit for bit, with what stands beside it")
    func roundTrip() throws {
        let (folder, model) = (TemporaryFolder(), model())
        let state = try state(of: model)
        try state.write(to: folder.file("s"), of: model, metadata: ["note": "ü"])
        let read = try SequenceState.read(folder.file("s"), for: model)
        #expect(read.position == 5)
        for (layer, expected) in zip(read.layers, state.layers) {
            #expect(layer.state.values == expected.state.values)
            #expect(layer.history.values == expected.history.values)
        }
        #expect(
            model.readPrompt([7], after: read).logits.values
                == model.readPrompt([7], after: state).logits.values)
        let file = try SafetensorsFile(path: folder.file("s"))
        #expect(file.metadata["note"] == "ü")
        #expect(file.metadata["topology"] == "chain, gain 1.0")
        #expect(file.tensors.map(\.name).sorted().first == "layers.0.history")
        #expect(state.bytes == 4 * 2 * (12 * 4 + 3 * 12))
    }

    @Test("a state of another model or topology is refused, and the error says what to use")
    func otherModels() throws {
        let (folder, model) = (TemporaryFolder(), model())
        let path = folder.file("s")
        try state(of: model).write(to: path, of: model)
        for other in [self.model(seed: 6), self.model(inner: 14)] {
            #expect(
                throws: SequenceStateError.mismatch(
                    file: path, key: "model", found: model.fingerprint.model,
                    expected: other.fingerprint.model)
            ) { try SequenceState.read(path, for: other) }
        }
        let error = #expect(throws: SequenceStateError.self) {
            try SequenceState.read(path, for: self.model(gain: 1.3))
        }
        #expect(
            error?.description
                == "\(path): state has topology 'chain, gain 1.0', expected 'chain, gain 1.3'; "
                + "use the topology that made it")
    }

    // A state that was all NaN was gone on from without a word.
    @Test(
        "a state that is not finite, or not what was written, is refused, and the error says where")
    func values() throws {
        let (folder, model) = (TemporaryFolder(), model())
        let path = folder.file("s")
        try state(of: model).write(to: path, of: model)
        let good = rawContents(path)
        for bits in [Float.nan, .infinity].map(\.bitPattern) {
            let value = (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
            folder.write(good.dropLast(4) + value, to: "s")
            #expect(
                throws: SequenceStateError.notFinite(file: path, tensor: "layers.1.state")
            ) { try SequenceState.read(path, for: model) }
        }
        for place in [1, 40, 160] {
            var bytes = good
            bytes[good.count - 4 * place] ^= 1
            folder.write(bytes, to: "s")
            let error = #expect(throws: SequenceStateError.damaged(file: path)) {
                try SequenceState.read(path, for: model)
            }
            #expect(
                error?.description
                    == "\(path): state is damaged: its values do not have the digest that was "
                    + "written with them")
        }
    }

    @Test("damaged files are refused", arguments: DamagedState.all)
    func damage(_ damage: DamagedState) throws {
        let (folder, model) = (TemporaryFolder(), model())
        let good = folder.file("good")
        try state(of: model).write(to: good, of: model)
        let file = try SafetensorsFile(path: good)
        var metadata = file.metadata
        damage.change(&metadata)
        let path = folder.file("bad")
        let specs = file.tensors.compactMap { damage.spec(of: $0) } + damage.extra
        try SafetensorsWriter.write(specs, metadata: metadata, to: path) { spec, sink in
            try sink.write(bytes: [UInt8](repeating: 0xff, count: spec.count * 4))
        }
        let error = #expect(throws: (any Error).self) {
            try SequenceState.read(path, for: model)
        }
        #expect("\(try #require(error))".hasPrefix("\(path): \(damage.message)"), "\(error as Any)")
    }

    @Test("a file cut anywhere, or with one byte changed, is refused or read: never a crash")
    func fuzz() throws {
        let (folder, model) = (TemporaryFolder(), model())
        try state(of: model).write(to: folder.file("good"), of: model)
        let good = rawContents(folder.file("good"))
        var generator = SeededGenerator(seed: 2)
        for round in 0..<400 {
            var bytes = good
            if round % 2 == 0 {
                bytes.removeLast(Int(generator.next() % UInt64(good.count)))
            } else {
                bytes[Int(generator.next() % 900)] = UInt8(truncatingIfNeeded: generator.next())
            }
            let path = folder.write(bytes, to: "bad")
            if let state = try? SequenceState.read(path, for: model) {
                _ = model.readPrompt([1], after: state)
            }
        }
    }
}

/// One way in which the file of a state is wrong.
struct DamagedState: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var message: String
    var key = ""
    var value: String?
    var without: String?
    var misshapen: String?
    var extra: [SafetensorsWriter.Spec] = []

    func change(_ metadata: inout [String: String]) {
        if !key.isEmpty { metadata[key] = value }
    }

    func spec(of tensor: SafetensorsTensor) -> SafetensorsWriter.Spec? {
        guard tensor.name != without else { return nil }
        let shape = tensor.name == misshapen ? tensor.shape.reversed() : tensor.shape
        return .init(name: tensor.name, type: .float32, shape: shape)
    }

    static let all = [
        DamagedState(
            testDescription: "no format", message: "not a state: metadata lack 'format'",
            key: "format"),
        DamagedState(
            testDescription: "another format", message: "state has format 'pt', expected",
            key: "format", value: "pt"),
        DamagedState(
            testDescription: "another version", message: "state has version '3', expected '2'",
            key: "version", value: "3"),
        DamagedState(
            testDescription: "a huge position",
            message: "state has position '9223372036854775807', expected 'a number of tokens'",
            key: "position", value: "9223372036854775807"),
        DamagedState(
            testDescription: "a negative position", message: "state has position '-1', expected",
            key: "position", value: "-1"),
        DamagedState(
            testDescription: "a missing tensor", message: "tensor 'layers.1.state'",
            without: "layers.1.state"),
        DamagedState(
            testDescription: "a misshapen tensor",
            message: "tensor 'layers.0.state' has shape [12, 4], expected [4, 12]",
            misshapen: "layers.0.state"),
        DamagedState(
            testDescription: "a tensor too many", message: "holds 5 tensors, expected 4",
            extra: [.init(name: "layers.2.state", type: .float32, shape: [12, 4])]),
    ]
}
