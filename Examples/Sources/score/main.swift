// Scores the demonstration's model with a task of one's own.
import MambaTreeL

// The task, and its documents in a folder of its name.
try FolderTree.create("out/tasks/colours")
try AtomicFile.write(
    """
    task: colours
    dataset_path: colours
    test_split: test
    output_type: multiple_choice
    doc_to_text: "### Instruction:\\n{{sentence}} What colour are they?\\n\\n### Response:"
    doc_to_choice: "{{choices}}"
    doc_to_target: answer
    target_delimiter: ""
    metric_list: [{metric: acc}]
    metadata: {version: 1.0}
    """, to: "out/tasks/colours.yaml")
try AtomicFile.write(
    """
    {"sentence": "Anna packed seven green umbrellas.", "choices": ["Green.", "Red."], "answer": 0}
    {"sentence": "Tom lost two red kites.", "choices": ["Blue.", "Red."], "answer": 1}
    """, to: "out/tasks/colours/test.jsonl")

let loaded = try LoadedModel("data/demo/model")
let index = try TaskIndex(includePaths: ["out/tasks"])
let evaluation = try Evaluation(
    TaskSelection(["colours"], from: index), data: DataFolders(["out/tasks"]),
    options: EvaluationOptions())
let results = try evaluation.run(
    on: loaded.model, tokenizer: TokenizerLoader.load(at: loaded.folder))
print(ResultsTable(results, style: .harness).text)
