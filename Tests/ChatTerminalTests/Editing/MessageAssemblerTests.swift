import Testing

@testable import ChatTerminal

@Suite("Messages of several lines")
struct MessageAssemblerTests {
    private func messages(_ lines: [String]) -> [String] {
        var assembler = MessageAssembler()
        return lines.compactMap { assembler.push($0) } + [assembler.end()].compactMap { $0 }
    }

    @Test(
        "lines become messages",
        arguments: [
            (["a", "b"], ["a", "b"]),
            (["one \\", "two\\", "three"], ["one \ntwo\nthree"]),
            (["C:\\\\", "x"], ["C:\\\\", "x"]),
            (["\"\"\"one", "two\"\"\"", "x"], ["one\ntwo", "x"]),
            (["\"\"\"", "one", "", "two\\", "\"\"\"", "x"], ["one\n\ntwo\\", "x"]),
            (["\"\"\"one\"\"\""], ["one"]),
            (["  \"\"\"a", "b\"\"\""], ["a\nb"]),
            (["\"\"\"", "\"\"\""], [""]),
            (["\"\"\"\"\"\""], [""]),
            (["say \"\"\"x\"\"\""], ["say \"\"\"x\"\"\""]),
            (["/set system \"\"\"", "Be", "brief.\"\"\""], ["/set system Be\nbrief."]),
            (["/x\"\"\"", "y"], ["/x\"\"\"", "y"]),
            (["pasted\n\"\"\"\nas it is\\", "x"], ["pasted\n\"\"\"\nas it is\\", "x"]),
            (["a\\", "\"\"\"b"], ["a\n\"\"\"b"]),
            (["the end\\"], ["the end"]),
            (["\"\"\"", "never closed"], []),
        ])
    func lines(_ lines: [String], expected: [String]) {
        #expect(messages(lines) == expected)
    }

    @Test("lines are missing until a message is complete, or given up")
    func unfinished() {
        var assembler = MessageAssembler()
        #expect(!assembler.isUnfinished)
        for line in ["\"\"\"", "a\\"] {
            _ = assembler.push(line)
            #expect(assembler.isUnfinished)
            assembler.cancel()
            #expect(!assembler.isUnfinished)
        }
        #expect(assembler.push("b") == "b")
    }
}
