public import Trajectories

/// What the terminal states of a dataset are, as its rewards and lengths show: failures, as a
/// robot's fall, or something else, which deserves no penalty.
///
/// They are taken for failures unless one of these holds, in this order:
///
/// - They mark a *time limit*: nine in ten lie at the length of the longest episode, and there are
///   at least three.
/// - They are *goals*: in nine of ten episodes the last reward is the highest of its episode. Where
///   rewards stay equal from step to step (0 and 1, tasks solved) one that rises at the end will
///   do; else there must be at least eight episodes, as a robot may fall at its fastest.
/// - Steps *cost*: but for one in a hundred none is rewarded, some cost, and the last reward is not
///   a punishment of its own. To end is then what the environment asks for.
///
/// Of robots that fall, at most a third of the last rewards were the highest and two thirds of the
/// rewards 0 or less (`docs/decisions/0013-terminal-states.md`). Returns decide nothing: Ant at
/// random is paid less the longer it lives.
public struct TerminalStates: Sendable, Hashable {
    /// What a terminal state is.
    public enum Meaning: String, Sendable, Hashable, Codable {
        /// There is none.
        case none
        /// Something to be kept away from.
        case failure
        /// Something that was to be reached.
        case goal
        /// The end of the time that an episode has.
        case timeLimit
    }

    /// Episodes, those that end in a terminal state, and the longest episode's length.
    public private(set) var episodes = 0, terminalEpisodes = 0, longest = 0
    private var atLongest = 0
    /// Terminal episodes of two rows and more: one row compares with none, and where data go on at
    /// a goal, as D4RL's AntMaze, most have no more.
    private var judged = 0
    /// Terminal episodes whose last reward is the highest, and is above one before.
    private var highest = 0, rising = 0
    /// Terminal episodes whose last reward is below all others.
    private var lowest = 0
    /// Rewards of terminal episodes that equal the one before, and all that have one before.
    private var repeated = 0, followers = 0
    /// Rewards before the last one of an episode: all, those that are above and below 0.
    private var inner = 0, rewarded = 0, costing = 0

    /// Nothing seen yet.
    public init() {}

    /// Looks at all episodes.
    public init(of trajectories: [Trajectory]) {
        for trajectory in trajectories { add(trajectory.rewards, trajectory.ending) }
    }

    /// Looks at the rewards of all episodes.
    ///
    /// - Throws: What reading throws.
    public init(of stream: some EpisodeStream) throws {
        try stream.forEachEpisodeRewards { add($0, $1) }
    }

    /// Looks at the rewards of one more episode.
    public mutating func add(_ rewards: [Float], _ ending: Trajectory.Ending) {
        guard let last = rewards.last else { return }
        episodes += 1
        if rewards.count > longest { (longest, atLongest) = (rewards.count, 0) }
        let before = rewards.dropLast()
        inner += before.count
        for reward in before {
            rewarded += reward > 0 ? 1 : 0
            costing += reward < 0 ? 1 : 0
        }
        guard ending == .terminal else { return }
        terminalEpisodes += 1
        atLongest += rewards.count == longest ? 1 : 0
        guard let most = before.max(), let least = before.min() else { return }
        judged += 1
        highest += last >= most ? 1 : 0
        rising += last >= most && last > least ? 1 : 0
        lowest += last < least ? 1 : 0
        followers += before.count
        repeated += zip(rewards, rewards.dropFirst()).count { $0 == $1 }
    }

    /// What they are.
    public var meaning: Meaning {
        guard terminalEpisodes > 0 else { return .none }
        if areAtLimit { return .timeLimit }
        return areRewarded || endCosts ? .goal : .failure
    }

    private var areAtLimit: Bool {
        terminalEpisodes >= 3 && 10 * atLongest >= 9 * terminalEpisodes
    }

    private var areRewarded: Bool {
        let isStepwise = 2 * repeated >= followers
        return 10 * highest >= 9 * judged && rising > 0 && (isStepwise || terminalEpisodes >= 8)
    }

    private var endCosts: Bool {
        costing > 0 && 100 * rewarded <= inner && 2 * lowest <= judged
    }

    /// The penalty that becomes them; without a terminal state there is nothing to replace, and the
    /// authors' number stands.
    public var penalty: TerminationPenalty {
        switch meaning {
        case .none, .failure: .number(TerminationPenalty.failure)
        case .goal, .timeLimit: .nothing
        }
    }

    /// What was decided and why, in a line for a person; nil where there is no terminal state.
    public var explanation: String? {
        let reason: String
        switch meaning {
        case .none: return nil
        case .failure:
            return "termination penalty \(penalty): \(terminalEpisodes) of \(episodes) episodes "
                + "end in a terminal state, taken for a failure; it replaces their last reward"
        case .timeLimit:
            reason =
                "\(atLongest) of \(terminalEpisodes) terminal states lie at the greatest length, "
                + "\(longest) steps, taken for a time limit"
        case .goal where areRewarded:
            reason =
                "in \(highest) of \(judged) episodes that end in a terminal state the "
                + "last reward is the highest, so it is taken for a goal"
        case .goal:
            reason =
                "steps cost and the end of an episode saves them, so the terminal states of "
                + "\(terminalEpisodes) episodes are taken for goals"
        }
        return "no termination penalty: \(reason)"
    }
}

extension TokenizedDataset.Settings {
    /// The settings with a penalty: the one that is set, or the one that becomes the data's
    /// terminal states.
    public func decided(by states: @autoclosure () throws -> TerminalStates) rethrows -> Self {
        guard terminationPenalty == .automatic else { return self }
        var settings = self
        settings.terminationPenalty = try states().penalty
        return settings
    }
}
