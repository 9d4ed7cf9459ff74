import MambaLM
import Testing

@Suite("Model shapes")
struct ModelShapeTests {
    @Test(
        "the released models have as many parameters as their files",
        arguments: [
            (ModelShape.m130, 129_135_360), (.m370, 371_516_416), (.m790, 793_204_224),
            (.b1p4, 1_372_178_432), (.b2p8, 2_768_345_600),
        ])
    func parameters(_ shape: ModelShape, expected: Int) {
        #expect(shape.configuration.parameterCount == expected)
    }
}
