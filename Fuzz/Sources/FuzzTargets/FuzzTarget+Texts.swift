@testable import Evaluation
@testable import Jinja

extension FuzzTarget {
    /// Readers of templates, patterns and tasks.
    static let texts = [
        FuzzTarget(name: "jinja") { bytes in
            let template = try Template(
                String(decoding: bytes, as: UTF8.self), options: bounded(.chat))
            _ = try template.renderMarking([
                "messages": [
                    ["role": "user", "content": "Hi"],
                    ["role": "assistant", "content": "Hello"],
                ], "bos_token": "<s>", "add_generation_prompt": true, "number": 7, "share": 0.5,
            ])
        },
        FuzzTarget(name: "regex") { bytes in
            // The pattern in the first line, the text behind it.
            let parts = bytes.split(separator: 10, maxSplits: 1, omittingEmptySubsequences: false)
            _ = try replacement().render([
                "pattern": .string(String(decoding: parts[0], as: UTF8.self)),
                "text": .string(String(decoding: parts.last ?? [], as: UTF8.self)),
            ])
        },
        FuzzTarget(name: "yaml") { bytes in
            let path = InputFile.path("task.yaml", holding: bytes)
            let reader = TaskFileReader(.disk, folders: [InputFile.inFolder()])
            _ = try TaskConfiguration(reader.read(path))
        },
    ]

    private static func replacement() throws -> Template {
        try Template(
            #"{{ text | regex_replace(pattern, "<\\g<0>>") }}"#, options: bounded(.harness))
    }

    /// Enough for every seed, and so little that no input takes long.
    private static func bounded(_ options: TemplateOptions) -> TemplateOptions {
        var options = options
        options.limits.steps = 100_000
        options.limits.outputBytes = 1 << 20
        return options
    }
}
