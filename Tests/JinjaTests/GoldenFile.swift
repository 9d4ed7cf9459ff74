import TestSupport

@testable import Jinja

/// The templates that Jinja itself rendered, written by `scripts/jinja/make_goldens.py`.
struct GoldenFile: Decodable {
    let contexts: [Tagged]
    let cases: [Case]

    struct Case: Decodable {
        let environment: String
        let template: String
        let context: Int
        /// What Jinja rendered; nil where it raised.
        let text: String?

        var options: TemplateOptions {
            guard environment == "chat" else { return .harness }
            var options = TemplateOptions.chat
            options.localTime = LocalTime(
                year: 2026, month: 3, day: 7, hour: 9, minute: 5, second: 2)
            return options
        }
    }

    /// A value in which floats, tuples and the order of entries survive JSON.
    struct Tagged: Decodable {
        let value: Value

        private enum CodingKeys: CodingKey { case float, tuple, dict }

        init(from decoder: any Decoder) throws {
            if let container = try? decoder.container(keyedBy: CodingKeys.self) {
                if let text = try container.decodeIfPresent(String.self, forKey: .float) {
                    value = .float(Double(text) ?? .nan)
                } else if let items = try container.decodeIfPresent([Tagged].self, forKey: .tuple) {
                    value = .tuple(items.map(\.value))
                } else {
                    var dictionary = ValueDictionary()
                    for pair in try container.decode([[Tagged]].self, forKey: .dict) {
                        try dictionary.insert(pair[0].value, pair[1].value)
                    }
                    value = .dictionary(dictionary)
                }
                return
            }
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                value = .none
            } else if let bool = try? container.decode(Bool.self) {
                value = .bool(bool)
            } else if let int = try? container.decode(Int.self) {
                value = .int(int)
            } else if let text = try? container.decode(String.self) {
                value = .string(text)
            } else {
                value = .list(try container.decode([Tagged].self).map(\.value))
            }
        }
    }

    static func read() throws -> GoldenFile {
        try Fixtures.decode(GoldenFile.self, from: "goldens.json")
    }
}
