import Trajectories

extension TokenizedDataset {
    /// The return of each episode, without discount: the sum of its rewards as their tokens are
    /// read.
    ///
    /// A token file holds no other; in memory it is the same, so that a run does not depend on
    /// where its tokens lie. What took the place of the last reward before a terminal state is read
    /// as ``Discretizer/readingRewards(apartFrom:dimension:)`` does.
    public var episodeReturns: [Double] {
        windows.store.returns(discretizer, penalty: settings.terminationPenalty.value)
    }
}

extension TokenStore {
    /// The return of each episode, as ``TokenizedDataset/episodeReturns`` has it.
    func returns(_ discretizer: Discretizer, penalty: Double?) -> [Double] {
        let column = layout.rewardIndex
        let reader = discretizer.readingRewards(apartFrom: penalty, dimension: column)
        return (0..<episodeCount).map { episode in
            (episodeStarts[episode]..<episodeStarts[episode + 1]).reduce(0) {
                $0 + reader.value(of: token(row: $1, column: column), dimension: column)
            }
        }
    }
}

extension TokenWindows {
    /// The windows of the episodes with the largest returns, as many as together hold at most the
    /// fraction of the transitions; of the best one always.
    ///
    /// - Parameters:
    ///   - fraction: The fraction.
    ///   - returns: The return of each episode of the store; equal ones come in the store's order.
    /// - Returns: These windows alone.
    public func best(_ fraction: Double, returns: [Double]) -> TokenWindows {
        let whole = episodes.filter { store.length(ofEpisode: $0) > 1 }
        let best = BestEpisodes.indices(
            fraction, returns: whole.map { returns[$0] },
            lengths: whole.map(store.length(ofEpisode:)))
        return subset(best.map { whole[$0] })
    }
}
