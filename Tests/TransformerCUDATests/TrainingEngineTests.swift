import TestSupport
import Testing
import Tokenization
import Trajectories
import Transformer
import TransformerCPU
import TransformerCUDA

/// What a card's training engine adds to what holds for every engine (`TransformerTests`).
@Suite struct TrainingEngineTests {
    /// The length of the difference over that of `expected`.
    private func distance(_ actual: [Float], _ expected: [Float]) -> Double {
        func squares(_ values: some Sequence<Float>) -> Double {
            values.reduce(0) { $0 + Double($1) * Double($1) }
        }
        return (squares(zip(actual, expected).map { $0 - $1 }) / squares(expected)).squareRoot()
    }

    private func engine(
        _ model: TrajectoryTransformer, _ precision: Precision = .exact
    ) throws -> any TrainingEngine {
        try CUDAEngine(device: emulatedDevice(), precision: precision).training(model)
    }

    /// Heads of eight channels, widths that fill no block, and goals.
    @Test(arguments: [(16, 2, 0), (48, 3, 3), (64, 1, 0)])
    func `loss and gradient with dropout are the CPU's`(width: Int, heads: Int, goals: Int) throws {
        print("seed 21")
        let model = try smallModel(goals: goals, width: width, heads: heads, seed: 21)
        let batch = randomBatch(model, rows: 5, seed: 22)
        let expected = try CPUEngine(workers: 1).training(model)
        let loss = try expected.lossAndGradient(batch, dropoutStream: 23)
        for (precision, lossTolerance, gradientTolerance) in [
            (Precision.exact, 1e-6, 2e-5), (.fast, 1e-2, 0.1),
        ] {
            let engine = try engine(model, precision)
            let found = try engine.lossAndGradient(batch, dropoutStream: 23)
            #expect(abs(found / loss - 1) < lossTolerance)
            let distance = distance(try engine.gradient(), try expected.gradient())
            print("\(precision), width \(width): gradient's distance \(distance)")
            #expect(distance < gradientTolerance)
            #expect(try abs(engine.loss(batch) / expected.loss(batch) - 1) < lossTolerance)
        }
    }

    @Test(arguments: [(Precision.exact, Float(2e-5)), (.fast, 2e-3)])
    func `three steps with dropout lead where the CPU's lead`(
        precision: Precision, tolerance: Float
    ) throws {
        print("seed 31")
        let model = try smallModel(seed: 31)
        let (engine, expected) = (
            try engine(model, precision), try CPUEngine(workers: 2).training(model)
        )
        for step in 0..<3 {
            let batch = randomBatch(model, rows: 4, seed: UInt64(32 + step))
            for engine in [engine, expected] {
                try engine.step(batch, rate: 1e-3, dropoutStream: UInt64(step))
            }
        }
        let (found, wanted) = (try engine.summary(), try expected.summary())
        #expect(found.steps == 3 && found.finiteSteps == nil)
        #expect(abs(found.lossSum / wanted.lossSum - 1) < Double(tolerance))
        #expect(abs(found.lastGradientNorm / wanted.lastGradientNorm - 1) < Double(25 * tolerance))
        // Key biases have noise for gradients, which Adam turns into steps of any sign.
        let (mine, theirs) = (try engine.state(), try expected.state())
        #expect(mine.updates == 3)
        for name in model.parameterNames where !name.hasSuffix("attn.key.bias") {
            let range = try #require(model.range(ofParameter: name))
            let difference =
                zip(mine.parameters[range], theirs.parameters[range])
                .map { abs($0 - $1) }.max() ?? 0
            // Three steps of 1e-3; where a gradient is near zero its sign may differ.
            #expect(difference < (precision == .exact ? 2e-4 : 6.1e-3), "\(name)")
        }
    }

    /// The CPU's sums in another order move parameters by 1e-5 of the way; a card rounds every
    /// product's sum elsewhere, and Adam makes whole steps of what is noise in a gradient near
    /// zero: 4e-4.
    @Test func `a hundred steps end where the CPU's end, within 2e-3 of the way`() throws {
        print("seed 36")
        let model = try smallModel(seed: 36)
        let engines: [any TrainingEngine] = [
            try CPUEngine(workers: 1, sequencesPerPass: 4).training(model),
            try CPUEngine(workers: 2, sequencesPerPass: 1).training(model), try engine(model),
        ]
        for step in 0..<100 {
            let batch = randomBatch(model, rows: 2, seed: UInt64(1000 + step))
            for engine in engines {
                try engine.step(batch, rate: 6e-4, dropoutStream: UInt64(step))
            }
        }
        // Key biases change nothing: their gradient is noise alone.
        let learnt = model.parameterNames.filter { !$0.hasSuffix("attn.key.bias") }
        let states = try engines.map { engine in
            let parameters = try engine.state().parameters
            return try learnt.flatMap {
                parameters[try #require(model.range(ofParameter: $0))]
            }
        }
        let first = try learnt.flatMap {
            model.values[try #require(model.range(ofParameter: $0))]
        }
        let way = distance(first, states[0])
        let other = distance(states[1], states[0]) / way
        let card = distance(states[2], states[0]) / way
        print("moved \(way) of all; of that other order of sums \(other), card \(card)")
        #expect(way > 0.01)
        #expect(other < 1e-4)
        #expect(card < 2e-3)
    }

    @Test(arguments: Precision.allCases)
    func `runs repeat bit for bit, also where batches of other sizes come between`(
        precision: Precision
    ) throws {
        let model = try smallModel(seed: 41)
        let states = try (0..<2).map { run in
            let engine = try engine(model, precision)
            for step in 0..<3 {
                if run == 1 {
                    _ = try engine.loss(randomBatch(model, rows: 1 + 4 * step, seed: 42))
                }
                try engine.step(
                    randomBatch(model, rows: 3, seed: UInt64(43 + step)), rate: 1e-3,
                    dropoutStream: UInt64(step))
            }
            return try engine.state()
        }
        #expect(states[0] == states[1])
    }

    @Test func `a run goes on from the CPU's state and the other way round`() throws {
        let model = try smallModel(seed: 51)
        let batches = (0..<4).map { randomBatch(model, rows: 3, seed: UInt64(52 + $0)) }
        func train(_ engines: [any TrainingEngine]) throws -> EngineState {
            var state: EngineState?
            for (step, batch) in batches.enumerated() {
                let engine = engines[step % engines.count]
                if let state { try engine.restore(state) }
                try engine.step(batch, rate: 1e-3, dropoutStream: UInt64(step))
                state = try engine.state()
            }
            return try #require(state)
        }
        let cpu = try CPUEngine(workers: 1).training(model)
        let mixed = try train([engine(model), cpu])
        let whole = try train([CPUEngine(workers: 1).training(model)])
        #expect(mixed.updates == 4)
        #expect(relativeError(mixed.firstMoment, whole.firstMoment) < 1e-4)
        #expect(distance(mixed.parameters, whole.parameters) < 1e-4)
    }

    @Test func `shares whose gradients are exchanged take the step of the whole batch`() throws {
        let model = try smallModel(seed: 61)
        let whole = try engine(model)
        let all = randomBatch(model, rows: 5, seed: 62)
        try whole.step(all, rate: 1e-3, dropoutStream: 63)
        // Three processes, of which one has no rows.
        let shares = [0..<2, 2..<2, 2..<5].map { rows in
            var share = TokenBatch(
                rows: rows.count, length: all.length, firstRow: rows.lowerBound, totalRows: 5)
            let tokens = (rows.lowerBound * all.length)..<(rows.upperBound * all.length)
            share.inputs = Array(all.inputs[tokens])
            share.targets = Array(all.targets[tokens])
            share.mask = Array(all.mask[tokens])
            return share
        }
        let engines = try shares.map { _ in try engine(model) }
        var sum = [Float](repeating: 0, count: model.parameterCount)
        for (engine, share) in zip(engines, shares) {
            _ = try engine.lossAndGradient(share, dropoutStream: 63)
            for (index, value) in try engine.gradient().enumerated() { sum[index] += value }
        }
        let expected = try whole.state()
        let norm = try whole.summary().lastGradientNorm
        for (engine, share) in zip(engines, shares) {
            try engine.step(share, rate: 1e-3, dropoutStream: 63) { gradient in
                for index in gradient.indices { gradient[index] = sum[index] }
            }
            let state = try engine.state()
            #expect(relativeError(state.firstMoment, expected.firstMoment) < 1e-5)
            #expect(relativeError(state.secondMoment, expected.secondMoment) < 1e-5)
            #expect(abs(try engine.summary().lastGradientNorm / norm - 1) < 1e-5)
        }
    }

    @Test func `a loss that is not finite shows, and when`() throws {
        let model = try smallModel(seed: 71)
        let engine = try engine(model)
        let batch = randomBatch(model, rows: 2, seed: 72)
        try engine.step(batch, rate: 1e-3, dropoutStream: nil)
        var state = try engine.state()
        state.parameters[model.parameterCount - 1] = .nan
        try engine.restore(state)
        try engine.step(batch, rate: 1e-3, dropoutStream: nil)
        let summary = try engine.summary()
        #expect(summary.steps == 2 && summary.finiteSteps == 1)
        #expect(summary.lastLoss.isNaN)
    }

    @Test func `models that the kernels cannot compute are refused by name of the limit`() throws {
        var configuration = TransformerConfiguration(
            layout: TransitionLayout(observationDimension: 3, actionDimension: 2))
        configuration.embeddingWidth = 24
        let error = #expect(throws: EngineError.self) {
            try engine(TrajectoryTransformer(configuration, seed: 1))
        }
        #expect(error?.code == .unsupported)
        #expect(error?.detail.contains("width is 24") == true)
    }
}
