import ArgumentParser
import CommandSupport
import Hub
import Kernels

/// `mtl-finetune doctor`: what this machine offers, and what the program makes of it.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Print what this machine offers and which kernels are used.")

    @OptionGroup var engineOptions: EngineOptions

    func run() throws {
        let engine = engineOptions.makeEngine()
        let rate = MatrixSpeed.measure(engine)
        let rows = [
            ("version", CommandLineProgram.version),
            ("processor", Processor.name),
            ("physical cores", "\(Processor.physicalCores)"),
            ("instruction set", InstructionSet.best.rawValue),
            ("engine", engine.summary),
            ("bfloat16, int8", "kept in half and a quarter of the memory, multiplied in float32"),
            ("matrix products", "\(Int(rate / 1e9)) GFLOP/s on [512, 768] x [768, 3072]"),
            ("hub cache", HubCache().folder),
        ]
        let width = rows.map(\.0.count).max() ?? 0
        for (name, value) in rows {
            Terminal.printResult(
                name + String(repeating: " ", count: width + 2 - name.count) + value)
        }
    }
}
