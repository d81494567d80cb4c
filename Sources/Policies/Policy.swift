public import Episodes
public import RandomNumbers

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A rule that chooses an action for an observation.
///
/// Actions lie within the environment's limits. Policies are values; whatever is random in them is
/// drawn from the generator that the caller passes.
public protocol Policy: Sendable {
    /// Columns of the observation whose values at a goal follow the observation; empty, as by
    /// default, for a policy that has no use for a goal.
    var goalColumns: [Int] { get }
    /// The action for `observation`, which the goal follows where there are ``goalColumns``.
    func action(for observation: [Double], using generator: inout PCG64) -> [Double]
    /// The same action, and the logarithm of its density where the policy draws from one; nil, as
    /// by default, elsewhere.
    func decision(
        for observation: [Double], using generator: inout PCG64
    ) -> (action: [Double], logProbability: Double?)
}

extension Policy {
    /// The action alone.
    public func decision(
        for observation: [Double], using generator: inout PCG64
    ) -> (action: [Double], logProbability: Double?) {
        (action(for: observation, using: &generator), nil)
    }

    /// No use for a goal.
    public var goalColumns: [Int] { [] }

    /// The decision on the way to `goal`, values for ``goalColumns``; a policy without these ignores
    /// it.
    public func decision(
        for observation: [Double], goal: [Double]?, using generator: inout PCG64
    ) -> (action: [Double], logProbability: Double?) {
        guard !goalColumns.isEmpty else { return decision(for: observation, using: &generator) }
        return (action(for: observation, goal: goal, using: &generator), nil)
    }

    /// The action on the way to `goal`, values for ``goalColumns``; a policy without these ignores
    /// it.
    public func action(
        for observation: [Double], goal: [Double]?, using generator: inout PCG64
    ) -> [Double] {
        guard !goalColumns.isEmpty else { return action(for: observation, using: &generator) }
        precondition(
            goal?.count == goalColumns.count,
            "a goal of \(goal?.count ?? 0) numbers for columns \(goalColumns)")
        return action(for: observation + (goal ?? []), using: &generator)
    }
}

/// Draws each action uniformly within the limits, whatever is observed.
public struct RandomPolicy: Policy {
    private let limits: [ClosedRange<Double>]

    /// A random policy within `actionLimits`.
    public init(actionLimits: [ClosedRange<Double>]) {
        limits = actionLimits
    }

    /// A uniform draw.
    public func action(for observation: [Double], using generator: inout PCG64) -> [Double] {
        limits.map { generator.uniform($0.lowerBound, $0.upperBound) }
    }

    /// A uniform draw and the logarithm of its density, which is that of every action.
    public func decision(
        for observation: [Double], using generator: inout PCG64
    ) -> (action: [Double], logProbability: Double?) {
        let volume = limits.reduce(1) { $0 * ($1.upperBound - $1.lowerBound) }
        return (action(for: observation, using: &generator), -log(volume))
    }
}

/// Another policy's actions with Gaussian noise added, clipped to the limits.
public struct NoisyPolicy: Policy {
    private let base: any Policy
    private let specification: EnvironmentSpecification
    private let deviation: Double

    /// The columns that the base policy takes goals in.
    public var goalColumns: [Int] { base.goalColumns }

    /// Adds noise of standard deviation `deviation` × half the width of each action's limits.
    public init(_ base: any Policy, deviation: Double, in specification: EnvironmentSpecification) {
        self.base = base
        self.deviation = deviation
        self.specification = specification
    }

    /// The base policy's action, disturbed.
    public func action(for observation: [Double], using generator: inout PCG64) -> [Double] {
        var action = base.action(for: observation, using: &generator)
        for (index, limits) in specification.actionLimits.enumerated() {
            let scale = deviation * (limits.upperBound - limits.lowerBound) / 2
            action[index] += scale * generator.normal()
        }
        return specification.clipped(action)
    }
}

/// Policies of which each episode follows one, drawn by weight.
public struct PolicyMixture: Sendable {
    /// A policy and its share of the episodes.
    public struct Component: Sendable {
        /// The policy.
        public let policy: any Policy
        /// Its weight, relative to the others'.
        public let weight: Double

        /// Creates a component.
        public init(_ policy: any Policy, weight: Double) {
            self.policy = policy
            self.weight = weight
        }
    }

    /// What is mixed.
    public let components: [Component]

    /// Every episode follows `policy`.
    public init(_ policy: any Policy) {
        components = [Component(policy, weight: 1)]
    }

    /// Mixes `components`; weights are positive and need not sum to 1.
    public init(_ components: [Component]) {
        precondition(!components.isEmpty, "a mixture needs at least one policy")
        precondition(
            components.allSatisfy { $0.weight > 0 && $0.weight.isFinite },
            "mixture weights \(components.map(\.weight)) are not all positive")
        self.components = components
    }

    /// The policy of one episode.
    public func draw(using generator: inout PCG64) -> any Policy {
        var remaining = generator.unit() * components.reduce(0) { $0 + $1.weight }
        for component in components {
            remaining -= component.weight
            if remaining < 0 { return component.policy }
        }
        return components[components.count - 1].policy
    }
}
