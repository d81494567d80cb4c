import Foundation
import Learning
import RandomNumbers

/// `State` of sac.h, as words of eight bytes.
struct SoftActorCriticNumbers {
    static let wordCount = 21
    /// Where the number of transitions lies, the sums of statistics, and the temperature.
    static let size = 4
    static let sums = 7..<14
    private static let temperature = 14

    private(set) var words: [UInt64]

    /// The numbers before the next update of `state`.
    init(_ state: SoftActorCriticState, _ settings: SoftActorCriticSettings) {
        let (beta1, beta2): (Float, Float) = (0.9, 0.999)
        words = (0..<3).map { CounterNumbers(seed: settings.seed, stream: $0).key }
        words += [UInt64(state.updates), 0]
        words += [beta1, beta2].map { pow(Double($0), Double(state.updates)).bitPattern }
        words += Self.sums.map { _ in 0 }
        let floats: [Float] = [
            state.logTemperature, state.temperatureMoments.first[0],
            state.temperatureMoments.second[0], 0, 0,
            Float(settings.learningRate), Float(settings.discount), Float(settings.targetRate),
            Float(settings.rewardScale),
            Float(settings.entropyGoal(actionDimension: state.actionDimension)), beta1, beta2, 1e-8,
            0,
        ]
        for index in stride(from: 0, to: floats.count, by: 2) {
            words.append(
                UInt64(floats[index].bitPattern) | UInt64(floats[index + 1].bitPattern) << 32)
        }
    }

    /// Numbers that a card has.
    init(_ words: [UInt64]) { self.words = words }

    /// Updates done.
    var updates: Int { Int(words[3]) }

    /// The logarithm of the temperature, its first and its second moment.
    var temperature: (logarithm: Float, first: Float, second: Float) {
        func float(_ index: Int) -> Float {
            let word = words[Self.temperature + index / 2]
            return Float(
                bitPattern: UInt32(truncatingIfNeeded: index % 2 == 0 ? word : word >> 32))
        }
        return (float(0), float(1), float(2))
    }

    /// Means over `count` updates of what was summed.
    func means(_ count: Int) -> SoftActorCriticUpdates {
        let sums = words[Self.sums].map { Double(bitPattern: $0) / Double(count) }
        var means = SoftActorCriticUpdates()
        means.count = count
        means.criticLoss = (sums[0] + sums[1]) / 2
        means.q = (sums[2] + sums[3]) / 2
        means.actorLoss = sums[4]
        means.entropy = sums[5]
        means.temperature = sums[6]
        return means
    }
}
