import FoundationEssentials
import Storage

/// Where a run is reported beside its own files.
public enum ReportTarget: String, CaseIterable, Sendable {
    /// Nowhere.
    case none
    /// Files for TensorBoard, in `runs` of the output folder.
    case tensorboard
}

/// Writes a run's figures and texts for TensorBoard.
///
/// A run that goes on begins another file in the same folder, which says from which step on it counts; so no
/// step is shown twice. Tags are those of Hugging Face's trainer.
///
/// Source: TensorFlow's `event.proto` and `summary.proto`, of which a few fields are written here by hand.
struct TensorBoardLog {
    static let folderName = "runs"
    private let records: RecordAppender

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - folder: The output folder.
    ///   - finishedSteps: What is in earlier files of later steps counts no more.
    /// - Throws: `FileError`.
    init(folder: String, finishedSteps: Int) throws {
        let runs = "\(folder)/\(Self.folderName)"
        try FolderTree.create(runs)
        let process = ProcessInfo.processInfo
        let seconds = String(Int(Self.now))
        let host = process.hostName.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        let stem =
            runs + "/events.out.tfevents." + String(repeating: "0", count: 10 - seconds.count)
            + "\(seconds).\(String(host)).\(process.processIdentifier)."
        var number = 0
        while FilePath.exists("\(stem)\(number)") { number += 1 }
        records = try RecordAppender(creating: "\(stem)\(number)")
        try append { $0.text(3, "brain.Event:2") }
        // TensorBoard takes steps back at the second start that it sees, not at the first.
        try append {
            $0.number(2, finishedSteps + 1)
            $0.message(7) { $0.number(1, 1) }
        }
    }

    /// Whether a folder is one that this program wrote.
    @Sendable static func isOwn(_ path: String) -> Bool {
        guard FilePath.name(of: path) == folderName,
            let names = try? FolderTree.names(in: path)
        else { return false }
        return names.allSatisfy { $0.hasPrefix("events.out.tfevents.") }
    }

    func append(_ x: StepMetrics) throws {
        try append(
            step: x.step,
            [
                ("train/loss", x.loss), ("train/learning_rate", x.learningRate),
                ("train/grad_norm", x.gradientNorm), ("train/epoch", x.epoch),
                ("train/tokens_per_second", x.tokensPerSecond),
            ] + (x.peakBytes.map { [("train/peak_memory_bytes", Double($0))] } ?? []))
    }

    func append(_ x: EvaluationMetrics) throws {
        try append(step: x.step, [("eval/loss", x.loss), ("eval/runtime", x.runtime.seconds)])
    }

    /// Writes the answer to the prompt of a number, from 1.
    func append(_ x: SampleAnswer, number: Int) throws {
        try append(
            text: Self.verbatim(x.prompt) + "\n\n" + (x.isBase ? "Base model:" : "Answer:") + "\n\n"
                + Self.verbatim(x.answer), tag: "samples/\(number)", step: x.step)
    }

    /// Writes a text that is shown as it is.
    func append(verbatim text: String, tag: String) throws {
        try append(text: Self.verbatim(text), tag: tag, step: 0)
    }

    private func append(step: Int, _ scalars: [(tag: String, value: Double)]) throws {
        try append {
            $0.number(2, step)
            $0.message(5) { summary in
                for scalar in scalars {
                    summary.message(1) {
                        $0.text(1, scalar.tag)
                        $0.float(2, Float(scalar.value))
                    }
                }
            }
        }
    }

    private func append(text: String, tag: String, step: Int) throws {
        try append {
            $0.number(2, step)
            $0.message(5) {
                $0.message(1) {
                    $0.text(1, tag)
                    // A tensor of one string.
                    $0.message(8) {
                        $0.number(1, 7)
                        $0.message(2) { $0.message(2) { $0.number(1, 1) } }
                        $0.text(8, text)
                    }
                    $0.message(9) { $0.message(1) { $0.text(1, "text") } }
                }
            }
        }
    }

    private func append(_ fill: (inout ProtobufWriter) -> Void) throws {
        var event = ProtobufWriter()
        event.double(1, Self.now)
        fill(&event)
        try records.append(event.bytes)
    }

    /// TensorBoard reads Markdown, in which indented lines stand for themselves.
    private static func verbatim(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { "    " + $0 }.joined(separator: "\n")
    }

    private static var now: Double { Date().timeIntervalSince1970 }
}

/// Writes the fields of a protobuf message, one after the other.
private struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    mutating func number(_ field: Int, _ value: Int) {
        varint(field << 3)
        varint(value)
    }

    mutating func double(_ field: Int, _ value: Double) {
        varint(field << 3 | 1)
        fixed(value.bitPattern)
    }

    mutating func float(_ field: Int, _ value: Float) {
        varint(field << 3 | 5)
        fixed(value.bitPattern)
    }

    mutating func text(_ field: Int, _ value: String) { data(field, Array(value.utf8)) }

    mutating func message(_ field: Int, _ fill: (inout ProtobufWriter) -> Void) {
        var message = ProtobufWriter()
        fill(&message)
        data(field, message.bytes)
    }

    private mutating func data(_ field: Int, _ value: [UInt8]) {
        varint(field << 3 | 2)
        varint(value.count)
        bytes += value
    }

    private mutating func fixed(_ value: some FixedWidthInteger) {
        bytes += (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    private mutating func varint(_ value: Int) {
        var rest = UInt64(bitPattern: Int64(value))
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
