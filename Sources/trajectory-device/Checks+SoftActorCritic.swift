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
                // As vectors: where a gradient is near 0, rounding decides on the sign of Adam's step.
                for (more, tolerance) in [(1, 1e-6), (19, 1e-5), (180, 1e-3)]
                where more < 180 || !quick {
                    for engine in [cpu, card, again] as [any SoftActorCriticEngine] {
                        _ = try engine.update(more)
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
