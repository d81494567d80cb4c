import Foundation
import Planning
import Testing
import Tokenization
import Trajectories
import Transformer

@Suite struct TablePlanningTests {
    /// Two bins with centres 0.5 and 1.5 in each dimension.
    private let discretizer = Discretizer(
        strategy: .uniform, edges: [0, 1, 2].flatMap { Array(repeating: $0, count: 4) },
        dimension: 4, binCount: 2)

    private func options(_ change: (inout PlannerOptions) -> Void) -> PlannerOptions {
        var options = PlannerOptions()
        options.beamWidth = 1
        options.horizon = 1
        options.actionCDF = nil
        change(&options)
        return options
    }

    @Test func `the action with the larger predicted reward is taken, however unlikely`() throws {
        // Action 0 is nine times as likely; action 1 brings reward 1.5 nine times of ten.
        let model = TableModel { path in
            switch path {
            case [0]: [0.9, 0.1, 0]
            case [0, 0]: [0.9, 0.1, 0]
            case [0, 1]: [0.1, 0.9, 0]
            default: [0.5, 0.5, 0]
            }
        }
        let planner = try BeamPlanner(
            model: model, discretizer: discretizer, options: options { _ in })
        // Two rows draw action 0 and action 1; reward and value follow, their ties drawn at 0.1.
        var uniforms = RecordedUniforms([0.3, 0.95, 0.1, 0.1, 0.1, 0.1])
        let plan = try planner.plan(context: [0], uniforms: &uniforms)
        #expect(plan.tokens == [[0, 1, 1, 0]])
        #expect(plan.actions == [[1.5]])
        #expect(plan.observations == [[0.5]])
        #expect(abs(plan.rewards[0] - (0.1 * 0.5 + 0.9 * 1.5)) < 1e-6)
        #expect(abs(plan.values[0] - 1) < 1e-6)
        #expect(abs(plan.score - (1.4 + 0.99 * 1)) < 1e-6)
        #expect(uniforms.used == 6)
    }

    @Test func `an action that the data hardly have is not taken, whatever it promises`() throws {
        // As above, where action 1 is the better and the less likely.
        let model = TableModel { path in
            switch path {
            case [0]: [0.9, 0.1, 0]
            case [0, 0]: [0.9, 0.1, 0]
            case [0, 1]: [0.1, 0.9, 0]
            default: [0.5, 0.5, 0]
            }
        }
        func action(_ share: Double, _ draws: [Double]) throws -> [[Int]] {
            let planner = try BeamPlanner(
                model: model, discretizer: discretizer,
                options: options { $0.unlikelyShare = share })
            var uniforms = RecordedUniforms(draws + [0.1, 0.1, 0.1, 0.1])
            return try planner.plan(context: [0], uniforms: &uniforms).tokens
        }
        #expect(try action(0, [0.3, 0.95]) == [[0, 1, 1, 0]])
        #expect(try action(0.5, [0.3, 0.95]) == [[0, 0, 0, 0]])
        // Where nothing else was drawn it is what there is.
        #expect(try action(0.5, [0.95, 0.95]) == [[0, 1, 1, 0]])
    }

    @Test func `returns and likelihood are weighed in deviations and nats`() throws {
        // As above: two candidates lie two deviations apart in return, and ln 9 = 2.2 nats apart.
        let model = TableModel { path in
            switch path {
            case [0]: [0.9, 0.1, 0]
            case [0, 0]: [0.9, 0.1, 0]
            case [0, 1]: [0.1, 0.9, 0]
            default: [0.5, 0.5, 0]
            }
        }
        func plan(_ weight: Double) throws -> Plan {
            let planner = try BeamPlanner(
                model: model, discretizer: discretizer,
                options: options { $0.likelihoodWeight = weight })
            var uniforms = RecordedUniforms([0.3, 0.95, 0.1, 0.1, 0.1, 0.1])
            return try planner.plan(context: [0], uniforms: &uniforms)
        }
        #expect(try plan(0.9).tokens == [[0, 1, 1, 0]])
        #expect(try plan(0.92).tokens == [[0, 0, 0, 0]])
        // What a plan is said to return is its return.
        #expect(try abs(plan(0.92).score - (0.6 + 0.99 * 1)) < 1e-6)
    }

    @Test func `what was unlikely before counts later`() throws {
        // Two transitions: action 1 is unlikely in the first alone, and always brings more.
        let model = TableModel { path in
            switch path.count % 4 {
            case 1: path.count == 1 ? [0.8, 0.2, 0] : [0.5, 0.5, 0]
            case 2: path.last == 1 ? [0, 1, 0] : [1, 0, 0]
            default: [1, 0, 0]
            }
        }
        func plan(_ share: Double) throws -> [[Int]] {
            let planner = try BeamPlanner(
                model: model, discretizer: discretizer,
                options: options {
                    $0.horizon = 2
                    $0.beamWidth = 2
                    $0.contextTransitions = 3
                    $0.unlikelyShare = share
                })
            // Actions of four rows, rewards and values, observations of two; the same again.
            var uniforms = RecordedUniforms(
                [0.1, 0.9, 0.2, 0.3] + Array(repeating: 0.1, count: 10)
                    + [0.9, 0.1, 0.2, 0.9] + Array(repeating: 0.1, count: 8))
            return try planner.plan(context: [0], uniforms: &uniforms).tokens
        }
        #expect(try plan(0).first?[1] == 1)
        #expect(try plan(0.5).first?[1] == 0)
        // Among equals the better one is chosen.
        #expect(try plan(0.5).last?[1] == 1)
    }

    @Test func `the first action is the mean of the best rows'`() throws {
        let model = TableModel { path in path.count % 4 == 1 ? [0.5, 0.5, 0] : [1, 0, 0] }
        for (rows, expected) in [(1, 0.5), (2, 1.0), (4, 0.75)] {
            let planner = try BeamPlanner(
                model: model, discretizer: discretizer,
                options: options {
                    $0.beamWidth = 4
                    $0.averagedRows = rows
                })
            // Of eight rows, all worth the same, the first four stay: actions 0, 1, 0 and 0.
            var uniforms = RecordedUniforms(
                [0.1, 0.9, 0.2, 0.3, 0.9, 0.9, 0.9, 0.9] + Array(repeating: 0.1, count: 16))
            let plan = try planner.plan(context: [0], uniforms: &uniforms)
            #expect(plan.actions == [[expected]])
        }
    }

    @Test func `what the value promises outweighs a reward now`() throws {
        let model = TableModel { path in
            switch (path.count, path.dropFirst().first) {
            case (1, _): [0.5, 0.5, 0]
            case (2, 0): [0, 1, 0]
            case (2, _): [1, 0, 0]
            case (_, 0): [1, 0, 0]
            default: [0, 1, 0]
            }
        }
        // Either way 1.5 and 0.5, but the second of the two is discounted: only the discount
        // decides.
        let planner = try BeamPlanner(
            model: model, discretizer: discretizer, options: options { $0.discount = 0.5 })
        var uniforms = RecordedUniforms([0.2, 0.8, 0, 0, 0, 0])
        let plan = try planner.plan(context: [1], uniforms: &uniforms)
        #expect(plan.tokens == [[1, 0, 1, 0]])
        #expect(plan.score == 1.5 + 0.5 * 0.5)
    }

    @Test func `what a critic says of the last action outweighs reward and value`() throws {
        // The model promises more of action 1, in reward and value; the critic prefers action 0.
        let model = TableModel { path in
            switch (path.count % 4, path.dropFirst(path.count / 4 * 4 + 1).first) {
            case (0, _): path[path.count - 3] == 0 ? [1, 0, 0] : [0, 1, 0]
            case (2, 0), (3, 0): [1, 0, 0]
            case (2, _), (3, _): [0, 1, 0]
            default: [0.5, 0.5, 0]
            }
        }
        func plan(_ objective: PlannerOptions.Objective, horizon: Int = 1) throws -> Plan {
            var uniforms = SeededUniforms(seed: 2)
            return try BeamPlanner(
                model: model, discretizer: discretizer,
                options: options {
                    $0.objective = objective
                    $0.beamWidth = 16
                    $0.horizon = horizon
                }, critic: BinaryCritic()
            ).plan(context: [0], uniforms: &uniforms)
        }
        #expect(try plan(.expectedReturn).actions == [[1.5]])
        let judged = try plan(.q)
        #expect(judged.actions == [[0.5]] && judged.rewards == [0.5])
        // Its value includes the reward of the action that it judges.
        #expect(judged.score == 10)
        // Of two transitions the first brings its predicted reward, the second the critic's value.
        let longer = try plan(.q, horizon: 2)
        #expect(abs(longer.score - (longer.rewards[0] + 0.99 * 10)) < 1e-9)
        #expect(longer.actions[1] == longer.observations[1])
    }

    @Test func `the objective q needs a critic`() throws {
        let model = TableModel { _ in [1, 0, 0] }
        let options = options { $0.objective = .q }
        for attempt: () throws -> Void in [
            {
                _ = try BeamPlanner(
                    model: model, discretizer: self.discretizer, options: options)
            },
            {
                _ = try Controller(
                    model: model, discretizer: self.discretizer, actionLimits: [0...1],
                    options: options)
            },
        ] {
            let error = #expect(throws: PlannerOptionsError.self) { try attempt() }
            #expect(error?.option == "objective")
        }
    }

    @Test func `a wider beam finds the likelier sequence behind an unlikely token`() throws {
        let model = TableModel { path in
            switch path {
            case [0]: [0.6, 0.4, 0]
            case [0, 0]: [0.5, 0.5, 0]
            case [0, 1]: [0.05, 0.95, 0]
            default: [0, 1, 0]
            }
        }
        func plan(width: Int) throws -> Plan {
            try LikelihoodPlanner(
                model: model, discretizer: discretizer,
                options: options {
                    $0.objective = .likelihood
                    $0.beamWidth = width
                }
            ).plan(context: [0], keepsCandidates: true)
        }
        #expect(try plan(width: 1).tokens == [[0, 0, 0, 1]])
        let wide = try plan(width: 2)
        #expect(wide.tokens == [[0, 1, 1, 1]])
        #expect(abs(wide.score - log(0.4 * 0.95)) < 1e-6)
        #expect(wide.candidates.map(\.tokens) == [[[0, 1, 1, 1]], [[0, 0, 0, 1]]])
        #expect(wide.rewards == [1.5] && wide.values == [1.5])
        #expect(wide.statistics.horizon == 1 && wide.statistics.beamWidth == 2)
    }

    @Test func `predictions that are not numbers are an error, not a plan`() throws {
        let model = TableModel { _ in [.nan, .nan, .nan] }
        var uniforms = SeededUniforms(seed: 1)
        let planner = try BeamPlanner(
            model: model, discretizer: discretizer, options: options { _ in })
        #expect(throws: PlanningError.self) {
            try planner.plan(context: [0], uniforms: &uniforms)
        }
        let likelihood = try LikelihoodPlanner(
            model: model, discretizer: discretizer, options: options { _ in })
        #expect(throws: PlanningError.self) { try likelihood.plan(context: [0]) }
    }

    @Test func `a controller replans at its interval and remembers what happened`() throws {
        let model = TableModel { path in
            // Predicted reward is high where the action repeats the observation.
            switch path.count % 4 {
            case 1: [0.5, 0.5, 0]
            case 2: path[path.count - 1] == path[path.count - 2] ? [0, 1, 0] : [1, 0, 0]
            case 3: [0.5, 0.5, 0]
            default: path[path.count - 4] == 0 ? [0, 1, 0] : [1, 0, 0]
            }
        }
        var controller = try Controller(
            model: model, discretizer: discretizer, actionLimits: [0...1],
            options: options {
                $0.horizon = 2
                $0.beamWidth = 8
                $0.replanInterval = 2
                $0.contextTransitions = 2
            })
        controller.reset(seed: 3)
        #expect(controller.context.transitions.isEmpty)
        var plans = 0
        for (step, observation) in [0.2, 1.8, 1.9, 0.1, 0.3].enumerated() {
            let decision = try controller.act(on: [observation])
            if decision.plan != nil { plans += 1 }
            #expect((decision.plan != nil) == step.isMultiple(of: 2))
            // Bin 1 has its centre at 1.5, beyond the limit.
            #expect(decision.action == (observation < 1 ? [0.5] : [1]))
            try controller.receive(reward: 1.2)
        }
        #expect(plans == 3)
        #expect(controller.context.transitions == [[0, 0, 1, 1], [0, 0, 1, 1]])
        controller.reset(seed: 3)
        #expect(controller.context.transitions.isEmpty)
    }

    @Test func `model, discretizer and limits that do not fit are refused`() throws {
        let model = TableModel { _ in [1, 0, 0] }
        let error = #expect(throws: PlanningError.self) {
            try Controller(
                model: model, discretizer: discretizer, actionLimits: [0...1, 0...1])
        }
        #expect(error?.code == .mismatch)
        #expect(error?.description.contains("2 action dimensions, the model 1") == true)
        let wide = Discretizer(
            strategy: .uniform, edges: [0, 1, 2].flatMap { Array(repeating: $0, count: 5) },
            dimension: 5, binCount: 2)
        #expect(throws: PlanningError.self) { try BeamPlanner(model: model, discretizer: wide) }
    }
}
