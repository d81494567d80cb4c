/// Which episodes are the best part of some data, such as the best tenth.
///
/// The rule of the "%BC" of Chen et al. 2021 (arXiv 2106.01345), section 5.2.
package enum BestEpisodes {
    /// The episodes with the largest returns, best first, as many as together hold at most the
    /// fraction of the transitions; the best one always.
    ///
    /// - Parameters:
    ///   - fraction: The fraction.
    ///   - returns: The return of each episode; equal ones stay in their order.
    ///   - lengths: The transitions of each episode.
    /// - Returns: The places of the episodes.
    package static func indices(_ fraction: Double, returns: [Double], lengths: [Int]) -> [Int] {
        let limit = fraction * Double(lengths.reduce(0, +))
        var chosen: [Int] = []
        var rows = 0
        for index in returns.indices.sorted(by: { (-returns[$0], $0) < (-returns[$1], $1) }) {
            rows += lengths[index]
            guard chosen.isEmpty || Double(rows) <= limit else { break }
            chosen.append(index)
        }
        return chosen
    }
}
