extension InstructionRecord {
    /// A record that asks and has no answer yet, as a conversation begins.
    ///
    /// - Parameter prompt: What is asked; the whole instruction of Alpaca templates.
    public init(prompt: String) {
        self.init(
            origin: RecordOrigin(file: "prompt", line: 1),
            content: .alpaca(instruction: prompt, input: "", output: ""),
            fields: [
                "instruction": .string(prompt), "prompt": .string(prompt), "input": "",
            ])
    }
}
