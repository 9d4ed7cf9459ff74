import Glibc

/// What this machine offers to this process.
public enum Processor {
    /// The number of physical cores that the process may use.
    ///
    /// Hyperthreads of one core count once; the affinity mask and a container's quota are respected.
    public static var physicalCores: Int {
        let allowed = allowedProcessors
        let cores = Set(
            allowed.map { cpu in
                text("/sys/devices/system/cpu/cpu\(cpu)/topology/thread_siblings_list") ?? "\(cpu)"
            })
        return max(1, min(cores.count, quota ?? .max))
    }

    /// The most memory the process has used so far, in bytes; `nil` where the system does not tell.
    public static var peakBytes: Int? {
        let kilobytes = status("VmHWM:")?.prefix(while: \.isNumber)
        return kilobytes.flatMap { Int($0) }.map { $0 * 1024 }
    }

    /// The name of the processor, as the kernel tells it.
    public static var name: String {
        let lines = (text("/proc/cpuinfo") ?? "").split(separator: "\n")
        let line = lines.first { $0.hasPrefix("model name") }
        guard let name = line?.split(separator: ":", maxSplits: 1).last else { return "unknown" }
        return String(name.drop { $0 == " " })
    }

    /// The numbers in a list such as `0-3,8`.
    private static var allowedProcessors: [Int] {
        let ranges = (status("Cpus_allowed_list:") ?? "0").split(separator: ",").map { range in
            range.split(separator: "-").compactMap { Int($0) }
        }
        return ranges.flatMap { bounds -> [Int] in
            guard let first = bounds.first, let last = bounds.last, first <= last else { return [] }
            return Array(first...last)
        }
    }

    /// The value of a line of the process's status.
    private static func status(_ field: String) -> Substring? {
        let lines = (text("/proc/self/status") ?? "").split(separator: "\n")
        let line = lines.first { $0.hasPrefix(field) }
        return line?.dropFirst(field.count).drop(while: \.isWhitespace)
    }

    /// A container's share of the machine in whole cores, rounded up.
    private static var quota: Int? {
        let fields = text("/sys/fs/cgroup/cpu.max")?.split(whereSeparator: \.isWhitespace) ?? []
        guard fields.count == 2, let share = Double(fields[0]), let period = Double(fields[1]),
            period > 0
        else { return nil }
        return max(1, Int((share / period).rounded(.up)))
    }

    /// A small file of the kernel.
    private static func text(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
