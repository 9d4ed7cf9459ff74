import Glibc
import Storage

/// What the environment says about the hub, in the variables of `huggingface_hub`.
public struct HubEnvironment: Equatable, Sendable {
    /// The folder of the cache.
    public var cache: String
    /// The hub's address, without a slash at its end.
    public var endpoint: String
    /// Proves who asks, for models that are not open to everyone.
    public var token: String?
    /// Whether nothing may be fetched.
    public var isOffline: Bool

    /// Groups the settings.
    public init(cache: String, endpoint: String, token: String? = nil, isOffline: Bool = false) {
        (self.cache, self.endpoint, self.token) = (cache, endpoint, token)
        self.isOffline = isOffline
    }

    /// Reads the settings from variables.
    ///
    /// - Parameter variables: Names and values, as in the environment of a process.
    public init(_ variables: [String: String]) {
        func variable(_ names: String...) -> String? {
            names.lazy.compactMap { variables[$0] }.first { !$0.isEmpty }
        }
        let caches = variable("XDG_CACHE_HOME") ?? (variable("HOME") ?? "~") + "/.cache"
        let home = variable("HF_HOME") ?? caches + "/huggingface"
        cache = variable("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE") ?? home + "/hub"
        let address = variable("HF_ENDPOINT") ?? "https://huggingface.co"
        endpoint = address.hasSuffix("/") ? String(address.dropLast()) : address
        token =
            variable("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
            ?? FirstWord.of(file: variable("HF_TOKEN_PATH") ?? home + "/token")
        isOffline = variable("HF_HUB_OFFLINE").map { !["0", "false"].contains($0) } ?? false
    }

    /// The settings of this process.
    public static var process: HubEnvironment {
        let names = [
            "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HOME",
            "HF_ENDPOINT", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE",
        ]
        let values = names.compactMap { name in
            getenv(name).map { (name, String(cString: $0)) }
        }
        return HubEnvironment(Dictionary(uniqueKeysWithValues: values))
    }
}

/// Small files that hold one word.
enum FirstWord {
    /// The first word of a file's first 4 KiB; `nil` if there is none.
    static func of(file path: String) -> String? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = try? bytes.withUnsafeMutableBytes { try ByteStream(path: path).read(into: $0) }
        let text = String(decoding: bytes[..<(count ?? 0)], as: UTF8.self)
        return text.split(whereSeparator: \.isWhitespace).first.map(String.init)
    }
}
