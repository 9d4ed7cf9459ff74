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
    private let topology: (TopologySettings) -> TopologySettings
    private let notes: (String) -> Void
    private var entries: [Entry] = []
    /// The adapter that acts; `nil` if none does.
    public private(set) var active: String?

    /// Takes up a model.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - topology: Puts what the user asked for in place of what an adapter was trained with.
    ///   - notes: Called with what is worth knowing but no error.
    public init(
        _ model: MambaModel,
        topology: @escaping (TopologySettings) -> TopologySettings = { $0 },
        notes: @escaping (String) -> Void
    ) {
        self.model = model
        self.topology = topology
        self.notes = notes
    }

    /// Takes up a model with the adapter that was attached to it, if there is one.
    ///
    /// - Parameters:
    ///   - loaded: The model.
    ///   - folder: The adapter's folder.
    ///   - topology: As of ``init(_:topology:notes:)``.
    ///   - notes: The same.
    public convenience init(
        _ loaded: LoadedModel, adapter folder: String?,
        topology: @escaping (TopologySettings) -> TopologySettings,
        notes: @escaping (String) -> Void
    ) {
        self.init(loaded.model, topology: topology, notes: notes)
        if let adapters = loaded.adapters, let folder {
            entries = [Entry(name: folder, adapters: adapters, record: loaded.record)]
            active = folder
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
            try FolderContents.requireAdapter(folder)
            let record = try AdapterRecord.read(folder: folder)
            let read = try LoRAAdapterSet.read(folder, attachingTo: model)
            read.notes.forEach(notes)
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
        model.flow = topology(entry.record?.topology ?? TopologySettings(kind: .chain)).flow
    }
}
