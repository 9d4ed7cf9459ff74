@testable import Chat
@testable import Evaluation
@testable import GGUF
@testable import Kernels
@testable import LoRA
@testable import MambaLM
import Tensors

extension FuzzTarget {
    /// Readers of models, adapters, conversations and journals.
    static let models = [
        FuzzTarget(name: "configuration") { bytes in
            _ = try MambaConfiguration(file: InputFile.path("config.json", holding: bytes))
        },
        FuzzTarget(name: "adapter") { bytes in
            // The configuration up to the first byte 0, the tensors behind it.
            let end = bytes.firstIndex(of: 0) ?? bytes.endIndex
            _ = InputFile.path("adapter_config.json", holding: bytes[..<end])
            _ = InputFile.path("adapter_model.safetensors", holding: bytes[end...].dropFirst())
            _ = InputFile.path("adapters.safetensors", holding: bytes[end...].dropFirst())
            let adapters = try LoRAAdapterSet.read(InputFile.inFolder(), attachingTo: model())
                .adapters
            _ = adapters.note
        },
        FuzzTarget(name: "gguf") { bytes in
            let file = try GGUFFile(path: InputFile.path("model.gguf", holding: bytes))
            for tensor in file.tensors { _ = file.bytes(of: tensor) }
        },
        FuzzTarget(name: "session") { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            // With its digest, else nothing behind that check would be reached.
            let session = try SavedSession(
                text, digest: SavedSession.digest(of: text), file: "chat.session")
            let again = try SavedSession(
                session.text, digest: session.digest, file: "chat.session")
            precondition(again.text == session.text, "what is written reads otherwise")
        },
        FuzzTarget(name: "journal") { bytes in
            var content = ScoreJournalContent(run: "0123456789abcdef", engine: "cpu")
            try content.read(InputFile.path("scores.jsonl", holding: bytes))
        },
    ]

    private static func model() -> MambaModel {
        var configuration = MambaConfiguration()
        (configuration.vocabulary, configuration.model, configuration.inner) = (8, 4, 8)
        (configuration.layers, configuration.state, configuration.stepRank) = (1, 2, 1)
        var generator = SplitMix64(seed: 1)
        return MambaModel.random(configuration, engine: CPUEngine(threads: 1), using: &generator)
    }
}
