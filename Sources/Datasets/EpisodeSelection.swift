import Foundation
public import Trajectories

/// Which episodes of a dataset are meant.
public struct EpisodeFilter: Sendable, Hashable {
    /// Smallest and largest return (undiscounted), if any.
    public var minimumReturn, maximumReturn: Double?
    /// Smallest and largest number of steps, if any.
    public var minimumLength, maximumLength: Int?
    /// Of those that are left, the share with the largest returns; at least one is kept.
    public var topFraction: Double?

    /// All episodes.
    public init() {}

    /// Which of the episodes are meant.
    func kept(_ episodes: [EpisodeFacts]) -> [Bool] {
        var kept = episodes.map { episode in
            (minimumReturn ?? -.infinity) <= episode.total
                && episode.total <= (maximumReturn ?? .infinity)
                && (minimumLength ?? 0) <= episode.length
                && episode.length <= (maximumLength ?? .max)
        }
        if let topFraction {
            let left = episodes.indices.filter { kept[$0] }
            // Of equal returns the earlier one.
            let best = left.sorted {
                episodes[$0].total == episodes[$1].total
                    ? $0 < $1 : episodes[$0].total > episodes[$1].total
            }
            let count = min(left.count, max(1, Int((topFraction * Double(left.count)).rounded())))
            for index in best.dropFirst(count) { kept[index] = false }
        }
        return kept
    }
}

/// What is known of an episode without its observations and actions.
struct EpisodeFacts {
    let length: Int
    let total: Double
    let ending: Trajectory.Ending
}

/// Some episodes of a dataset, as a stream that needs no memory for them.
public struct EpisodeSelection: EpisodeStream, Sendable {
    /// The dataset.
    public let file: DatasetFile
    /// Number of transitions.
    public let rowCount: Int
    /// Number of episodes.
    public let episodeCount: Int
    /// Smallest, mean and largest return.
    public let returns: DatasetSummary.Spread
    private let kept: [Bool]
    /// Lengths and endings of the episodes, in order.
    let episodes: [EpisodeFacts]

    /// Which column of a transition is which.
    public var layout: TransitionLayout { file.layout }

    /// The episodes that pass a filter.
    ///
    /// - Throws: ``DatasetError`` when none does, and errors of reading rewards.
    public init(_ file: DatasetFile, filter: EpisodeFilter = .init()) throws {
        let all = try Self.facts(of: file)
        try self.init(file, all, kept: filter.kept(all))
    }

    /// Two parts of a dataset, each with episodes of its own.
    ///
    /// - Parameters:
    ///   - file: The dataset.
    ///   - fraction: The share of the episodes that goes into the second part, at least one.
    ///   - number: Of `count` episodes that are left, the place of the one to take next; which
    ///     episodes go into the second part depends on these draws alone.
    /// - Returns: The parts, in each of which the episodes keep their order.
    /// - Throws: ``DatasetError`` when there are fewer than two episodes, and errors of reading.
    public static func split(
        _ file: DatasetFile, fraction: Double, draw number: (_ count: Int) -> Int
    ) throws -> (EpisodeSelection, EpisodeSelection) {
        let all = try facts(of: file)
        guard all.count > 1 else {
            throw DatasetError(
                .empty, file: file.url.relativePath, "there is only one episode, nothing to split")
        }
        let count = min(all.count - 1, max(1, Int((fraction * Double(all.count)).rounded())))
        var left = Array(all.indices)
        var second = [Bool](repeating: false, count: all.count)
        for _ in 0..<count {
            let place = number(left.count)
            second[left[place]] = true
            left[place] = left[left.count - 1]
            left.removeLast()
        }
        return (
            try EpisodeSelection(file, all, kept: second.map { !$0 }),
            try EpisodeSelection(file, all, kept: second)
        )
    }

    private init(_ file: DatasetFile, _ all: [EpisodeFacts], kept: [Bool]) throws {
        let episodes = zip(all, kept).filter { $1 }.map { $0.0 }
        guard !episodes.isEmpty else {
            throw DatasetError(
                .empty, file: file.url.relativePath,
                "none of its \(all.count) episodes is what was asked for")
        }
        (self.file, self.kept, self.episodes) = (file, kept, episodes)
        rowCount = episodes.reduce(0) { $0 + $1.length }
        episodeCount = episodes.count
        returns = DatasetSummary.Spread(episodes.map(\.total))
    }

    private static func facts(of file: DatasetFile) throws -> [EpisodeFacts] {
        var facts: [EpisodeFacts] = []
        try file.forEachEpisodeRewards { rewards, ending in
            facts.append(
                EpisodeFacts(
                    length: rewards.count, total: rewards.reduce(0) { $0 + Double($1) },
                    ending: ending))
        }
        return facts
    }

    /// Hands on the episodes in order.
    public func forEachEpisode(_ body: (Trajectory) throws -> Void) throws {
        var index = 0
        try file.forEachEpisode { trajectory in
            defer { index += 1 }
            if try isKept(index) { try body(trajectory) }
        }
    }

    /// Hands on the rewards of each episode.
    public func forEachEpisodeRewards(_ body: ([Float], Trajectory.Ending) throws -> Void) throws {
        var index = 0
        try file.forEachEpisodeRewards { rewards, ending in
            defer { index += 1 }
            if try isKept(index) { try body(rewards, ending) }
        }
    }

    private func isKept(_ index: Int) throws -> Bool {
        guard index < kept.count else {
            throw DatasetError(
                .unreadable, file: file.url.relativePath,
                "it has changed while it was read; start again")
        }
        return kept[index]
    }

    /// Where episodes end, as D4RL's flags.
    var flags: (terminals: [Bool], timeouts: [Bool]) {
        EndFields.flags(of: episodes.map { ($0.length, $0.ending) })
    }
}
