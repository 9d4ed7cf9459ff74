import Layers
import Tensors

/// All working memory of a model, which its memory estimate is computed from, too.
struct ModelBuffers {
    let stream: StreamBuffers
    let mixer: MixerBuffers
    let head: HeadBuffers
    let adapters: AdapterBuffers

    /// Creates buffers that hold nothing yet.
    init(_ x: MambaConfiguration, engine: any Engine) {
        stream = StreamBuffers(x, engine: engine)
        mixer = MixerBuffers(x, engine: engine)
        head = HeadBuffers(x, engine: engine)
        adapters = AdapterBuffers(of: engine)
    }

    /// The memory that they hold.
    var held: WorkingMemory {
        WorkingMemory(
            activations: stream.byteCount + mixer.byteCount + adapters.byteCount,
            kept: stream.projections.byteCount, head: head.byteCount)
    }
}

/// The residual stream.
struct StreamBuffers {
    /// The input of each block, `[tokens, model]`; but in training two are enough.
    let inputs: [Buffer]
    /// The wanted rows of the last block's output, `[rows, model]`.
    let hidden: Buffer
    /// The input projections that training keeps, one after the other, `[tokens, 2·inner]` each.
    let projections: Buffer

    init(_ x: MambaConfiguration, engine: any Engine) {
        inputs = (0..<max(x.layers, 2)).map { _ in Buffer(of: engine, columns: x.model) }
        hidden = Buffer(of: engine, columns: x.model)
        projections = Buffer(of: engine, columns: 2 * x.inner)
    }

    /// The memory that they hold without ``projections``, in bytes.
    var byteCount: Int { inputs.reduce(hidden.byteCount) { $0 + $1.byteCount } }

    /// The memory that they hold at most after a training pass without ``projections``, in bytes.
    func byteCount(tokens: Int, wanted: Int, layers: Int) -> Int {
        inputs.prefix(layers).reduce(hidden.byteCount(rows: wanted)) {
            $0 + $1.byteCount(rows: tokens)
        }
    }
}

/// The output projection of some rows.
struct HeadBuffers {
    /// Rows of the last block's output that are asked for more than once, `[rows, model]`.
    let gathered: Buffer
    /// The rows normalised, `[rows, model]`.
    let normed: Buffer
    /// `[rows, vocabulary]`.
    let logits: Buffer
    /// The gradient by ``normed``.
    let gradNormed: Buffer

    init(_ x: MambaConfiguration, engine: any Engine) {
        gathered = Buffer(of: engine, columns: x.model)
        normed = Buffer(of: engine, columns: x.model)
        logits = Buffer(of: engine, columns: x.vocabulary)
        gradNormed = Buffer(of: engine, columns: x.model)
    }

    /// The memory that they hold, in bytes.
    var byteCount: Int {
        [gathered, normed, logits, gradNormed].reduce(0) { $0 + $1.byteCount }
    }

    /// The memory that they hold at most after a training pass, in bytes.
    func byteCount(rows: Int) -> Int {
        [normed, logits, gradNormed].reduce(0) { $0 + $1.byteCount(rows: rows) }
    }
}
