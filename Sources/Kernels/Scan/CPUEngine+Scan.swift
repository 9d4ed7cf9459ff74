extension CPUEngine {
    public func scan(_ x: SelectiveScan.Inputs, into y: Tensor) {
        preconditionFailure("not yet merged")
    }
    public func scanBackward(
        _ x: SelectiveScan.Inputs, gradY: Tensor, into gradients: SelectiveScan.Gradients
    ) {
        preconditionFailure("not yet merged")
    }
    public func stateInputCosines(
        _ x: SelectiveScan.Inputs, edges: [(Int32, Int32)]
    ) -> [Float] {
        preconditionFailure("not yet merged")
    }
}
