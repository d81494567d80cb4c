import Agents
import FoundationEssentials
import Learning
import Planning
import Synchronization
import Tokenization
import Trajectories
import Transformer
import TransformerCPU

/// A planner for one environment or several: a controller for each, and single plans from their
/// pasts.
///
/// Controllers belong to one thread at a time, so calls take turns at them; single plans copy what
/// they need of the past and are made from any number of threads.
final class PlannerBox: @unchecked Sendable {
    /// Plans one by one; it has its own decoders, which share the model's weights.
    let planner: Planner
    /// How to search, complete.
    let options: PlannerOptions
    /// What a user should know, a line each.
    let notes: [String]

    private let turn = Mutex(())
    // What `turn` guards.
    private var controllers: [Controller]
    /// Of each controller, whether the reward of its last action is still to come.
    private var isWaiting: [Bool]

    var observationDimension: Int {
        planner.observedLayout.observationDimension
    }
    var actionDimension: Int { planner.model.configuration.layout.actionDimension }

    init(
        _ model: ModelBox, options given: PlannerOptions, critic file: String?,
        actionLimits: [ClosedRange<Double>], count: Int, engine: EngineBox
    ) throws {
        let checkpoint = model.checkpoint
        let layout = checkpoint.dataLayout
        var notes: [String] = []
        let critic = try file.map { try Critic(contentsOf: URL(fileURLWithPath: $0)) }
        try critic?.requireMatch(layout, of: "the model '\(model.name)'", file: file ?? "")
        guard (given.objective == .q) == (critic != nil) else {
            throw Failure(
                .option,
                critic == nil
                    ? "objective q needs a critic; give one with critic"
                    : "critic is for objective q; give both or neither")
        }
        // A single plan follows no other.
        var single = given
        try single.validate()
        (single.warmStart, single.replanInterval) = (false, 1)
        planner = try Planner(
            checkpoint: checkpoint, options: single, critic: critic, engine: engine.engine)
        var acting = planner.options
        (acting.warmStart, acting.replanInterval) = (given.warmStart, given.replanInterval)
        let controller = try Controller(
            model: engine.engine.decoder(checkpoint.model), discretizer: planner.discretizer,
            actionLimits: actionLimits, goalColumns: checkpoint.goalColumns,
            conditions: checkpoint.conditions, options: acting, critic: critic)
        options = controller.options
        if let critic, let discount = options.discount, critic.discount != discount {
            notes.append("the critic discounts by \(critic.discount), the plan by \(discount)")
        }
        self.notes = notes
        controllers = Array(repeating: controller, count: count)
        isWaiting = Array(repeating: false, count: count)
    }

    /// Begins an episode in the environments at these places.
    func reset(_ places: [Int], seeds: [UInt64]) {
        turn.withLock { _ in
            for (place, seed) in zip(places, seeds) {
                controllers[place].reset(seed: seed)
                isWaiting[place] = false
            }
        }
    }

    /// Says what to reach in the environments at these places.
    func setGoals(_ places: [Int], _ goals: [[Double]]) throws(PlanningError) {
        try turn.withLock { _ throws(PlanningError) in
            for (place, goal) in zip(places, goals) { try controllers[place].setGoal(goal) }
        }
    }

    /// Decides in the environments at these places; nothing is decided where `isStopped` says so.
    func act(
        _ places: [Int], on observations: [[Double]], isStopped: () -> Bool
    ) throws -> [Controller.Decision] {
        try turn.withLock { _ in
            if let place = places.first(where: { isWaiting[$0] }) {
                throw Failure(
                    .planning,
                    "cannot plan: environment \(place) has had an action whose reward is not known; "
                        + "call observe with it, or reset")
            }
            var acting = places.map { controllers[$0] }
            let decisions = try Controller.act(&acting, on: observations)
            guard !isStopped() else {
                throw Failure(.cancelled, "cannot plan: stopped as the plan was made")
            }
            for (index, place) in places.enumerated() {
                controllers[place] = acting[index]
                isWaiting[place] = true
            }
            return decisions
        }
    }

    /// Takes note of what the last actions brought.
    func receive(_ places: [Int], rewards: [Double]) throws {
        try turn.withLock { _ in
            if let place = places.first(where: { !isWaiting[$0] }) {
                throw Failure(
                    .planning,
                    "cannot plan: a reward of environment \(place) without an action before it; "
                        + "call act first")
            }
            for (place, reward) in zip(places, rewards) {
                try controllers[place].receive(reward: reward)
                isWaiting[place] = false
            }
        }
    }

    /// Plans from what is observed now and the pasts of the environments at these places, which
    /// stay as they are.
    func plan(
        _ places: [Int], on observations: [[Double]], seeds: [UInt64], goals: [[Double]]?
    ) throws -> [Plan] {
        let pasts = turn.withLock { _ in places.map { controllers[$0].context } }
        var situations: [Planner.Situation] = []
        for index in places.indices {
            var context = pasts[index]
            if let goals { try context.setGoal(goals[index]) }
            situations.append(
                Planner.Situation(
                    context: context, observation: observations[index], seed: seeds[index]))
        }
        return try planner.plan(situations)
    }
}
