/// Python's generator of random numbers: the Mersenne Twister MT19937.
///
/// Gives the numbers of `random.Random(seed)`, so that few-shot examples and bootstraps are those of
/// lm-evaluation-harness.
///
/// Source: Matsumoto and Nishimura, "Mersenne Twister", 1998; CPython 3.11, `random.py` and
/// `_randommodule.c`.
package struct PythonRandom {
    private static let size = 624
    private var state: [UInt32]
    /// The next outputs, one for each word of the state.
    private var outputs: [UInt32]
    private var position = PythonRandom.size

    /// Seeds the generator as `random.Random(seed)` does.
    package init(seed: UInt64) {
        let words =
            seed >> 32 == 0
            ? [UInt32(seed)] : [UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32)]
        state = PythonRandom.initialState(key: words)
        outputs = [UInt32](repeating: 0, count: PythonRandom.size)
    }

    /// The next 32 bits.
    package mutating func next() -> UInt32 {
        if position == PythonRandom.size { refill() }
        defer { position += 1 }
        return outputs[position]
    }

    /// Python's `random()`: a number in [0, 1) with 53 random bits.
    package mutating func nextUnit() -> Double { PythonRandom.unit(next(), next()) }

    /// Python's `randrange(count)`: uniform, by rejection.
    ///
    /// - Parameter count: In 1 ..< 2^32.
    /// - Returns: A number in 0 ..< `count`.
    package mutating func next(below count: Int) -> Int {
        precondition(count > 0 && count <= UInt32.max, "\(count) is outside of 1 ..< 2^32")
        let unused = UInt32(UInt32(count).leadingZeroBitCount)
        while true {
            let value = Int(next() >> unused)
            if value < count { return value }
        }
    }

    /// Python's `sample(range(count), picks)`: different numbers, in the order drawn.
    ///
    /// - Parameters:
    ///   - picks: How many, at most `count`.
    ///   - count: The size of the population.
    /// - Returns: Numbers in 0 ..< `count`.
    package mutating func sample(_ picks: Int, of count: Int) -> [Int] {
        precondition((0...count).contains(picks), "\(picks) picks of \(count)")
        var limit = 21
        if picks > 5 {
            var power = 1
            while power < 3 * picks { power *= 4 }
            limit += power
        }
        if count <= limit {
            var pool = Array(0..<count)
            return (0..<picks).map { done in
                let index = next(below: count - done)
                defer { pool[index] = pool[count - done - 1] }
                return pool[index]
            }
        }
        var taken: Set<Int> = []
        return (0..<picks).map { _ in
            while true {
                let index = next(below: count)
                if taken.insert(index).inserted { return index }
            }
        }
    }

    /// Python's `choices(range(indices.count), k: indices.count)`, written over `indices`.
    ///
    /// Fast: the numbers are made in blocks.
    package mutating func drawIndices(into indices: inout [Int32]) {
        var done = 0
        while done < indices.count {
            // A pair of outputs makes one number. Seeded afresh and used for nothing else, the
            // generator has them in whole pairs, and a block holds an even number.
            if position == PythonRandom.size { refill() }
            let pairs = min((PythonRandom.size - position) / 2, indices.count - done)
            precondition(pairs > 0, "an odd number of outputs was used before")
            PythonRandom.draw(pairs, from: outputs, at: position, into: &indices, at: done)
            done += pairs
            position += 2 * pairs
        }
    }

    private static func draw(
        _ pairs: Int, from outputs: [UInt32], at position: Int, into indices: inout [Int32],
        at done: Int
    ) {
        let count = Double(indices.count)
        let source = outputs.span
        var target = indices.mutableSpan
        for pair in 0..<pairs {
            let place = position + 2 * pair
            target[done + pair] = Int32(unit(source[place], source[place + 1]) * count)
        }
    }

    private static func unit(_ high: UInt32, _ low: UInt32) -> Double {
        (Double(high >> 5) * 67_108_864 + Double(low >> 6)) * (1 / 9_007_199_254_740_992)
    }

    private mutating func refill() {
        PythonRandom.advance(&state)
        PythonRandom.temper(state, into: &outputs)
        position = 0
    }

    private static func advance(_ state: inout [UInt32]) {
        var words = state.mutableSpan
        let distance = 397
        for index in 0..<size - distance {
            let next = twist(words[index], words[index + 1])
            words[index] = words[index + distance] ^ next
        }
        for index in size - distance..<size - 1 {
            let next = twist(words[index], words[index + 1])
            words[index] = words[index + distance - size] ^ next
        }
        words[size - 1] = words[distance - 1] ^ twist(words[size - 1], words[0])
    }

    private static func temper(_ state: [UInt32], into outputs: inout [UInt32]) {
        let words = state.span
        var target = outputs.mutableSpan
        for index in 0..<size {
            var word = words[index]
            word ^= word >> 11
            word ^= word << 7 & 0x9D2C_5680
            word ^= word << 15 & 0xEFC6_0000
            word ^= word >> 18
            target[index] = word
        }
    }

    @inline(__always)
    private static func twist(_ upper: UInt32, _ lower: UInt32) -> UInt32 {
        let mixed = upper & 0x8000_0000 | lower & 0x7FFF_FFFF
        return mixed >> 1 ^ (0 &- (mixed & 1)) & 0x9908_B0DF
    }

    /// `init_by_array` of the reference implementation.
    private static func initialState(key: [UInt32]) -> [UInt32] {
        var state = [UInt32](repeating: 0, count: size)
        state[0] = 19_650_218
        for index in 1..<size {
            let last = state[index - 1]
            state[index] = 1_812_433_253 &* (last ^ last >> 30) &+ UInt32(index)
        }
        var (place, keyPlace) = (1, 0)
        func advance() {
            place += 1
            if place == size {
                state[0] = state[size - 1]
                place = 1
            }
        }
        for _ in 0..<max(size, key.count) {
            let last = state[place - 1]
            state[place] =
                (state[place] ^ (last ^ last >> 30) &* 1_664_525) &+ key[keyPlace]
                &+ UInt32(keyPlace)
            keyPlace = (keyPlace + 1) % key.count
            advance()
        }
        for _ in 0..<size - 1 {
            let last = state[place - 1]
            state[place] =
                (state[place] ^ (last ^ last >> 30) &* 1_566_083_941) &- UInt32(place)
            advance()
        }
        state[0] = 0x8000_0000
        return state
    }
}
