import MambaLM
import Storage
import TestSupport
import Testing

@Suite("Model configuration")
struct MambaConfigurationTests {
    private func read(_ json: String) throws -> MambaConfiguration {
        let folder = TemporaryFolder()
        return try MambaConfiguration(file: folder.write(json, to: "config.json"))
    }

    @Test("an empty file gives the official defaults")
    func officialDefaults() throws {
        let x = try read("{}")
        #expect(x == MambaConfiguration())
        #expect((x.vocabulary, x.model, x.inner, x.layers) == (50280, 768, 1536, 32))
        #expect((x.state, x.convolutionWidth, x.stepRank) == (16, 4, 48))
        #expect(x.tiesEmbeddings && x.hasConvolutionBias && !x.hasBias)
    }

    @Test("the 130M model's sizes make its known number of parameters")
    func parameterCount() throws {
        #expect(try read(#"{"num_hidden_layers": 24}"#).parameterCount == 129_135_360)
    }

    @Test("derived sizes follow the width; unknown keys and null do not matter")
    func derivedSizes() throws {
        let x = try read(
            #"""
            {"hidden_size": 100, "expand": 2, "time_step_rank": "auto", "fused_add_norm": true,
             "ssm_cfg": {}, "torch_dtype": "float32", "tie_word_embeddings": null,
             "eos_token_id": [7, 0], "layer_norm_epsilon": 1e-6}
            """#)
        #expect((x.inner, x.stepRank) == (200, 7))
        #expect(x.tiesEmbeddings)
        #expect(x.endTokens == [7, 0])
        #expect(x.epsilon == 1e-6)
    }

    @Test("the original layout is understood, its vocabulary padded")
    func originalLayout() throws {
        let x = try read(
            #"""
            {"d_model": 768, "n_layer": 24, "vocab_size": 50277, "ssm_cfg": {"d_state": 8},
             "rms_norm": true, "residual_in_fp32": true, "pad_vocab_size_multiple": 8}
            """#)
        #expect((x.vocabulary, x.model, x.layers, x.inner) == (50280, 768, 24, 1536))
        #expect((x.state, x.stepRank) == (8, 48))
        #expect(x.tiesEmbeddings)
    }

    @Test(
        "a value that the model cannot have is named",
        arguments: [
            (#"{"model_type": "llama"}"#, "model_type"),
            (#"{"hidden_act": "gelu"}"#, "hidden_act"), (#"{"hidden_size": 0}"#, "hidden_size"),
            (#"{"hidden_size": -4}"#, "hidden_size"),
            (#"{"hidden_size": 9223372036854775807}"#, "hidden_size"),
            (#"{"expand": 1e300}"#, "intermediate_size"),
            (#"{"conv_kernel": 65}"#, "conv_kernel"), (#"{"state_size": "16"}"#, "state_size"),
            (#"{"time_step_rank": 0}"#, "time_step_rank"),
            (#"{"eos_token_id": -1}"#, "eos_token_id"), (#"{"use_bias": 1}"#, "use_bias"),
            (#"{"layer_norm_epsilon": -1}"#, "layer_norm_epsilon"),
            (#"{"d_model": 8, "rms_norm": false}"#, "rms_norm"), ("[]", "object"),
            ("{", "config.json"),
        ])
    func refusals(json: String, word: String) {
        let error = #expect(throws: (any Error).self) { try read(json) }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains("config.json"))
        #expect(text.contains(word), "\(text)")
    }

    @Test("what is written reads back the same")
    func roundTrip() throws {
        var x = MambaConfiguration()
        (x.vocabulary, x.model, x.layers, x.inner) = (203, 20, 3, 50)
        (x.state, x.convolutionWidth, x.stepRank) = (8, 3, 5)
        (x.hasBias, x.hasConvolutionBias, x.tiesEmbeddings) = (true, false, false)
        x.epsilon = 1e-6
        x.endTokens = [1, 2]
        x.initialization.hasConstantSteps = true
        #expect(try read(JSONWriter().string(.object(x.json))) == x)
    }
}
