import Tensors
import TestSupport
import Testing
import Tokenization
import Trajectories
import Transformer
import TransformerCPU
import TransformerCUDA

/// Matrices that learn by Muon on a card.
@Suite struct MuonTests {
    private func options(_ model: TrajectoryTransformer) -> TrainingEngineOptions {
        var options = TrainingEngineOptions(windowLength: model.configuration.contextLength)
        options.muon = MuonOptions()
        return options
    }

    private func engine(
        _ model: TrajectoryTransformer, _ precision: Precision = .exact
    ) throws -> any TrainingEngine {
        try CUDAEngine(device: emulatedDevice(), precision: precision)
            .training(model, options: options(model))
    }

    /// The shapes fill no block, one, and more than one; with and without goals.
    ///
    /// What bfloat16 rounds off the iteration makes hundreds of times as large.
    @Test(arguments: [
        (Precision.exact, 16, 2, 0, 1e-5), (.exact, 48, 3, 3, 1e-5), (.exact, 80, 5, 0, 1e-5),
        (.fast, 48, 3, 3, 0.1), (.fast, 80, 5, 0, 0.1),
    ])
    func `two steps turn the matrices by the formula, and AdamW teaches the rest`(
        precision: Precision, width: Int, heads: Int, goals: Int, tolerance: Double
    ) throws {
        print("seed 81")
        let model = try smallModel(goals: goals, width: width, heads: heads, seed: 81)
        let options = options(model)
        let engine = try engine(model, precision)
        let adam = try CUDAEngine(device: emulatedDevice(), precision: precision).training(model)
        let matrices = model.parameters.blockMatrices
        let byMuon = Set(matrices.flatMap { $0.offset..<$0.offset + $0.count })
        for step in 0..<2 {
            let batch = randomBatch(model, rows: 3, seed: UInt64(82 + step))
            let before = try engine.state()
            try adam.restore(before)
            _ = try engine.lossAndGradient(batch, dropoutStream: UInt64(step))
            let gradient = try engine.gradient()
            for engine in [engine, adam] {
                try engine.step(batch, rate: 0.02, dropoutStream: UInt64(step))
            }
            let norm = try engine.summary().lastGradientNorm
            let factor = min(1, Double(options.gradientLimit) / (norm + 1e-6))
            #expect(step > 0 || factor < 1)
            let (after, others) = (try engine.state(), try adam.state())
            for slot in matrices {
                let expected = MuonReference.step(
                    slot, before, gradient: gradient, factor: factor, rate: 0.02,
                    options: options)
                let range = slot.offset..<slot.offset + slot.count
                let moved = zip(after.parameters[range], before.parameters[range])
                    .map { Double($0) - Double($1) }
                let error = MuonReference.distance(moved, expected.moved)
                #expect(error < tolerance, "\(slot.rows) x \(slot.columns): \(error)")
                let momentum = after.firstMoment[range].map { Double($0) }
                #expect(MuonReference.distance(momentum, expected.momentum) < 1e-6)
                #expect(after.secondMoment[range].allSatisfy { $0 == 0 })
            }
            let differing = others.parameters.indices.filter {
                !byMuon.contains($0)
                    && (after.parameters[$0] != others.parameters[$0]
                        || after.firstMoment[$0] != others.firstMoment[$0]
                        || after.secondMoment[$0] != others.secondMoment[$0])
            }
            #expect(differing.isEmpty)
            // What products take is what was learnt.
            let copy = try self.engine(model, precision)
            try copy.restore(after)
            #expect(try copy.loss(batch) == engine.loss(batch))
        }
    }

    @Test(arguments: Precision.allCases)
    func `steps by Muon repeat bit for bit, with other batches between and with an exchange`(
        precision: Precision
    ) throws {
        let model = try smallModel(seed: 91)
        let states = try (0..<3).map { run in
            let engine = try engine(model, precision)
            for step in 0..<3 {
                if run == 1 {
                    _ = try engine.loss(randomBatch(model, rows: 1 + 4 * step, seed: 92))
                }
                try engine.step(
                    randomBatch(model, rows: 3, seed: UInt64(93 + step)), rate: 1e-3,
                    dropoutStream: UInt64(step), exchange: run == 2 ? { _ in } : nil)
            }
            return try engine.state()
        }
        #expect(states[0] == states[1])
        #expect(states[0] == states[2])
    }

    @Test func `a run by Muon goes on from the CPU's state and the other way round`() throws {
        print("seed 101")
        let model = try smallModel(seed: 101)
        func train(_ engines: [any TrainingEngine]) throws -> EngineState {
            var state = try engines[0].state()
            for step in 0..<4 {
                let engine = engines[step % engines.count]
                try engine.restore(state)
                try engine.step(
                    randomBatch(model, rows: 3, seed: UInt64(102 + step)), rate: 1e-3,
                    dropoutStream: UInt64(step))
                state = try engine.state()
            }
            return state
        }
        let cpu = try CPUEngine(workers: 1).training(model, options: options(model))
        let whole = try train([cpu])
        for engines in [[try engine(model), cpu], [cpu, try engine(model)]] {
            try cpu.restore(
                EngineState(
                    parameters: model.values, firstMoment: whole.firstMoment.map { _ in 0 },
                    secondMoment: whole.firstMoment.map { _ in 0 }, updates: 0))
            let mixed = try train(engines)
            #expect(mixed.updates == 4)
            for slot in model.parameters.blockMatrices {
                let range = slot.offset..<slot.offset + slot.count
                func moved(_ state: EngineState) -> [Double] {
                    range.map { Double(state.parameters[$0]) - Double(model.values[$0]) }
                }
                let error = MuonReference.distance(moved(mixed), moved(whole))
                #expect(error < 1e-3, "\(slot.rows) x \(slot.columns): \(error)")
                let momentum = MuonReference.distance(
                    mixed.firstMoment[range].map(Double.init),
                    whole.firstMoment[range].map(Double.init))
                #expect(momentum < 1e-3)
                #expect(mixed.secondMoment[range].allSatisfy { $0 == 0 })
            }
        }
    }

    @Test func `a gradient of zero only lets the matrices decay`() throws {
        let model = try smallModel(seed: 95)
        let engine = try engine(model)
        var batch = randomBatch(model, rows: 2, seed: 96)
        for index in batch.mask.indices { batch.mask[index] = 0 }
        try engine.step(batch, rate: 1e-2, dropoutStream: nil)
        let state = try engine.state()
        for slot in model.parameters.blockMatrices {
            for index in slot.offset..<slot.offset + slot.count {
                #expect(abs(state.parameters[index] - 0.999 * model.values[index]) < 1e-7)
            }
        }
    }

    @Test(arguments: [(Float.nan, Float(0.95)), (0, 0.95), (5, 1), (5, -0.1), (5, .nan)])
    func `numbers that cannot be Muon's are refused`(ratio: Float, momentum: Float) throws {
        let model = try smallModel(seed: 97)
        var options = options(model)
        options.muon?.rateRatio = ratio
        options.muon?.momentum = momentum
        let error = #expect(throws: EngineError.self) {
            try CUDAEngine(device: emulatedDevice()).training(model, options: options)
        }
        #expect(error?.code == .unsupported)
        #expect(error?.detail.contains("Muon's") == true)
    }
}

/// The formula of ``MuonOptions`` in double precision, word for word.
enum MuonReference {
    typealias Matrix = [[Double]]

    /// What a step adds to a matrix, and its momentum then.
    static func step(
        _ slot: ParameterSlot, _ before: EngineState, gradient: [Float], factor: Double,
        rate: Double, options: TrainingEngineOptions
    ) -> (moved: [Double], momentum: [Double]) {
        let muon = options.muon ?? MuonOptions()
        let range = slot.offset..<slot.offset + slot.count
        let gradient = gradient[range].map { Double($0) * factor }
        let weights = before.parameters[range].map { Double($0) }
        let momentum = zip(before.firstMoment[range], gradient).map {
            Double(muon.momentum) * Double($0) + $1
        }
        var x = zip(gradient, momentum).map { $0 + Double(muon.momentum) * $1 }
        let length = x.reduce(0) { $0 + $1 * $1 }.squareRoot()
        x = x.map { $0 / (length + 1e-7) }
        var matrix = (0..<slot.rows).map { row in
            Array(x[row * slot.columns..<(row + 1) * slot.columns])
        }
        let isTall = slot.rows > slot.columns
        if isTall { matrix = transposed(matrix) }
        let (a, b, c) = MuonOptions.coefficients
        for _ in 0..<MuonOptions.iterations {
            let gram = product(matrix, transposed(matrix))
            let square = product(gram, gram)
            let polynomial = zip(gram, square).map {
                zip($0, $1).map { Double(b) * $0 + Double(c) * $1 }
            }
            matrix = zip(matrix, product(polynomial, matrix)).map {
                zip($0, $1).map { Double(a) * $0 + $1 }
            }
        }
        if isTall { matrix = transposed(matrix) }
        let scale =
            rate * Double(muon.rateRatio)
            * max(1, Double(slot.rows) / Double(slot.columns)).squareRoot()
        let moved = zip(weights, matrix.flatMap(\.self)).map {
            -rate * Double(options.weightDecay) * $0 - scale * $1
        }
        return (moved, momentum)
    }

    /// The length of the difference over that of `expected`.
    static func distance(_ actual: [Double], _ expected: [Double]) -> Double {
        let difference = zip(actual, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return (difference / expected.reduce(0) { $0 + $1 * $1 }).squareRoot()
    }

    private static func transposed(_ x: Matrix) -> Matrix {
        x[0].indices.map { column in x.map { $0[column] } }
    }

    private static func product(_ x: Matrix, _ y: Matrix) -> Matrix {
        let columns = transposed(y)
        return x.map { row in columns.map { zip(row, $0).reduce(0) { $0 + $1.0 * $1.1 } } }
    }
}
