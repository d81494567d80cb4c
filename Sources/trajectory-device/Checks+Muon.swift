import CUDA
import Tensors
import Trajectories
import Transformer
import TransformerCPU
import TransformerCUDA

extension Checks {
    /// Steps by Muon on the card and on the CPU, both from the card's gradients, and that they repeat
    /// bit for bit.
    ///
    /// The iteration makes small singular values hundreds of times as large, and with them what
    /// products round off: hence the bound of `fast`.
    mutating func checkMuon(_ device: Device, quick: Bool) {
        for precision in Precision.allCases {
            for (name, model, rows) in Self.trainedModels(quick: quick) {
                run("muon, \(precision.rawValue), \(name)") {
                    try Self.checkMuon(
                        device, precision, model, rows: rows,
                        tolerance: precision == .exact ? 1e-4 : 0.15)
                }
            }
        }
    }

    private static func checkMuon(
        _ device: Device, _ precision: Precision, _ model: TrajectoryTransformer, rows: Int,
        tolerance: Double
    ) throws -> String {
        var options = TrainingEngineOptions(windowLength: model.configuration.contextLength)
        options.muon = MuonOptions()
        let cpu = try CPUEngine().training(model, options: options)
        let engines = try (0..<2).map { _ in
            try CUDAEngine(device: device, precision: precision).training(model, options: options)
        }
        for step in 0..<3 {
            let batch = RandomBatch.make(model.configuration, rows: rows, seed: UInt64(step))
            let stream = UInt64(step)
            _ = try engines[0].lossAndGradient(batch, dropoutStream: stream)
            let gradient = try engines[0].gradient()
            try cpu.step(batch, rate: 1e-3, dropoutStream: stream) { shared in
                for index in shared.indices { shared[index] = gradient[index] }
            }
            for engine in engines {
                try engine.step(batch, rate: 1e-3, dropoutStream: stream)
            }
        }
        let (state, expected) = (try engines[0].state(), try cpu.state())
        guard try state == engines[1].state() else {
            throw Failure(description: "two runs of three steps differ")
        }
        let slots = model.parameters.blockMatrices
        var largest = 0.0
        for slot in slots {
            let range = slot.offset..<slot.offset + slot.count
            let (moved, wanted) = (
                zip(state.parameters[range], model.values[range]).map { $0 - $1 },
                zip(expected.parameters[range], model.values[range]).map { $0 - $1 }
            )
            largest = max(largest, distance(moved, wanted))
            guard state.secondMoment[range].allSatisfy({ $0 == 0 }) else {
                throw Failure(description: "a matrix that Muon teaches has second moments")
            }
            try require(
                distance(Array(state.firstMoment[range]), Array(expected.firstMoment[range])),
                below: 1e-4, "momentum of \(slot.rows) x \(slot.columns)")
        }
        try require(largest, below: tolerance, "movement of a matrix in three steps")
        return "movement of \(slots.count) matrices in three steps: error "
            + "\(largest.scientific); repeats bit for bit"
    }
}
