import Bounds

/// What a dimension of a transition holds.
public enum DimensionKind: String, Sendable, Hashable, CaseIterable, Codable {
    case observation, action, reward, value
}

/// Which column of a transition is which.
///
/// A transition is flattened as observation dimensions, action dimensions, reward, value, in that
/// order (Janner et al. 2021, section 3.1, equation 1); the value is the discounted return-to-go
/// from the *next* step on. Position `i` of a token sequence that starts with an observation
/// belongs to dimension `i mod transitionDimension`.
public struct TransitionLayout: Sendable, Hashable, Codable {
    /// Number of observation dimensions.
    public let observationDimension: Int
    /// Number of action dimensions.
    public let actionDimension: Int

    /// Creates the layout of an environment's transitions.
    public init(observationDimension: Int, actionDimension: Int) {
        precondition(
            observationDimension > 0 && actionDimension > 0,
            "a transition needs at least one observation and one action dimension, found "
                + "\(observationDimension) and \(actionDimension)")
        self.observationDimension = observationDimension
        self.actionDimension = actionDimension
    }

    private enum CodingKeys: String, CodingKey { case observationDimension, actionDimension }

    /// Decodes a layout; what no transition can have is refused.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        observationDimension = try values.decode(Int.self, forKey: .observationDimension)
        actionDimension = try values.decode(Int.self, forKey: .actionDimension)
        if let problem = problem {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: problem))
        }
    }

    /// What is wrong with the numbers, or nil.
    public var problem: String? {
        Bound.dimension.problem("observationDimension", observationDimension)
            ?? Bound.dimension.problem("actionDimension", actionDimension)
    }

    /// Tokens in one transition: observation, action, reward and value.
    public var transitionDimension: Int { observationDimension + actionDimension + 2 }
    /// Column of the reward.
    public var rewardIndex: Int { observationDimension + actionDimension }
    /// Column of the value (return-to-go), the last one.
    public var valueIndex: Int { observationDimension + actionDimension + 1 }
    /// Columns of the observation.
    public var observationRange: Range<Int> { 0..<observationDimension }
    /// Columns of the action.
    public var actionRange: Range<Int> {
        observationDimension..<(observationDimension + actionDimension)
    }

    /// The kind of the token at position `position` of a sequence that starts with an observation.
    public func kind(at position: Int) -> DimensionKind {
        switch position % transitionDimension {
        case ..<observationDimension: .observation
        case ..<rewardIndex: .action
        case rewardIndex: .reward
        default: .value
        }
    }
}
