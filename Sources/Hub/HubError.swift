import Storage

/// Why a model could not be found or fetched.
public enum HubError: Error, Equatable {
    /// Neither a path nor a name on the hub.
    case noSuchFolder(model: String)
    /// Neither a path nor in the cache, and nothing may be fetched.
    case offline(model: String, cache: String)
    /// The hub does not know the model, or does not show it without a token.
    case unknown(model: String, endpoint: String)
    /// The hub shows the model to some people only.
    case forbidden(model: String, endpoint: String)
    /// The model has no file that this program reads.
    case unsuitable(model: String, missing: String)
    /// The hub answered with a status that was not expected.
    case status(url: String, found: Int)
    /// The hub could not be reached, or the connection broke.
    case transfer(url: String, reason: String)
    /// The hub's answer does not hold what it should.
    case answer(url: String, reason: String)
    /// The caller stopped the download.
    case stopped(model: String)
}

extension HubError: CustomStringConvertible {
    /// One line that names model or address, and the remedy.
    public var description: String {
        switch self {
        case .noSuchFolder(let model):
            "\(quotedPath(model)): no such folder, expected a model's folder or its name on the "
                + "Hugging Face hub, such as state-spaces/mamba-130m-hf"
        case .offline(let model, let cache):
            "\(quotedPath(model)): no such folder, nor is there \(quoted(cache)) in the cache; "
                + "give a folder, or unset HF_HUB_OFFLINE to download it"
        case .unknown(let model, let endpoint):
            "\(model): no such folder, and unknown to \(endpoint) or not open to everyone; check "
                + "the name, or set HF_TOKEN"
        case .forbidden(let model, let endpoint):
            "\(model): \(endpoint) asks for permission; accept the model's conditions there and set "
                + "HF_TOKEN"
        case .unsuitable(let model, let missing):
            "\(model): has no \(missing); choose a model in the Hugging Face layout, such as "
                + "state-spaces/mamba-130m-hf"
        case .status(let url, let found): "\(url): answered with status \(found), expected 200"
        case .transfer(let url, let reason):
            "\(url): \(oneLine(reason)); check the connection, run the command again to go on where "
                + "it stopped, or give a local folder"
        case .answer(let url, let reason): "\(url): \(oneLine(reason))"
        case .stopped(let model):
            "\(model): download stopped; run the command again to go on where it stopped"
        }
    }
}
