import CUDA
import Learning
import LearningCUDA

extension Checks {
    /// Updates of soft actor-critic beside the processor's, after 1, 20 and 200; and that they
    /// repeat bit for bit.
    mutating func checkSoftActorCritic(_ device: Device, quick: Bool) {
        let shapes =
            quick
            ? [(11, 3, 64, 64), (37, 17, 44, 19)]
            : [(11, 3, 256, 256), (27, 8, 256, 256), (376, 17, 256, 256), (37, 17, 44, 19)]
        for (observation, action, hidden, batch) in shapes {
            run(
                "soft actor-critic, \(observation) + \(action), \(hidden) hidden, batch \(batch)"
            ) {
                let run = try RandomRun(
                    observation: observation, action: action, hidden: hidden, batch: batch)
                let cpu = try CPUSoftActorCritic(run.state, settings: run.settings)
                let (card, again) = (try run.card(on: device), try run.card(on: device))
                for engine in [cpu, card, again] as [any SoftActorCriticEngine] {
                    try engine.append(run.rows(1000))
                }
                var found: [String] = []
                // Rounding parts two runs in jumps, where it decides on a ReLU, on the smaller Q or on
                // the sign of a step of Adam: on the CPU, first parameters that differ by 1e-7 lead to
                // actors that differ by 1e-3 of their length after 200 updates of Hopper's sizes,
                // while means over the batches stay within 1e-6. So parameters are held tightly at
                // first, and means later on.
                for (more, tolerance) in [(1, 1e-6), (19, 2e-3), (180, 2e-2)]
                where more < 180 || !quick {
                    let expected = try cpu.update(more)
                    let means = try card.update(more)
                    _ = try again.update(more)
                    for (name, value) in [
                        ("critic loss", \SoftActorCriticUpdates.criticLoss), ("Q", \.q),
                        ("actor loss", \.actorLoss), ("entropy", \.entropy),
                        ("temperature", \.temperature),
                    ] {
                        let (x, y) = (means[keyPath: value], expected[keyPath: value])
                        try Self.require(
                            abs(x - y) / max(1, abs(y)), below: 1e-3, "mean \(name)")
                    }
                    let (a, b) = (try card.state(), cpu.state())
                    let error =
                        zip([a.actor, a.critics, a.targets], [b.actor, b.critics, b.targets])
                        .map { Self.distance($0, $1) }.max() ?? 0
                    try Self.require(
                        error, below: tolerance, "parameters after \(b.updates) updates")
                    guard try a == again.state() else {
                        throw Failure(
                            description: "two runs differ after \(b.updates) updates")
                    }
                    found.append("\(error.scientific) after \(b.updates)")
                }
                return found.joined(separator: ", ") + ", repeats bit for bit"
            }
        }
    }
}
