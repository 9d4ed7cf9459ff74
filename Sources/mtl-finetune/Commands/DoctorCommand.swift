import ArgumentParser
import CommandSupport
import Hub
import Kernels
import Tensors

/// `mtl-finetune doctor`: what this machine offers, and what the program makes of it.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Print what this machine offers and which kernels are used.",
        discussion: HelpText.examples(
            "mtl-finetune doctor",
            "mtl-finetune doctor --threads 4"))

    @OptionGroup var engineOptions: EngineOptions

    func run() throws {
        let engine = try engineOptions.makeEngine()
        let rates = WeightMatrix.Format.allCases.map { format in
            (format, MatrixSpeed.measure(engine, format: format) / 1e9)
        }
        let gains = rates[1].1 >= 1.2 * rates[0].1
        let rounding = engine.instructionSet == .amx ? "bfloat16 on matrix tiles" : "bfloat16"
        let rows = [
            ("version", CommandLineProgram.version),
            ("processor", Processor.name),
            ("physical cores", "\(Processor.physicalCores)"),
            ("instruction set", InstructionSet.best.rawValue),
            ("engine", engine.summary),
            (
                "bfloat16",
                "half the memory, multiplied in \(engine.multipliesInBFloat16 ? rounding : "float32")"
            ),
            (
                "int8",
                "a quarter of the memory, multiplied in "
                    + (engine.multipliesInWholeNumbers ? "integers of 16 bits" : "float32")
            ),
            (
                "matrix products",
                rates.map { "\(Int($0.1)) in \($0.0)" }.joined(separator: ", ")
                    + ", GFLOP/s on [512, 768] x [768, 3072]"
            ),
            (
                "take to train",
                gains
                    ? "--dtype bfloat16: faster, and half the memory of the frozen weights"
                    : "--dtype float32, or bfloat16 where memory is short: no faster here"
            ),
            (
                "take to answer",
                "--dtype bfloat16; int8 is the fastest token by token and the least exact"
            ),
            ("hub cache", HubCache().folder),
        ]
        let width = rows.map(\.0.count).max() ?? 0
        for (name, value) in rows {
            Terminal.printResult(
                name + String(repeating: " ", count: width + 2 - name.count) + value)
        }
    }
}
