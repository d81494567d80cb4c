package import Episodes
package import MuJoCo
import RandomNumbers

/// One of Gymnasium's locomotion robots, step for step.
///
/// A step notes the forward coordinate, writes the action unclipped into the controls, advances the
/// physics `frameSkip` times, computes contact forces if the robot uses them (nothing else depends
/// on them), and reads observation, reward and health from the state as it then is, without another
/// forward pass.
package final class LocomotionEnvironment<Task: LocomotionTask>: SimulatedEnvironment {
    package let task: Task
    package let specification: EnvironmentSpecification
    package let model: MuJoCoModel
    private let data: MuJoCoData
    /// Simulated seconds that a step of the environment takes.
    public let stepDuration: Double

    package init(_ task: Task) throws(SimulationError) {
        self.task = task
        specification = task.specification
        model = try MuJoCoModel(contentsOf: ModelLibrary.url(of: task.modelFile))
        data = try MuJoCoData(model: model)
        stepDuration = model.timestep * Double(task.frameSkip)
    }

    package func reset(seed: UInt64) -> [Double] {
        var generator = PCG64(seed: seed)
        return set(task.resetNoise.start(of: model, using: &generator))
    }

    package func step(_ action: [Double]) -> EnvironmentStep {
        let before = task.progress(of: data)
        data.controls = action
        data.step(task.frameSkip)
        if task.usesContactForces { data.rnePostConstraint() }
        let speed = (task.progress(of: data) - before) / stepDuration
        let isHealthy = task.isHealthy(positions: data.positions, velocities: data.velocities)
        let terms = task.rewardTerms(
            speed: speed, action: action, isHealthy: isHealthy, data: data)
        return EnvironmentStep(
            observation: task.observation(of: data), reward: terms.reduce(0) { $0 + $1.value },
            isTerminated: task.terminatesWhenUnhealthy && !isHealthy, rewardTerms: terms)
    }

    package var state: SimulationState { data.state }

    package var hasDiverged: Bool { data.hasDiverged }

    package func set(_ state: SimulationState) -> [Double] {
        data.set(state)
        return task.observation(of: data)
    }

    package func setForce(_ newtons: SIMD3<Double>, onBody index: Int) {
        data.setForce(newtons, onBody: index)
    }
}
