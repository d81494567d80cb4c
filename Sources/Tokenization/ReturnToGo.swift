/// The discounted return from the next step on, for each step of an episode.
///
///     V[t] = sum over k >= 1 of discount^(k-1) * r[t+k]
///
/// It leaves out the present reward, which is a token of its own, and is 0 in the last row. It is
/// the *value* of a transition (Janner et al. 2021, section 3.2, reward-to-go).
public func returnsToGo(rewards: some BidirectionalCollection<Double>, discount: Double) -> [Double]
{
    var values: [Double] = []
    values.reserveCapacity(rewards.count)
    var value = 0.0
    for reward in rewards.reversed() {
        values.append(value)
        value = reward + discount * value
    }
    values.reverse()
    return values
}
