// Teaches the demonstration's model from 40 records, and asks it something.
import Chat
import FineTuning
import Kernels
import LoRA
import MambaLM
import Prompting
import Tensors
import Tokenization
import TreeSSMText

let folder = "data/demo/model"
let model = try MambaModel.load(folder: folder, engine: CPUEngine(threads: 2)).model
model.flow = TreeFlow(TreeSettings())
let tokenizer = try TokenizerLoader.load(at: folder)
let template = try PromptTemplate(name: "alpaca-short", tokenizer: tokenizer.configuration)

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
let trainer = try Trainer(
    model: model, contents: TrainedAdapter(adapters), training: records, configuration: training,
    folder: "out/example")
let summary = try trainer.run(in: RunFolder("out/example", .overwriting))
print("trained \(summary.step) steps")

// The model answers with the adapter attached.
var settings = ChatSettings()
settings.sampling.temperature = 0
let session = try ChatSession(
    model: model, tokenizer: tokenizer, template: template, settings: settings)
print(try session.reply(to: "In Oslo, Anna packed seven green umbrellas. Write it as YAML.").text)
