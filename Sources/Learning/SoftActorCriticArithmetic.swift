import Layers
import Tensors

/// What an update of soft actor-critic costs, to read its speed against.
package enum SoftActorCriticArithmetic {
    /// Floating-point operations of an update's matrix products, as the losses ask for them: two
    /// passes of the actor and one back, one of both targets, two of both critics and one back, and
    /// one back through the smaller critic to the action.
    package static func operations(_ state: SoftActorCriticState, batchSize: Int) -> Double {
        func forward(_ sizes: [Int]) -> Double {
            zip(sizes, sizes.dropFirst()).reduce(0) { $0 + Double($1.0 * $1.1) }
        }
        /// Gradients of all activations but the input.
        func back(_ sizes: [Int]) -> Double { forward(Array(sizes.dropFirst())) }
        let (actor, critic) = (state.actorSizes, state.criticSizes)
        let actions = Double(state.actionDimension * critic[1])
        let actorPasses = 2 * forward(actor) + back(actor) + forward(actor)
        let criticPasses =
            2 * (3 * forward(critic) + back(critic) + forward(critic)) + back(critic) + actions
        return 2 * Double(batchSize) * (actorPasses + criticPasses)
    }

    /// Operations a second of all workers at once at the largest product of an update, 64 rows times
    /// a matrix of 256 x 256 that stays in the cache, for about `seconds`.
    package static func measuredRate(workers: Int, seconds: Double) -> Double {
        let (rows, width) = (64, 256)
        var (layout, panels) = (ParameterLayout(), PanelLayout())
        let slot = layout.add("weight", shape: [width, width], decays: false)
        let layer = Linear(weight: slot, in: &panels)
        let parameters = ParameterValues(panels, values: FloatStorage(count: layout.count))
        let storage = (0..<workers).map { _ in
            (0..<2).map { _ in FloatStorage(count: rows * width) }
        }
        let pool = WorkerPool(count: workers)
        let repetitions = 500
        let start = ContinuousClock.now
        var done = 0
        repeat {
            pool.run { worker in
                let (input, output) = (
                    storage[worker][0].matrix(columns: width),
                    storage[worker][1].matrix(columns: width)
                )
                for _ in 0..<repetitions {
                    layer.forward(parameters, input: input, output: output)
                }
            }
            done += repetitions * workers
        } while (ContinuousClock.now - start) / .seconds(1) < seconds
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        return Double(done) * 2 * Double(rows * width * width) / elapsed
    }
}
