import Storage
import TestSupport
import Testing

@testable import Evaluation

@Suite("Documents as a table")
struct DocumentTableTests {
    private func rows(_ lines: String...) throws -> [JSONValue] {
        let records = try lines.map {
            try #require(try JSONValue(parsing: $0, file: "x").objectValue)
        }
        return DocumentTable(records).rows.map { .object($0) }
    }

    @Test("a field that a record lacks is null there, in the order in which columns appear")
    func missingFields() throws {
        #expect(
            try rows(#"{"b": 1}"#, #"{"a": "x", "b": 2}"#)
                == [["b": 1, "a": nil], ["b": 2, "a": "x"]])
    }

    @Test("a column of which one number is no integer holds floats, null stays null")
    func numbers() throws {
        #expect(
            try rows(#"{"a": 5}"#, #"{"a": null}"#, #"{"a": 2.5}"#)
                == [["a": 5.0], ["a": nil], ["a": 2.5]])
        #expect(
            try rows(#"{"a": [1]}"#, #"{"a": [2, 0.5]}"#) == [["a": [1.0]], ["a": [2.0, 0.5]]])
    }

    @Test("objects within columns have the same fields in every record")
    func nested() throws {
        #expect(
            try rows(#"{"a": {"x": 1}}"#, #"{"a": {"y": [{"p": 1}, {"q": 2}]}}"#, #"{"a": null}"#)
                == [
                    ["a": ["x": 1, "y": nil]],
                    ["a": ["x": nil, "y": [["p": 1, "q": nil], ["p": nil, "q": 2]]]], ["a": nil],
                ])
    }

    @Test("values that share no type stay as they are")
    func mixed() throws {
        #expect(try rows(#"{"a": "x"}"#, #"{"a": 1}"#) == [["a": "x"], ["a": 1]])
    }
}
