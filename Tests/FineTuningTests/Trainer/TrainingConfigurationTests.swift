import Storage
import Testing

@testable import FineTuning

@Suite("Training configuration")
struct TrainingConfigurationTests {
    @Test("the defaults are those of the command's documentation")
    func defaults() throws {
        let text = JSONWriter().string(.object(TrainingConfiguration().settings))
        #expect(
            text == """
                {"data_format": "auto", "columns": "", "template": "alpaca-short", \
                "template_date": "2024-07-26", "max_seq_length": 2048, "truncation": "keep-start", "val_size": 0.0, "steps_per_eval": 200, \
                "learning_rate": 2e-05, "lr_scheduler_type": "constant_with_warmup", \
                "warmup_steps": 20.0, "weight_decay": 0.0, "adam_beta1": 0.9, \
                "adam_beta2": 0.999, "adam_epsilon": 1e-08, "max_grad_norm": 1.0, \
                "batch_size": 16, "gradient_accumulation_steps": 1, "loss_reduction": "token", \
                "num_train_epochs": 1.0, "max_steps": -1, "shuffle": true, "seed": 42, \
                "save_steps": 100, "save_total_limit": 2, "logging_steps": 10, \
                "save_best": false, "early_stopping_patience": 0, \
                "early_stopping_min_delta": 0.0, "report_to": "none", "sample_tokens": 64}
                """)
        try TrainingConfiguration().validate()
    }

    @Test("settings that are written come back")
    func roundTrip() throws {
        var configuration = TrainingConfiguration()
        configuration.dataFormat = .chat
        configuration.template = "own.jinja"
        configuration.truncation = .drop
        configuration.validationSize = .fraction(0.1)
        configuration.schedule = .cosine
        configuration.warmupSteps = 0.03
        configuration.lossReduction = .record
        configuration.shuffles = false
        configuration.seed = 7
        let again = try TrainingConfiguration(settings: configuration.settings, file: "c.yaml")
        #expect(again == configuration)
        let partial = try TrainingConfiguration(settings: ["batch_size": 4], file: "c.yaml")
        #expect(partial.batchSize == 4 && partial.maxSequenceLength == 2048)
    }

    @Test(
        "invalid values are refused, with what would",
        arguments: [
            ("batch_size", 0, "0, expected an integer of at least 1"),
            ("batch_size", 2.5, "2.5, expected an integer of at least 1"),
            ("adam_beta1", 1, "1.0, expected a number in [0, 1)"),
            ("learning_rate", "fast", "\"fast\", expected a number of at least 0"),
            ("val_size", 1.5, "1.5, expected a fraction below 1 or a count, or 0"),
            ("seed", -1, "-1, expected an integer of at least 0"),
            ("loss_reduction", "sum", "\"sum\", expected one of 'token', 'record'"),
            ("num_train_epochs", 0, "0.0, expected a number above 0"),
        ] as [(String, JSONValue, String)])
    func senselessValues(key: String, value: JSONValue, message: String) {
        let error = #expect(throws: SettingError.self) {
            try TrainingConfiguration(settings: JSONObject([(key, value)]), file: "c.yaml")
        }
        #expect(error?.description == "c.yaml: setting '\(key)' is \(message)")
    }

    @Test("unknown keys are refused")
    func unknownKeys() {
        #expect(throws: SettingError.unknown(file: "c.yaml", key: "batchsize")) {
            try TrainingConfiguration(settings: ["batchsize": 4], file: "c.yaml")
        }
    }
}
