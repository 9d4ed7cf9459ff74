import CommandSupport
import Evaluation

/// Each task's first document as the model sees it, for a person.
enum WriteOutText {
    static func print(_ evaluation: Evaluation) {
        for task in evaluation.tasks {
            guard let item = task.items.first else { continue }
            var lines = ["== \(task.task.name), document \(item.id), target \(item.target)"]
            for (number, request) in item.requests.enumerated() {
                switch request {
                case .continuation(let context, let continuation):
                    if number == 0 || context != Self.context(item.requests[number - 1]) {
                        lines.append("-- context\n\(context)")
                    }
                    lines.append("-- continuation \(number)\n\(continuation)")
                case .rolling(let text): lines.append("-- text\n\(text)")
                }
            }
            Terminal.printNote(lines.joined(separator: "\n"))
        }
    }

    private static func context(_ request: PreparedTask.Request) -> String? {
        if case .continuation(let context, _) = request { context } else { nil }
    }
}
