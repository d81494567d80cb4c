import RandomNumbers
public import Trajectories

/// Which targets of a window count in the loss.
public enum WindowMask: String, Sendable, Hashable, CaseIterable, Codable {
    /// All targets, except termination tokens after an episode that did not end in a terminal
    /// state: a time limit, or the end of the log, is no property of the environment.
    case terminal
    /// What the authors' code does, to reproduce their results: a position counts unless its
    /// *input* belongs to a transition at or after `maxPathLength`, however the episode ended. The
    /// target that begins the first masked transition therefore still counts.
    case authors
}

/// The training items: windows of consecutive transitions as tokens.
///
/// A window is `windowLength` transitions of an episode from some row on, flattened, less the last
/// token as inputs and less the first as targets. There is one for each row of an episode but the
/// last; transitions beyond the end of the episode are termination tokens throughout.
///
/// Where there are ``goalColumns``, a window's goal is what these columns held in a later row of
/// its episode: a place that the episode went to is one that it shows how to reach. What holds for
/// the whole episode stands before it (``TokenStore/conditions``).
public struct TokenWindows: Sendable {
    /// The tokens, of these and of other windows.
    public let store: TokenStore
    /// Transitions in a window.
    public let windowLength: Int
    /// Number of transitions after which an episode is cut by its time limit.
    public let maxPathLength: Int
    /// Which targets count.
    public let mask: WindowMask
    /// Columns of the observation that make up a window's goal; empty without goals.
    public let goalColumns: [Int]
    /// Tokens in front of a window: its episode's conditions, then its goal.
    public var goalDimension: Int { store.conditionCount + goalColumns.count }
    /// Which later row of its episode a window's goal is.
    public let goalRule: HindsightGoal
    /// The episodes of `store` from which the windows come, ascending.
    public let episodes: [Int]
    /// For each entry of `episodes` the number of its first window, then the number of windows.
    private let firstWindows: [Int]

    /// Number of windows.
    public var count: Int { firstWindows[firstWindows.count - 1] }
    /// Which column of a transition is which.
    public var layout: TransitionLayout { store.layout }
    /// Tokens in a window: `windowLength` transitions less one token.
    public var length: Int { windowLength * layout.transitionDimension - 1 }

    /// The windows of all episodes of `store`.
    ///
    /// - Parameters:
    ///   - store: The tokens.
    ///   - windowLength: Transitions in a window.
    ///   - maxPathLength: Number of transitions after which an episode is cut by its time limit;
    ///     nil
    ///     stands for the length of the longest episode. Matters for ``WindowMask/authors`` only.
    ///   - mask: Which targets count.
    ///   - goalColumns: Columns of the observation that make up a window's goal; empty without
    ///     goals.
    ///   - goalRule: Which later row of its episode a window's goal is.
    public init(
        _ store: TokenStore, windowLength: Int, maxPathLength: Int? = nil,
        mask: WindowMask = .terminal, goalColumns: [Int] = [], goalRule: HindsightGoal = .later
    ) {
        let longest = (0..<store.episodeCount).lazy.map(store.length(ofEpisode:)).max() ?? 0
        self.init(
            store, windowLength: windowLength, maxPathLength: maxPathLength ?? longest, mask: mask,
            goalColumns: goalColumns, goalRule: goalRule,
            episodes: Array(0..<store.episodeCount))
    }

    private init(
        _ store: TokenStore, windowLength: Int, maxPathLength: Int, mask: WindowMask,
        goalColumns: [Int], goalRule: HindsightGoal, episodes: [Int],
        windowsPerEpisode: Int = .max
    ) {
        precondition(windowLength > 0, "a window of \(windowLength) transitions is empty")
        precondition(
            goalColumns.allSatisfy(store.layout.observationRange.contains),
            "goal columns \(goalColumns) of \(store.layout.observationDimension)")
        self.goalColumns = goalColumns
        self.goalRule = goalRule
        self.store = store
        self.windowLength = windowLength
        self.maxPathLength = maxPathLength
        self.mask = mask
        self.episodes = episodes
        firstWindows = episodes.reduce(into: [0]) {
            $0.append(
                $0[$0.count - 1] + min(windowsPerEpisode, max(0, store.length(ofEpisode: $1) - 1)))
        }
    }

    /// The episode of `store` and the row within it at which a window starts.
    public func origin(of window: Int) -> (episode: Int, start: Int) {
        let entry = entry(of: window)
        return (episodes[entry], window - firstWindows[entry])
    }

    /// Which entry of ``episodes`` a window is of.
    private func entry(of window: Int) -> Int {
        precondition(0 <= window && window < count, "window \(window) of \(count)")
        // The last entry whose first window is not after this one; entries without windows repeat
        // their successor's number, so the last of equals is the one that has it.
        var low = 0
        var width = firstWindows.count
        while width > 1 {
            let half = width / 2
            if firstWindows[low + half] <= window { low += half }
            width -= half
        }
        return low
    }

    /// Bytes of a file that are read for a window, where all of these are read in their order.
    package var bytesPerWindow: Double {
        var bytes = 0
        for (entry, episode) in episodes.enumerated() {
            let windows = firstWindows[entry + 1] - firstWindows[entry]
            guard windows > 0 else { continue }
            let rows = min(windows + windowLength, store.length(ofEpisode: episode))
            // What of a page belongs to others.
            bytes += rows * store.rowBytes + 4096
        }
        return Double(max(bytes, 1)) / Double(max(count, 1))
    }

    /// Has the tokens of windows that follow each other read, where they lie in a file, while the
    /// caller goes on.
    package func willRead(_ windows: Range<Int>) {
        guard store.isMapped, !windows.isEmpty else { return }
        // What lies nearly together is read in one go.
        let gap = max(1, (128 << 10) / max(store.rowBytes, 1))
        var rows = 0..<0
        var entry = entry(of: windows.lowerBound)
        while entry < episodes.count, firstWindows[entry] < windows.upperBound {
            let episode = episodes[entry]
            let first = store.episodeStarts[episode]
            let start = first + max(0, windows.lowerBound - firstWindows[entry])
            let last = min(windows.upperBound, firstWindows[entry + 1]) - firstWindows[entry]
            let end = min(first + last + windowLength, store.episodeStarts[episode + 1])
            entry += 1
            guard start < end else { continue }
            if rows.isEmpty {
                rows = start..<end
            } else if start <= rows.upperBound + gap {
                rows = rows.lowerBound..<max(end, rows.upperBound)
            } else {
                store.willRead(rows: rows)
                rows = start..<end
            }
        }
        if !rows.isEmpty { store.willRead(rows: rows) }
    }

    /// Writes window `window` into row `row` of `batch`, without allocating.
    ///
    /// Which later row its goal is taken from, by ``goalRule``, and whether its level of return is
    /// told, depend on `goalSeed` alone.
    public func fill(_ batch: inout TokenBatch, row: Int, window: Int, goalSeed: UInt64 = 0) {
        precondition(
            batch.length == length && row < batch.rows
                && batch.goalDimension == goalDimension,
            "row \(row) of a batch of \(batch.rows) × \(batch.length) with goals of "
                + "\(batch.goalDimension) cannot hold a window of \(length) tokens with a goal of "
                + "\(goalDimension)")
        let (episode, start) = origin(of: window)
        let width = layout.transitionDimension
        let remaining = store.length(ofEpisode: episode) - start
        let known = min(windowLength, remaining) * width
        store.copy(
            from: (store.episodeStarts[episode] + start) * width, known: known, length: length,
            to: row * length, inputs: &batch.inputs, targets: &batch.targets)
        let counted =
            switch mask {
            case .terminal: store.endings[episode] == .terminal ? length : known - 1
            case .authors: max(0, maxPathLength - start) * width
            }
        for index in 0..<length {
            batch.mask[row * length + index] = index < counted ? 1 : 0
        }
        if let hidden = store.hiddenToken.map(Int32.init) {
            // What is hidden is no target, since nobody knows what it was.
            for index in 0..<length
            where layout.observationRange.contains((index + 1) % width)
                && batch.targets[row * length + index] == hidden
            {
                batch.mask[row * length + index] = 0
            }
        }
        let firstGoal = row * goalDimension + store.conditionCount
        if store.conditionCount > 0 {
            for (index, token) in store.conditions[episode].enumerated() {
                batch.goals[row * goalDimension + index] = Int32(token)
            }
        }
        if let untold = store.untoldLevel {
            // Another sequence than the goal's.
            var generator = SplitMix64(seed: ~goalSeed)
            if generator.uniform() < ReturnLevels.untoldShare {
                batch.goals[firstGoal - 1] = Int32(untold)
            }
        }
        guard !goalColumns.isEmpty else { return }
        let goalRow = goalRow(episode: episode, start: start, seed: goalSeed)
        for (index, column) in goalColumns.enumerated() {
            batch.goals[firstGoal + index] = Int32(
                store.token(row: store.episodeStarts[episode] + goalRow, column: column))
        }
    }

    /// The row of the episode that is the goal of the window from `start` on.
    private func goalRow(episode: Int, start: Int, seed: UInt64) -> Int {
        let count = store.length(ofEpisode: episode)
        var generator = SplitMix64(seed: seed)
        return goalRule.row(
            after: start, length: windowLength, in: count, draw: generator.next())
    }

    /// Divides the episodes at random into those for training and those held out.
    ///
    /// Whole episodes, since windows of one episode overlap. The same seed gives the same division.
    ///
    /// - Parameters:
    ///   - heldOutFraction: The share of the episodes to hold out, 0 up to below 1. If above 0 and
    ///     there are two episodes with windows or more, at least one is held out; at least one
    ///     always stays for training.
    ///   - seed: Where the random order starts.
    /// - Returns: The windows of the two sets of episodes.
    public func split(heldOutFraction: Double, seed: UInt64)
        -> (training: TokenWindows, heldOut: TokenWindows)
    {
        precondition(
            0 <= heldOutFraction && heldOutFraction < 1,
            "the held-out fraction \(heldOutFraction) is not in 0..<1")
        var order = episodes.filter { store.length(ofEpisode: $0) > 1 }
        var generator = SplitMix64(seed: seed)
        generator.shuffle(&order)
        let share = Int((heldOutFraction * Double(order.count)).rounded())
        let heldOut =
            heldOutFraction > 0 ? min(max(share, 1), max(order.count - 1, 0)) : 0
        return (
            subset(Array(order.dropFirst(heldOut))), subset(Array(order.prefix(heldOut)))
        )
    }

    /// The windows of some of the episodes.
    func subset(_ episodes: [Int]) -> TokenWindows {
        TokenWindows(
            store, windowLength: windowLength, maxPathLength: maxPathLength, mask: mask,
            goalColumns: goalColumns, goalRule: goalRule, episodes: episodes.sorted())
    }

    /// The windows that begin in the first `length` rows of their episodes, from 1 up; nil for as
    /// many as a window has.
    public func openings(_ length: Int? = nil) -> TokenWindows {
        TokenWindows(
            store, windowLength: windowLength, maxPathLength: maxPathLength, mask: mask,
            goalColumns: goalColumns, goalRule: goalRule, episodes: episodes,
            windowsPerEpisode: length ?? windowLength)
    }
}
