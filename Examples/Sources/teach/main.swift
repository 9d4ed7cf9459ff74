// Teaches the demonstration's model from 40 records, and asks it something.
import MambaTreeL

let base = try LoadedModel("data/demo/model")
let model = base.model
model.flow = TreeFlow(TreeSettings())
let tokenizer = try TokenizerLoader.load(at: base.folder)
let template = try base.template(for: tokenizer)

// Records become token ids: a prompt, and the answer that is learnt.
var training = TrainingConfiguration()
training.learningRate = 3e-3
training.maxSteps = 40
let vocabulary = model.configuration.vocabulary
let data = try InstructionData(
    files: ["data/demo/valid.jsonl"], format: .auto, vocabulary: vocabulary)
let encoder = RecordEncoder(
    text: try .init(tokenizer: tokenizer, template: template), configuration: training,
    vocabulary: vocabulary)
let records = try encoder.encode(data.records, threads: 2).records

// An adapter beside the frozen model learns them; `out/example` then holds it in PEFT's format.
var random = SplitMix64(seed: 1)
let adapters = try LoRAAdapterSet.attach(LoRAConfiguration(), to: model, using: &random)
let record = AdapterRecord(topology: TopologySettings(kind: .tree), template: template.name)
let trainer = try Trainer(
    model: model,
    contents: TrainedAdapter(
        adapters,
        companions: [Companion(name: AdapterRecord.fileName, content: Array(record.text.utf8))]),
    training: records, configuration: training, folder: "out/example")
let summary = try trainer.run(in: RunFolder("out/example", .overwriting))
print("trained \(summary.step) steps")

// Taken up again as it was trained, it answers.
let taught = try LoadedModel("data/demo/model", adapter: "out/example")
var settings = ChatSettings()
settings.sampling.temperature = 0
let session = try ChatSession(
    model: taught.model, tokenizer: tokenizer, template: taught.template(for: tokenizer),
    settings: settings)
print(try session.reply(to: "In Oslo, Anna packed seven green umbrellas. Write it as YAML.").text)
