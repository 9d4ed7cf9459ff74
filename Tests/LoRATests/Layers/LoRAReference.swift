import Tensors

/// The low-rank terms in `Double`, one line of code per line of the equations.
enum LoRAReference {
    /// `y[t][o] = scaling * sum over r, i of factors[t][i] * x[t][i] * A[r][i] * B[o][r]`.
    static func linear(
        x: Tensor, factors: Tensor, loraA: Tensor, loraB: Tensor, scaling: Double
    ) -> [Double] {
        var y: [Double] = []
        for t in 0..<x.rows {
            for o in 0..<loraB.rows {
                var sum = 0.0
                for r in 0..<loraA.rows {
                    for i in 0..<x.columns {
                        sum +=
                            Double(factors[t, i]) * Double(x[t, i]) * Double(loraA[r, i])
                            * Double(loraB[o, r])
                    }
                }
                y.append(scaling * sum)
            }
        }
        return y
    }

    /// `y[t][m] = scaling * sum over r of A[tokens[t]][r] * B[m][r]`.
    static func embedding(
        tokens: [Int32], loraA: Tensor, loraB: Tensor, scaling: Double
    ) -> [Double] {
        var y: [Double] = []
        for token in tokens {
            for m in 0..<loraB.rows {
                var sum = 0.0
                for r in 0..<loraA.columns {
                    sum += Double(loraA[Int(token), r]) * Double(loraB[m, r])
                }
                y.append(scaling * sum)
            }
        }
        return y
    }
}
