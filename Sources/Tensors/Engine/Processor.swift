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
        text("/proc/self/status").flatMap { bytes("VmHWM:", in: $0) }
    }

    /// The memory that the process can still take, in bytes; `nil` where the system does not tell.
    ///
    /// The least of what is free on the machine, what is left of the limits of the control groups (version
    /// 2) that the process is in, and of its own address space (`ulimit -v`).
    public static var availableBytes: Int? {
        let free = text("/proc/meminfo")
            .flatMap { bytes("MemAvailable:", in: $0) }
        return ([free, addressSpace] + controlGroups).compactMap { $0 }.min().map { max($0, 0) }
    }

    /// What is left of the address space that the process may have.
    private static var addressSpace: Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
            let most = Int(exactly: limit.rlim_cur), let status = text("/proc/self/status"),
            let used = bytes("VmSize:", in: status)
        else { return nil }
        return most - used
    }

    /// What is left of the limits of the process's control group and those around it; what files leave in
    /// memory counts as free.
    private static var controlGroups: [Int?] {
        let line = (text("/proc/self/cgroup") ?? "").split(separator: "\n")
            .first { $0.hasPrefix("0::/") }
        var parts = (line?.dropFirst(4) ?? "").split(separator: "/")
        var left: [Int?] = []
        while true {
            let folder = (["/sys/fs/cgroup"] + parts).joined(separator: "/")
            func number(_ file: String) -> Int? {
                text("\(folder)/\(file)").flatMap { Int($0.prefix(while: \.isNumber)) }
            }
            if let most = number("memory.max"), let used = number("memory.current") {
                let files = (text("\(folder)/memory.stat") ?? "").split(separator: "\n")
                    .first { $0.hasPrefix("inactive_file ") }
                    .flatMap { Int($0.dropFirst(14)) }
                left.append(most - used + (files ?? 0))
            }
            if parts.popLast() == nil { return left }
        }
    }

    /// The bytes of a line such as `VmSize:  1234 kB`.
    private static func bytes(_ field: String, in text: String) -> Int? {
        text.split(separator: "\n").first { $0.hasPrefix(field) }
            .flatMap {
                Int(
                    $0.dropFirst(field.count).drop(while: \.isWhitespace)
                        .prefix(while: \.isNumber))
            }
            .map { $0 * 1024 }
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
