/// What soft actor-critic is computed by: it owns networks, moments and the memory.
///
/// The algorithm is that of ``CPUSoftActorCritic``; every engine does the same updates from the same
/// random numbers (`SoftActorCriticDraws`), up to rounding. An engine is made from a
/// ``SoftActorCriticState`` and ``SoftActorCriticSettings``, with an empty memory.
public protocol SoftActorCriticEngine: AnyObject, Sendable {
    /// Puts transitions into the memory, a ring of `settings.capacity`: row i of a run lies at i
    /// mod capacity.
    ///
    /// Not while updates are being done.
    func append(_ rows: SoftActorCriticRows) throws

    /// Does `count` updates, each on a batch that is drawn from the whole memory.
    ///
    /// Returns when they are done. Meanwhile another thread may simulate with what ``actor()`` gave
    /// before.
    func update(_ count: Int) throws -> SoftActorCriticUpdates

    /// The parameters of the actor, as in ``SoftActorCriticState/actor``.
    func actor() throws -> [Float]

    /// All that is learnt, without the memory.
    func state() throws -> SoftActorCriticState
}

/// Transitions, row after row: N of them.
public struct SoftActorCriticRows: Sendable, Equatable {
    /// Observations, N × O.
    public var observations: [Float] = []
    /// Actions, N × A, each in -1...1.
    public var actions: [Float] = []
    /// Rewards, N, not scaled.
    public var rewards: [Float] = []
    /// 1 where a terminal state was reached and 0 elsewhere, N; the time limit is not one.
    public var terminals: [Float] = []
    /// Observations after the actions, N × O.
    public var nextObservations: [Float] = []

    /// No transitions.
    public init() {}

    /// N.
    public var count: Int { rewards.count }

    /// Puts another's rows behind these.
    public mutating func append(_ rows: SoftActorCriticRows) {
        observations += rows.observations
        actions += rows.actions
        rewards += rows.rewards
        terminals += rows.terminals
        nextObservations += rows.nextObservations
    }
}

/// Means over some updates, and over the rows of their batches.
public struct SoftActorCriticUpdates: Sendable, Equatable {
    /// Updates.
    public var count = 0
    /// Loss of the critics: half the squared error, the mean of both.
    public var criticLoss = 0.0
    /// Estimate of the actions in the memory, the mean of both critics.
    public var q = 0.0
    /// Loss of the actor.
    public var actorLoss = 0.0
    /// Entropy of the policy: -log π of its actions.
    public var entropy = 0.0
    /// Temperature before each update.
    public var temperature = 0.0

    /// No updates.
    public init() {}

    /// Means of two sets of updates together.
    public static func + (a: Self, b: Self) -> Self {
        let count = a.count + b.count
        guard count > 0 else { return a }
        func mean(_ value: KeyPath<Self, Double>) -> Double {
            (a[keyPath: value] * Double(a.count) + b[keyPath: value] * Double(b.count))
                / Double(count)
        }
        var result = Self()
        result.count = count
        result.criticLoss = mean(\.criticLoss)
        result.q = mean(\.q)
        result.actorLoss = mean(\.actorLoss)
        result.entropy = mean(\.entropy)
        result.temperature = mean(\.temperature)
        return result
    }

    /// The name of a value that is no number, if one is not.
    public var nonFinite: (name: String, value: Double)? {
        [
            ("critic loss", criticLoss), ("Q", q), ("actor loss", actorLoss),
            ("entropy", entropy), ("temperature", temperature),
        ].first { !$0.1.isFinite }.map { (name: $0.0, value: $0.1) }
    }
}
