import Storage
import Testing

@testable import FineTuning
import TestSupport

@Suite("JSON Schema subset")
struct JSONSchemaTests {
    private func record(_ object: JSONObject) throws -> JSONRecord {
        let folder = TemporaryFolder()
        let file = folder.write(JSONWriter().string(.object(object)), to: "r.jsonl")
        return try #require(try JSONRecords(path: file).next())
    }

    @Test("the published schema is built in and states the three fields")
    func alpacaSchema() throws {
        let schema = try AlpacaSchema.load()
        try schema.validate(try record(["instruction": "a", "output": "b", "id": 3]))
        #expect(throws: JSONError.self) { try schema.validate(try record(["output": "b"])) }
        #expect(throws: JSONError.self) {
            try schema.validate(try record(["instruction": "a", "output": "b", "input": 1]))
        }
    }

    @Test(
        "an unknown keyword is refused, at either level",
        arguments: [
            ["pattern": "a"], ["properties": ["a": ["maxLength": 3]]],
            ["properties": ["a": ["properties": [:]]]],
        ] as [JSONValue])
    func unknownKeywordIsRefused(_ schema: JSONValue) throws {
        #expect(throws: JSONSchema.Fault.self) { try JSONSchema(schema, name: "s") }
    }

    @Test("a keyword with a senseless value is refused")
    func senselessValueIsRefused() throws {
        #expect(throws: JSONSchema.Fault.invalid(schema: "s", keyword: "type")) {
            try JSONSchema(["type": "text"], name: "s")
        }
        #expect(throws: JSONSchema.Fault.invalid(schema: "s", keyword: "minLength")) {
            try JSONSchema(["minLength": -1], name: "s")
        }
    }

    @Test("characters are counted as code points, whole numbers are integers")
    func finePointsOfTheStandard() throws {
        let schema = try JSONSchema(
            ["properties": ["a": ["minLength": 2], "b": ["type": "integer"]]], name: "s")
        try schema.validate(try record(["a": "e\u{301}", "b": 2.0]))
        #expect(throws: JSONError.self) { try schema.validate(try record(["b": 2.5])) }
        #expect(throws: DataError.self) { try schema.validate(try record(["a": "é"])) }
    }

    @Test("additional fields are refused where the schema says so")
    func additionalFields() throws {
        let schema = try JSONSchema(
            ["properties": ["a": ["type": "string"]], "additionalProperties": false], name: "s")
        #expect(throws: DataError.self) { try schema.validate(try record(["c": 1])) }
    }
}
