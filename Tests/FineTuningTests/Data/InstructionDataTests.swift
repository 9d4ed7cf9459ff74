import Prompting
import Storage
import Testing

@testable import FineTuning
import TestSupport

@Suite("Instruction data")
struct InstructionDataTests {
    struct Faulty: CustomTestStringConvertible, Sendable {
        let record: String
        let format: DataFormat
        let message: String
        var testDescription: String { message }

        init(_ record: String, _ format: DataFormat, _ message: String) {
            (self.record, self.format, self.message) = (record, format, message)
        }

        static let all = [
            Faulty(#"{"instruction": "a"}"#, .alpaca, "field 'output' is missing"),
            Faulty(
                #"{"instruction": "a", "input": 3, "output": "b"}"#, .alpaca,
                "field 'input' is an integer, expected a string"),
            Faulty(
                #"{"instruction": "", "output": "b"}"#, .alpaca,
                "field 'instruction' is empty, expected at least 1 character"),
            Faulty(
                #"{"instruction": "a", "output": null}"#, .alpaca,
                "field 'output' is null, expected a string"),
            Faulty(#"{"prompt": "a"}"#, .completions, "field 'completion' is missing"),
            Faulty(
                #"{"prompt": "a", "completion": ""}"#, .completions,
                "field 'completion' is empty, expected at least 1 character"),
            Faulty(
                #"{"text": ["a"]}"#, .text, "field 'text' is an array, expected a string"),
            Faulty(
                #"{"messages": []}"#, .chat,
                "field 'messages' is empty, expected the assistant's answer at the end"),
            Faulty(
                #"{"messages": [{"role": "user", "content": "a"}]}"#, .chat,
                "field 'messages' ends with the role 'user', "
                    + "expected the assistant's answer at the end"),
            Faulty(
                #"{"messages": [{"role": "tool\u0007", "content": "a"}]}"#, .chat,
                "field 'messages[0].role' is 'tool\\u{7}', "
                    + "expected 'system', 'user', 'assistant' or 'tool'"),
            Faulty(
                #"{"messages": ["a"]}"#, .chat,
                "field 'messages[0]' is a string, expected an object"),
            Faulty(
                #"{"messages": [{"role": "assistant"}]}"#, .chat,
                "field 'messages[0].content' is missing"),
            Faulty(
                #"{"prompt_ids": [1, "2"], "response_ids": [3]}"#, .ids,
                "field 'prompt_ids[1]' is a string, expected an integer"),
            Faulty(
                #"{"prompt_ids": [1], "response_ids": [50]}"#, .ids,
                "field 'response_ids' holds id 50, expected 0 to 49, the model's vocabulary"),
            Faulty(
                #"{"prompt_ids": [-1], "response_ids": [5]}"#, .ids,
                "field 'prompt_ids' holds id -1, expected 0 to 49, the model's vocabulary"),
            Faulty(
                #"{"prompt_ids": [1], "response_ids": []}"#, .ids,
                "record has no token to predict, expected a prompt or at least two tokens"),
            Faulty(
                #"{"prompt_ids": [], "response_ids": [1]}"#, .ids,
                "record has no token to predict, expected a prompt or at least two tokens"),
            Faulty(
                #"{"question": "a"}"#, .auto,
                "record has the keys 'question', expected those of one of the formats "
                    + "alpaca (instruction, output), completions (prompt, completion), "
                    + "chat (messages), text (text) or ids (prompt_ids, response_ids); "
                    + "other names for the same are given with --columns, as in "
                    + "instruction=question,output=answer"),
            Faulty("[1]", .auto, "record is an array, expected an object"),
        ]
    }

    @Test("a faulty record is refused with file, line and reason", arguments: Faulty.all)
    func faultyRecordIsRefused(_ faulty: Faulty) throws {
        let folder = TemporaryFolder()
        let file = folder.write("\n\(faulty.record)\n", to: "train.jsonl")
        let error = #expect(throws: (any Error).self) {
            try InstructionData(files: [file], format: faulty.format, vocabulary: 50)
        }
        #expect(error.map { "\($0)" } == "\(file):2: \(faulty.message)")
    }

    @Test(
        "the first record's keys tell the format",
        arguments: [
            (#"{"instruction": "a", "output": "b", "text": "c"}"#, DataFormat.alpaca),
            (#"{"prompt": "a", "completion": "b"}"#, .completions),
            (#"{"messages": [{"role": "assistant", "content": "b"}]}"#, .chat),
            (#"{"text": "a"}"#, .text), (#"{"prompt_ids": [], "response_ids": [1, 2]}"#, .ids),
        ])
    func formatIsDetected(record: String, format: DataFormat) throws {
        let folder = TemporaryFolder()
        let array = folder.write("[\n\(record),\n\(record)]", to: "a.json")
        let lines = folder.write("\(record)\n", to: "b.jsonl")
        let data = try InstructionData(files: [array, lines], format: .auto, vocabulary: 50)
        #expect(data.format == format)
        #expect(
            data.records.map(\.origin.description) == ["\(array):2", "\(array):3", "\(lines):1"])
    }

    @Test("a later record of another format is refused")
    func otherFormatIsRefused() throws {
        let folder = TemporaryFolder()
        let file = folder.write("{\"text\": \"a\"}\n{\"prompt\": \"a\"}\n", to: "a.jsonl")
        #expect(throws: JSONError.missingField(place: "\(file):2", field: "text")) {
            try InstructionData(files: [file], format: .auto, vocabulary: 50)
        }
    }

    private func records(
        _ text: String, _ name: String = "a.jsonl", columns: String = ""
    ) throws -> InstructionData {
        let folder = TemporaryFolder()
        return try withExtendedLifetime(folder) {
            try InstructionData(
                files: [folder.write(text, to: name)], format: .auto, vocabulary: 50,
                columns: ColumnNames(parsing: columns))
        }
    }

    @Test("ShareGPT's conversations are those of messages")
    func shareGPT() throws {
        let shared = try records(
            #"""
            {"system": "s", "conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}
            """#)
        let plain = try records(
            #"""
            {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
            """#)
        #expect(shared.format == .chat && shared.records[0].content == plain.records[0].content)
        #expect {
            try records(#"{"conversations": [{"from": "me", "value": "a"}]}"#)
        } throws: {
            "\($0)".contains("field 'conversations[0].from' is 'me', expected one of 'assistant'")
        }
    }

    @Test("messages may call tools without a word, and tools answer")
    func tools() throws {
        let data = try records(
            #"""
            {"tools": [{"name": "f"}], "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": null, "tool_calls": [{"name": "f"}]}, {"role": "tool", "content": "3"}, {"role": "assistant", "content": "a"}]}
            """#)
        guard case .chat(let messages, "a") = data.records[0].content else {
            Issue.record("\(data.records)")
            return
        }
        #expect(messages.map(\.role) == ["user", "assistant", "tool"])
        #expect(messages.map(\.content) == ["q", "", "3"])
        #expect(messages[1].fields["tool_calls"] != nil)
    }

    @Test("columns get the names that are known, of a table too")
    func columns() throws {
        let names = "instruction=question, output=answer"
        let table = try records("id,question,answer\n1,q,a\n", "a.csv", columns: names)
        #expect(table.format == .alpaca)
        #expect(
            table.records[0].content == .alpaca(instruction: "q", input: "", output: "a"))
        // A field that is there already gives its name to the column.
        let taken = try records(
            #"{"question": "q", "instruction": "i", "answer": "a"}"#, columns: names)
        #expect(taken.records[0].content == table.records[0].content)
        #expect(taken.records[0].fields["question"] == nil)
        #expect {
            try records(#"{"question": "q", "reply": "a"}"#, columns: names)
        } throws: {
            "\($0)".hasSuffix(
                "a.jsonl:1: column 'answer', which --columns names, is missing, "
                    + "expected one of 'question', 'reply'")
        }
        for text in ["instruction", "=a", "a=b,a=c", "a=b,", "a=b=c"] {
            #expect(throws: DataError.columns(found: text)) { try ColumnNames(parsing: text) }
        }
    }

    @Test("fields that are null in every row of a table count as not there")
    func nulls() throws {
        let alpaca = try records(#"{"instruction": "q", "input": null, "output": "a"}"#)
        #expect(
            alpaca.records[0].content == .alpaca(instruction: "q", input: "", output: "a"))
        let chat = try records(
            #"{"messages": [{"role": "user", "content": "q", "tool_calls": null}, {"role": "assistant", "content": "a"}]}"#
        )
        guard case .chat(let messages, "a") = chat.records[0].content else {
            Issue.record("\(chat.records)")
            return
        }
        #expect(messages[0].fields.keys == ["role", "content"])
    }

    @Test("weights say how often the records of each data set are seen")
    func weights() throws {
        let folder = TemporaryFolder()
        folder.makeFolders("set")
        let paths = [folder.file("a.jsonl"), folder.file("set"), folder.file("c.jsonl")]
        folder.write("", to: "set/train.jsonl")
        let files = try DataFiles(paths: paths)
        let records = files.training.flatMap { file in
            (1...4).map {
                TrainingRecord(
                    tokens: [1, 2], promptLength: 1, origin: RecordOrigin(file: file, line: $0))
            }
        }
        let weights = try DataWeights([1, 2.5, 0.25], paths: 3, files: files)
        let seen = try weights.applied(to: records, seed: 1)
        func lines(_ number: Int) -> [Int] {
            seen.filter { $0.origin.file == files.training[number] }.map(\.origin.line)
        }
        #expect(lines(0) == [1, 2, 3, 4])
        #expect(
            lines(1).prefix(8) == [1, 2, 3, 4, 1, 2, 3, 4] && Set(lines(1).dropFirst(8)).count == 2)
        #expect(lines(2).count == 1)
        #expect(try weights.applied(to: records, seed: 1) == seen)
        #expect(try weights.applied(to: records, seed: 2) != seen)
        let none = try DataWeights([], paths: 3, files: files)
        #expect(try none.applied(to: records, seed: 1) == records)
        #expect(throws: DataError.weightCount(weights: 2, paths: 3)) {
            try DataWeights([1, 2], paths: 3, files: files)
        }
        for weight in [0, -1, 1001, .infinity] {
            #expect(throws: DataError.weight(weight)) {
                try DataWeights([1, weight, 1], paths: 3, files: files)
            }
        }
        let few = try DataWeights([0.1, 0.1, 0.1], paths: 3, files: files)
        #expect(throws: DataError.allWeightedOut(records: 12)) {
            try few.applied(to: records, seed: 1)
        }
    }

    @Test("a file without records is refused")
    func emptyFileIsRefused() throws {
        let folder = TemporaryFolder()
        let file = folder.write("\n", to: "a.jsonl")
        #expect(throws: DataError.noRecords(files: [file])) {
            try InstructionData(files: [file], format: .auto, vocabulary: 50)
        }
    }

    @Test("a folder gives its splits, a file is trained on")
    func foldersGiveSplits() throws {
        let folder = TemporaryFolder()
        let train = folder.write("", to: "train.jsonl.zst")
        let valid = folder.write("", to: "valid.json")
        let files = try DataFiles(paths: [folder.path, "more.jsonl"])
        #expect(files.training == [train, "more.jsonl"])
        #expect(files.validation == [valid])
        #expect(files.test == [])
    }

    @Test("held-out files have one of four names; what is not used is named")
    func validationNames() throws {
        // Only `valid` was found, and the others were passed over without a word.
        for name in ["valid.json", "validation.jsonl", "val.jsonl.zst", "dev.json.zst"] {
            let folder = TemporaryFolder()
            _ = folder.write("", to: "train.jsonl")
            let path = folder.write("", to: name)
            let files = try DataFiles(paths: [folder.path])
            #expect(files.validation == [path] && files.others == [])
            #expect(files.passedOver(validatesElsewhere: false) == [])
            #expect(files.passedOver(validatesElsewhere: true) == [path])
        }
        let folder = TemporaryFolder()
        for name in ["train.json", "dev.jsonl", "val.jsonl", "test.jsonl", "more.jsonl", "a.txt"] {
            _ = folder.write("", to: name)
        }
        let files = try DataFiles(paths: [folder.path])
        #expect(files.validation == [folder.file("val.jsonl")])
        #expect(
            files.passedOver(validatesElsewhere: false)
                == ["test.jsonl", "dev.jsonl", "more.jsonl"].map(folder.file))
    }

    @Test("a folder without training file, or with two, is refused")
    func badFoldersAreRefused() throws {
        let folder = TemporaryFolder()
        #expect(throws: DataError.missingSplit(folder: folder.path, split: "train")) {
            try DataFiles(paths: [folder.path])
        }
        _ = folder.write("", to: "train.jsonl")
        _ = folder.write("", to: "train.json")
        #expect(
            throws: DataSplitError.ambiguous(
                folder: folder.path, names: ["train.jsonl", "train.json"])
        ) {
            try DataFiles(paths: [folder.path])
        }
    }
}
