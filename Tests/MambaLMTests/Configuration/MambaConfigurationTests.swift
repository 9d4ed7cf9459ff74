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
        var x = try read("{}")
        x.origin = nil
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
            {"d_model": 768, "n_layer": 24, "vocab_size": 50277,
             "ssm_cfg": {"layer": "Mamba1", "d_state": 8, "bias": true, "conv_bias": false,
                         "dt_init": "constant", "dt_max": 0.25},
             "attn_layer_idx": [], "attn_cfg": {}, "d_intermediate": 0, "rms_norm": true, "residual_in_fp32": true, "pad_vocab_size_multiple": 8}
            """#)
        #expect((x.vocabulary, x.model, x.layers, x.inner) == (50280, 768, 24, 1536))
        #expect((x.state, x.stepRank) == (8, 48))
        #expect(x.tiesEmbeddings && x.hasBias && !x.hasConvolutionBias)
        #expect(x.initialization.hasConstantSteps && x.initialization.stepGreatest == 0.25)
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
            (#"{"d_model": 0}"#, "'d_model'"),
            (#"{"d_model": 8, "ssm_cfg": {"d_state": 0}}"#, "'ssm_cfg.d_state'"),
            ("{", "config.json"),
        ])
    func refusals(json: String, word: String) {
        let error = #expect(throws: (any Error).self) { try read(json) }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains("config.json"))
        #expect(text.contains(word), "\(text)")
    }

    // The sum with the padding, and the number of weights, ended the program.
    @Test(
        "numbers that overflow when they are added or multiplied are refused",
        arguments: [
            (
                #"{"d_model": 8, "vocab_size": 9, "pad_vocab_size_multiple": 9223372036854775807}"#,
                "'pad_vocab_size_multiple' is 9223372036854775807"
            ),
            (#"{"hidden_size": 9223372036854775807}"#, "'hidden_size' is 9223372036854775807"),
            (#"{"hidden_size": 4611686018427387904, "expand": 2}"#, "'hidden_size' is 46116"),
            (#"{"vocab_size": 9223372036854775807}"#, "'vocab_size' is 9223372036854775807"),
            (
                #"{"hidden_size": 16777216, "num_hidden_layers": 10000}"#,
                "'hidden_size' is 16777216"
            ),
            (#"{"num_hidden_layers": 9223372036854775807}"#, "'num_hidden_layers' is 92"),
            (#"{"time_step_rank": 9223372036854775807}"#, "'time_step_rank' is 92"),
            (#"{"eos_token_id": 9223372036854775807}"#, "'eos_token_id' is 92"),
        ])
    func overflow(json: String, words: String) {
        let error = #expect(throws: MambaModelError.self) { try read(json) }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains("config.json: field \(words)"), "\(text)")
    }

    @Test("the weights of the largest model that is read can be counted, in bytes, too")
    func greatest() throws {
        let x = try read(
            #"""
            {"hidden_size": 1048576, "intermediate_size": 1048576, "num_hidden_layers": 10000,
             "vocab_size": 16777216, "state_size": 4096, "time_step_rank": 1048576,
             "tie_word_embeddings": false}
            """#)
        #expect(x.parameterCount < Int.max / 16)
    }

    // Mamba-2 and hybrids of the original releases were taken for Mamba-1, until a tensor of
    // another shape came up; `inspect` called them Mamba models.
    @Test(
        "other kinds of models are refused by the field that tells",
        arguments: [
            (#"{"d_model": 128, "ssm_cfg": {"layer": "Mamba2"}}"#, "'ssm_cfg.layer' is Mamba2"),
            (#"{"d_model": 128, "ssm_cfg": {"headdim": 32}}"#, "'ssm_cfg.headdim' is 32"),
            (#"{"d_model": 8, "attn_layer_idx": [1]}"#, "'attn_layer_idx' is [1]"),
            (#"{"d_model": 8, "attn_cfg": {"num_heads": 4}}"#, "'attn_cfg'"),
            (#"{"d_model": 8, "d_intermediate": 16}"#, "'d_intermediate' is 16"),
            (#"{"model_type": "falcon_mamba", "hidden_size": 8}"#, "'model_type' is falcon_mamba"),
            (#"{"model_type": "mamba", "mixer_rms_eps": 1e-6}"#, "'mixer_rms_eps'"),
            (#"{"model_type": "mamba", "use_bcdt_rms": true}"#, "'use_bcdt_rms'"),
            (#"{"architectures": ["JambaForCausalLM"]}"#, "'architectures' is JambaForCausalLM"),
            (#"{"architectures": [7]}"#, "'architectures' is 7"),
            (#"{"hidden_size": 8, "num_attention_heads": 4}"#, "'num_attention_heads' is 4"),
            (#"{"hidden_size": 8, "mamba_d_state": 16}"#, "'mamba_d_state' is 16"),
        ])
    func otherModels(json: String, words: String) {
        let error = #expect(throws: MambaModelError.self) { try read(json) }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains("config.json: field \(words)"), "\(text)")
    }

    // bos and pad became the end token, null became 0, and unknown fields were lost.
    @Test("what a file says stays, except what was changed and the weights' type")
    func fidelity() throws {
        let json = #"""
            {"notes": {"größe": [1, 2.5, "x"]}, "bos_token_id": 1, "eos_token_id": [0, 5],
             "pad_token_id": 7, "hidden_size": 32, "residual_in_fp32": false, "use_mambapy": true,
             "torch_dtype": "bfloat16", "layer_norm_epsilon": 1e-05, "model_type": "mamba",
             "tie_word_embeddings": true, "architectures": ["MyMamba"], "time_step_rank": "auto"}
            """#
        var x = try read(json)
        x.tiesEmbeddings = false
        var expected = try #require(JSONValue(parsing: Array(json.utf8), file: "").objectValue)
        expected["torch_dtype"] = "float32"
        expected["tie_word_embeddings"] = false
        #expect(x.json == expected)
    }

    @Test("no end token stays none")
    func noEndToken() throws {
        let x = try read(#"{"model_type": "mamba", "architectures": [], "eos_token_id": null}"#)
        #expect(x.endTokens.isEmpty)
        #expect(x.json["eos_token_id"] == .null)
        #expect(x.json.keys == ["model_type", "architectures", "eos_token_id"])
    }

    @Test("the original layout becomes the other one with all it says besides")
    func originalLayoutWritten() throws {
        let x = try read(
            #"""
            {"d_model": 32, "n_layer": 2, "vocab_size": 203, "ssm_cfg": {"d_state": 8},
             "rms_norm": true, "residual_in_fp32": false, "fused_add_norm": true,
             "pad_vocab_size_multiple": 8, "tie_embeddings": false, "bos_token_id": null,
             "eos_token_id": [3], "own": "note"}
            """#)
        let json = x.json
        #expect(json["vocab_size"] == 208 && json["hidden_size"] == 32)
        #expect(json["state_size"] == 8 && json["tie_word_embeddings"] == false)
        #expect(json["residual_in_fp32"] == false && json["own"] == "note")
        #expect(json["bos_token_id"] == .null && json["eos_token_id"] == [3])
        #expect(json["model_type"] == "mamba" && json["d_model"] == nil && json["ssm_cfg"] == nil)
        #expect(try read(JSONWriter().string(.object(json))).json == json)
    }

    @Test("end tokens of generation_config.json are read beside those of the model")
    func generationEndTokens() throws {
        let folder = TemporaryFolder()
        folder.write(#"{"eos_token_id": 3}"#, to: "config.json")
        #expect(try MambaConfiguration(folder: folder.path).generationEndTokens == [])
        for (json, expected) in [("7", [7]), ("[0, 9]", [0, 9]), ("null", [])] {
            folder.write(
                #"{"eos_token_id": \#(json), "temperature": 0.5}"#, to: "generation_config.json")
            let x = try MambaConfiguration(folder: folder.path)
            #expect(x.endTokens == [3])
            #expect(x.generationEndTokens.map(Int.init) == expected)
        }
        folder.write(#"{"eos_token_id": "end"}"#, to: "generation_config.json")
        let error = #expect(throws: JSONError.self) { try MambaConfiguration(folder: folder.path) }
        #expect("\(error.map { "\($0)" } ?? "")".contains("generation_config.json"))
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
        var written = try read(JSONWriter().string(.object(x.json)))
        written.origin = nil
        #expect(written == x)
    }
}
