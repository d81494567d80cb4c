/// How large an episode's return is among those of the data: the tenth that it is in, for example.
///
/// Every episode of the data has a level, from 1, the lowest returns, to ``count``; about equally
/// many transitions have each, and of equal returns all have the same, the highest that any of them
/// would have. A model that sees the level predicts what episodes of such returns do and how they go
/// on. While acting a level is asked for, the highest unless another is.
///
/// A part of the windows does not tell it, so that the model also knows what any episode does: told
/// a level it finds good actions, but expects much of all of them.
///
/// Chen et al. 2021 (arXiv 2106.01345) condition on the return that is still to come, step by step;
/// here it is the episode's, in front of the sequence, as goals are.
public struct ReturnLevels: Sendable, Equatable {
    /// The share of training's windows that do not tell the level.
    static let untoldShare = 0.25

    /// Number of levels, from 2 up and fewer than bins.
    public let count: Int
    /// Number of bins of the vocabulary, over which the levels are spread.
    public let binCount: Int
    /// The level to ask for while acting.
    public private(set) var asked: Int

    /// So many levels, as tokens of a vocabulary of `binCount` bins.
    public init(count: Int, binCount: Int) {
        precondition(
            (2...max(2, binCount - 1)).contains(count),
            "\(count) levels of return of \(binCount) bins")
        self.count = count
        self.binCount = binCount
        asked = count
    }

    /// The same levels, of which `level` is asked for.
    package func asking(for level: Int) -> ReturnLevels {
        precondition((1...count).contains(level), "level \(level) of \(count)")
        var levels = self
        levels.asked = level
        return levels
    }

    /// The token that tells no level.
    public var untold: Int { 0 }

    /// The token of a level, spread over the bins up to the last one for the highest.
    public func token(of level: Int) -> Int { level * (binCount - 1) / count }

    /// The token of the level that is asked for.
    package var askedToken: Int { token(of: asked) }

    /// The level of each episode of the data.
    ///
    /// - Parameters:
    ///   - returns: The return of each episode.
    ///   - lengths: The transitions of each.
    /// - Returns: A level from 1 to ``count`` for each.
    func levels(returns: [Double], lengths: [Int]) -> [Int] {
        let rows = lengths.reduce(0, +)
        var levels = Array(repeating: 1, count: returns.count)
        // Transitions of the episodes that are no better.
        var rest = rows
        var equal: (value: Double, level: Int)?
        for index in returns.indices.sorted(by: { returns[$0] > returns[$1] }) {
            if equal?.value != returns[index] {
                equal = (returns[index], max(1, (rest * count + rows - 1) / max(1, rows)))
            }
            levels[index] = equal?.level ?? 1
            rest -= lengths[index]
        }
        return levels
    }
}
