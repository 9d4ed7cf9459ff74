import LoRA
import MambaLM

/// The adapters that were read for one model, of which at most one acts.
public final class AdapterShelf {
    private struct Entry {
        let name: String
        let adapters: LoRAAdapterSet
        let record: AdapterRecord?
    }

    private let model: MambaModel
    private let options: TopologyOptions
    private let notes: (String) -> Void
    private var entries: [Entry] = []
    /// The adapter that acts; `nil` if none does.
    public private(set) var active: String?

    /// Takes up a model and the adapter that was attached to it, if there is one.
    ///
    /// - Parameters:
    ///   - loaded: The model.
    ///   - adapter: The folder of its adapter.
    ///   - options: What the user asked for; it wins over what adapters were trained with.
    ///   - notes: Called with what is worth knowing but no error.
    public init(
        _ loaded: LoadedModel, adapter: String?, options: TopologyOptions,
        notes: @escaping (String) -> Void
    ) {
        (model, self.options, self.notes) = (loaded.model, options, notes)
        if let adapters = loaded.adapters, let adapter {
            entries = [Entry(name: adapter, adapters: adapters, record: loaded.record)]
            active = adapter
        }
    }

    /// The folders of the adapters, in the order in which they were read.
    public var names: [String] { entries.map(\.name) }

    /// What the adapter that acts was trained with; `nil` if its folder does not say.
    public var activeRecord: AdapterRecord? { entries.first { $0.name == active }?.record }

    /// Lets the model act without an adapter; its topology stays.
    public func turnOff() {
        entries.first { $0.name == active }?.adapters.detach()
        active = nil
    }

    /// Lets one of the adapters act, and no other, with the topology that it was trained with.
    ///
    /// - Parameter name: One of ``names``.
    /// - Returns: Whether there is one of this name; if not, nothing changes.
    public func turnOn(_ name: String) -> Bool {
        guard let entry = entries.first(where: { $0.name == name }) else { return false }
        turnOff()
        entry.adapters.attach()
        setActive(entry)
        return true
    }

    /// Reads an adapter, which then acts, with the topology that it was trained with.
    ///
    /// - Parameter folder: Its folder; afterwards its name.
    /// - Throws: What is wrong with its files; then everything is as before.
    public func load(_ folder: String) throws {
        let before = active
        turnOff()
        do {
            let record = try AdapterRecord.read(folder: folder)
            let read = try LoRAAdapterSet.read(folder, attachingTo: model)
            for field in read.unknownFields {
                notes("\(folder)/adapter_config.json: field '\(field)' is not known")
            }
            let entry = Entry(name: folder, adapters: read.adapters, record: record)
            entries.removeAll { $0.name == folder }
            entries.append(entry)
            setActive(entry)
        } catch {
            entries.first { $0.name == before }?.adapters.attach()
            active = before
            throw error
        }
    }

    private func setActive(_ entry: Entry) {
        active = entry.name
        let recorded = entry.record?.topology ?? TopologySettings(kind: .chain)
        model.flow = options.applied(to: recorded).flow
    }
}
