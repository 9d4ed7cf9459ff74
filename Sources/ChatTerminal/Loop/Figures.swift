import Chat
import CommandSupport
import Python

/// Figures as people read them.
enum Figures {
    /// The figures of an answer on one line.
    static func line(of reply: Reply) -> String {
        "\(reading(reply)), \(grouped(reply.tokens.count)) drawn in "
            + "\(seconds(reply.decodeDuration)) (\(rate(reply.decodeTokensPerSecond))), "
            + reason(reply)
    }

    private static func reading(_ reply: Reply) -> String {
        let prompt = count(reply.promptTokens, "token")
        guard reply.readTokens > 0 else { return "\(prompt) known" }
        let isWhole = reply.readTokens == reply.promptTokens
        return (isWhole ? prompt : "\(grouped(reply.readTokens)) of \(prompt)")
            + " read in \(seconds(reply.prefillDuration)) "
            + "(\(rate(reply.prefillTokensPerSecond)))"
    }

    private static func reason(_ reply: Reply) -> String {
        switch reply.stopReason {
        case .end: "end token"
        case .stop: "stop string"
        case .length: "cut off"
        case .stopped: "stopped"
        }
    }

    /// A duration in seconds, or in milliseconds if it is less than one.
    static func seconds(_ duration: Duration) -> String {
        duration < .seconds(1)
            ? "\(Int(duration / .milliseconds(1))) ms"
            : "\(PythonFloat.fixed(duration / .seconds(1), places: 2)) s"
    }

    /// A speed in tokens a second.
    static func rate(_ tokensPerSecond: Double) -> String {
        "\(PythonFloat.fixed(tokensPerSecond, places: 1))/s"
    }

    /// A number and its noun, in the plural unless it is one.
    static func count(_ number: Int, _ noun: String, plural: String? = nil) -> String {
        "\(grouped(number)) \(number == 1 ? noun : plural ?? noun + "s")"
    }

    /// A number with a comma between thousands.
    static func grouped(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var result = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { result += "," }
            result.append(digit)
        }
        return (number < 0 ? "-" : "") + result
    }

    /// A size in bytes.
    static func size(_ bytes: Int) -> String {
        switch Double(bytes) {
        case ..<1e3: "\(bytes) B"
        case ..<1e6: "\(PythonFloat.fixed(Double(bytes) / 1e3, places: 1)) kB"
        default: "\(PythonFloat.fixed(Double(bytes) / 1e6, places: 1)) MB"
        }
    }
}
