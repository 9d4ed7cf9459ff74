import LoRA
import Testing

@Suite("Sentences of adapter errors")
struct LoRAErrorTests {
    @Test(
        "every case says what, where, found, expected and the remedy",
        arguments: [
            (
                .noTargets(file: nil, available: ["a", "b"]),
                "no target module is given; choose from a, b"
            ),
            (
                .unknownTarget(
                    file: "adapter_config.json", name: "q_proj",
                    available: ["in_proj", "x_proj", "dt_proj", "out_proj"]),
                "adapter_config.json: target module 'q_proj' is in no layer of this model; "
                    + "choose from in_proj, x_proj, dt_proj, out_proj"
            ),
            (
                .unknownTarget(file: nil, name: "a\nb", available: ["c"]),
                "target module 'a\\u{a}b' is in no layer of this model; choose from c"
            ),
            (
                .unknownPattern(file: "f", name: "x"),
                "f: pattern 'x' fits no layer with an adapter"
            ),
            (
                .outOfRange(file: "f", field: "r", found: "0", expected: "an integer in 1...65536"),
                "f: field 'r' is 0, expected an integer in 1...65536"
            ),
            (
                .unsupported(file: "f", field: "bias", found: "\"all\"", expected: "\"none\""),
                "f: field 'bias' is \"all\", which is not supported, expected \"none\""
            ),
            (
                .unknownFormat(file: "f"),
                "f: is no adapter configuration, expected field 'peft_type' (PEFT) "
                    + "or 'lora_parameters' (mlx-lm)"
            ),
            (
                .tensorShape(file: "f", name: "t", found: [2, 3], expected: [2, 4]),
                "f: tensor 't' has shape [2, 3], expected [2, 4]"
            ),
            (
                .notFinite(file: "f", name: "t"),
                "f: tensor 't' has values that are not finite, expected numbers"
            ),
            (
                .unexpectedTensor(file: "f", name: "t"),
                "f: tensor 't' belongs to no layer that the configuration gives an adapter"
            ),
            (
                .differentBase(file: "f", name: "t"),
                "f: tensor 't' differs from the base model's; "
                    + "use the base model that the adapter was trained on"
            ),
            (
                .embeddingInHead(file: "f", name: "t"),
                "f: tensor 't' adapts the embedding and, as mlx-lm has it, the output projection "
                    + "tied to it, which is not supported; fuse the adapter with mlx-lm"
            ),
        ] as [(LoRAError, String)])
    func sentence(error: LoRAError, text: String) {
        #expect("\(error)" == text)
    }
}
