import MambaLM

/// What is trained, and how it is stored: an adapter, or a whole model.
public protocol CheckpointContents {
    /// The parameters that are trained, in an order that never changes, no name twice.
    var parameters: [Parameter] { get }

    /// Writes everything needed to use what was trained into a folder that exists.
    ///
    /// Values must come back bit for bit; files must appear under their names complete.
    func write(to folder: String) throws

    /// Takes the values of the parameters over from such a folder.
    func read(from folder: String) throws
}
