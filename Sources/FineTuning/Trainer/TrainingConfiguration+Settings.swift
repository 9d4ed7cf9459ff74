import Prompting
import Storage

extension TrainingConfiguration {
    /// The configuration as ordered keys and values, by the names of the flags.
    public var settings: JSONObject {
        JSONObject(TrainingConfiguration.entries.map { ($0.key, $0.read(self)) })
    }

    /// Reads a configuration; keys that are absent keep their defaults.
    ///
    /// - Parameters:
    ///   - settings: Keys and values; all keys must be known.
    ///   - file: The name that messages begin with.
    /// - Throws: ``SettingError``.
    public init(settings: JSONObject, file: String) throws {
        self.init()
        for member in settings.members {
            guard let entry = TrainingConfiguration.entries.first(where: { $0.key == member.key })
            else { throw SettingError.unknown(file: file, key: member.key) }
            guard entry.write(&self, member.value) else {
                throw SettingError.value(
                    file: file, key: member.key, found: JSONWriter().string(member.value),
                    expected: entry.expected)
            }
        }
        try validate(file: file)
    }

    /// Checks that every value makes sense.
    ///
    /// - Parameter file: The name that messages begin with; nil for values from the command line.
    /// - Throws: ``SettingError/value(file:key:found:expected:)``.
    public func validate(file: String? = nil) throws {
        for entry in TrainingConfiguration.entries where !entry.isSensible(self) {
            throw SettingError.value(
                file: file, key: entry.key, found: JSONWriter().string(entry.read(self)),
                expected: entry.expected)
        }
    }

    /// The settings that decide the numbers of a run, and so may not change when it is resumed.
    ///
    /// Of the data only what the records became counts: they have a fingerprint of their own.
    var decisiveSettings: JSONObject {
        JSONObject(
            TrainingConfiguration.entries.filter(\.isDecisive).map { ($0.key, $0.read(self)) })
    }
}

/// What can be wrong with a setting.
public enum SettingError: Error, Equatable {
    /// The file has a key that is none of the settings.
    case unknown(file: String, key: String)
    /// A value is of the wrong kind or out of range; without a file, that of a flag.
    case value(file: String?, key: String, found: String, expected: String)
}

extension SettingError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String {
        switch self {
        case .unknown(let file, let key):
            "\(file): setting \(quoted(key)) is unknown"
        case .value(let file, let key, let found, let expected):
            (file.map { "\($0): setting '\(key)'" } ?? "--" + key.replacing("_", with: "-"))
                + " is \(found), expected \(expected)"
        }
    }
}

extension TrainingConfiguration {
    /// One setting: its key, what it may be, and where it is kept.
    private struct Entry: Sendable {
        let key: String
        let expected: String
        let read: @Sendable (TrainingConfiguration) -> JSONValue
        /// Takes a value over; false if it is of the wrong kind.
        let write: @Sendable (inout TrainingConfiguration, JSONValue) -> Bool
        let isSensible: @Sendable (TrainingConfiguration) -> Bool
        /// Whether a resumed run must share the value.
        private(set) var isDecisive = false

        /// The setting as one that decides the numbers of a run.
        var deciding: Entry {
            var entry = self
            entry.isDecisive = true
            return entry
        }

        init<Value>(
            _ key: String, _ field: any WritableKeyPath<TrainingConfiguration, Value> & Sendable,
            expected: String, toJSON: @escaping @Sendable (Value) -> JSONValue,
            fromJSON: @escaping @Sendable (JSONValue) -> Value?,
            where isSensible: @escaping @Sendable (Value) -> Bool = { _ in true }
        ) {
            self.key = key
            self.expected = expected
            read = { toJSON($0[keyPath: field]) }
            write = { configuration, value in
                guard let value = fromJSON(value) else { return false }
                configuration[keyPath: field] = value
                return true
            }
            self.isSensible = { isSensible($0[keyPath: field]) }
        }
    }

    private typealias Field<Value> = any WritableKeyPath<TrainingConfiguration, Value> & Sendable

    private static func integer(
        _ key: String, _ field: Field<Int>, atLeast least: Int
    ) -> Entry {
        Entry(
            key, field, expected: "an integer of at least \(least)",
            toJSON: { .integer($0) }, fromJSON: { $0.integerValue }, where: { $0 >= least })
    }

    private static func number(
        _ key: String, _ field: Field<Double>, _ expected: String = "a number of at least 0",
        where isSensible: @escaping @Sendable (Double) -> Bool = { $0 >= 0 && $0.isFinite }
    ) -> Entry {
        Entry(
            key, field, expected: expected, toJSON: { .number($0) },
            fromJSON: { $0.numberValue }, where: isSensible)
    }

    private static func choice<Value: RawRepresentable<String> & CaseIterable & SendableMetatype>(
        _ key: String, _ field: Field<Value>
    ) -> Entry {
        Entry(
            key, field,
            expected: "one of " + Value.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", "),
            toJSON: { .string($0.rawValue) },
            fromJSON: { $0.stringValue.flatMap { Value(rawValue: $0) } })
    }

    private static let entries: [Entry] = [
        choice("data_format", \.dataFormat),
        Entry(
            "columns", \.columns, expected: "pairs such as instruction=question,output=answer",
            toJSON: { .string($0) }, fromJSON: { $0.stringValue },
            where: { (try? ColumnNames(parsing: $0)) != nil }),
        Entry(
            "template", \.template, expected: "a name or a file", toJSON: { .string($0) },
            fromJSON: { $0.stringValue }, where: { !$0.isEmpty }),
        Entry(
            "template_date", \.templateDate, expected: "a day such as 2024-07-26",
            toJSON: { .string($0) }, fromJSON: { $0.stringValue },
            where: { TemplateTime(date: $0) != nil }),
        integer("max_seq_length", \.maxSequenceLength, atLeast: 2),
        choice("truncation", \.truncation),
        Entry(
            "val_size", \.validationSize, expected: "a fraction below 1 or a count, or 0",
            toJSON: { .number($0.number) },
            fromJSON: { $0.numberValue.flatMap { ValidationSize($0) } }),
        integer("steps_per_eval", \.stepsPerEvaluation, atLeast: 1),
        number("learning_rate", \.learningRate).deciding,
        choice("lr_scheduler_type", \.schedule).deciding,
        number("warmup_steps", \.warmupSteps).deciding,
        number("weight_decay", \.weightDecay).deciding,
        number(
            "adam_beta1", \.adamBeta1, "a number in [0, 1)", where: { $0 >= 0 && $0 < 1 }
        ).deciding,
        number(
            "adam_beta2", \.adamBeta2, "a number in [0, 1)", where: { $0 >= 0 && $0 < 1 }
        ).deciding,
        number("adam_epsilon", \.adamEpsilon).deciding,
        number("max_grad_norm", \.maxGradientNorm).deciding,
        integer("batch_size", \.batchSize, atLeast: 1).deciding,
        integer("gradient_accumulation_steps", \.gradientAccumulationSteps, atLeast: 1).deciding,
        choice("loss_reduction", \.lossReduction).deciding,
        number(
            "num_train_epochs", \.epochs, "a number above 0", where: { $0 > 0 && $0.isFinite }),
        integer("max_steps", \.maxSteps, atLeast: -1),
        Entry(
            "shuffle", \.shuffles, expected: "true or false", toJSON: { .bool($0) },
            fromJSON: { $0.boolValue }
        ).deciding,
        Entry(
            "seed", \.seed, expected: "an integer of at least 0",
            toJSON: { .integer(Int(clamping: $0)) },
            fromJSON: { $0.integerValue.flatMap { UInt64(exactly: $0) } },
            where: { $0 <= UInt64(Int.max) }
        ).deciding,
        integer("save_steps", \.saveSteps, atLeast: 1),
        integer("save_total_limit", \.saveTotalLimit, atLeast: 0),
        integer("logging_steps", \.loggingSteps, atLeast: 1),
        Entry(
            "save_best", \.savesBest, expected: "true or false", toJSON: { .bool($0) },
            fromJSON: { $0.boolValue }),
        integer("early_stopping_patience", \.earlyStoppingPatience, atLeast: 0),
        number("early_stopping_min_delta", \.earlyStoppingMinDelta),
        choice("report_to", \.reportTarget),
        integer("sample_tokens", \.sampleTokens, atLeast: 1),
    ]
}
