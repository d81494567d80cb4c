public import Agents
public import Planning

/// Lets another agent act and keeps some of the plans it makes.
public struct PlanRecorder<Base: Agent>: Agent {
    /// A plan and when it was made.
    public struct Entry: Sendable, Hashable {
        /// Step of the episode, from 0; the plan's first observation is that of this step.
        public let step: Int
        /// The plan.
        public let plan: Plan
    }

    /// Who acts.
    public private(set) var base: Base
    /// The plans of the present episode, in the order of its steps.
    public private(set) var entries: [Entry] = []
    private let interval: Int
    private var step = 0
    private var due = 0

    /// Keeps the first plan, and then the next one that is made `interval` or more steps after the
    /// last one kept.
    public init(_ base: Base, interval: Int) {
        precondition(interval > 0, "plans kept every \(interval) steps")
        self.base = base
        self.interval = interval
    }

    /// Starts an episode, with no plan kept.
    public mutating func reset(seed: UInt64) {
        base.reset(seed: seed)
        entries = []
        step = 0
        due = 0
    }

    /// Passes the goal on.
    public mutating func pursue(goal: [Double]) throws {
        try base.pursue(goal: goal)
    }

    /// The action for an observation.
    public mutating func act(on observation: [Double]) throws -> Controller.Decision {
        let decision = try base.act(on: observation)
        if step >= due, let plan = decision.plan {
            entries.append(Entry(step: step, plan: plan))
            due = step + interval
        }
        step += 1
        return decision
    }

    /// Takes note of what the last action brought.
    public mutating func receive(reward: Double) throws {
        try base.receive(reward: reward)
    }
}
