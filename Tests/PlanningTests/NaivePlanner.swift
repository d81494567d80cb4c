import Foundation
import Planning
import Tokenization
import Trajectories

/// The return-maximising planner as its definition reads: every row a list of tokens, the model run
/// on every row's whole window, nothing shared, nothing remembered.
struct NaivePlanner {
    var model: HashedModel
    var discretizer: Discretizer
    var options: PlannerOptions

    private struct Row {
        var tokens: [Int]
        var rewards: [Double] = []
        var value = 0.0

        func score(discount: Double) -> Double {
            var sum = 0.0
            var weight = 1.0
            for reward in rewards {
                sum += weight * reward
                weight *= discount
            }
            return sum + weight * value
        }
    }

    /// Tokens and scores of the last beam, best first; and tokens forwarded.
    func plan(
        context: [Int], uniforms: inout SeededUniforms
    ) -> (beam: [(tokens: [Int], score: Double)], forwarded: Int) {
        let layout = model.layout
        var rows = Array(repeating: Row(tokens: context), count: options.beamWidth)
        var window = SlidingWindow(model: model, options: options, length: context.count)
        var forwarded = 0
        for step in 0..<options.horizon {
            rows = (0..<options.expansionFactor).flatMap { _ in rows }
            for _ in layout.actionRange {
                sample(&rows, options.actionFilter, &window, &forwarded, &uniforms)
            }
            let rewards = sample(&rows, options.rewardFilter, &window, &forwarded, &uniforms)
            let values = sample(&rows, options.rewardFilter, &window, &forwarded, &uniforms)
            for index in rows.indices {
                let read = options.readout.read(
                    reward: rewards[index], value: values[index], discretizer: discretizer)
                rows[index].rewards.append(read.reward)
                rows[index].value = read.value
            }
            let scores = rows.map { $0.score(discount: options.discount ?? 0.99) }
            let order = rows.indices.sorted {
                scores[$0] > scores[$1] || (scores[$0] == scores[$1] && $0 < $1)
            }
            rows = order.prefix(options.beamWidth).map { rows[$0] }
            guard step < options.horizon - 1 else { break }
            for _ in layout.observationRange {
                sample(&rows, options.observationFilter, &window, &forwarded, &uniforms)
            }
        }
        let count = options.horizon * layout.transitionDimension
        let beam = rows.map {
            (Array($0.tokens.suffix(count)), $0.score(discount: options.discount ?? 0.99))
        }
        return (beam, forwarded)
    }

    /// Samples a token for every row; returns the unfiltered distributions.
    @discardableResult
    private func sample(
        _ rows: inout [Row], _ filter: TokenFilter, _ window: inout SlidingWindow,
        _ forwarded: inout Int, _ uniforms: inout SeededUniforms
    ) -> [[Float]] {
        let start = window.start(of: rows[0].tokens.count)
        return rows.indices.map { index in
            let logits = model.logits(after: Array(rows[index].tokens[start...]))
            forwarded += rows[index].tokens.count - start
            rows[index].tokens.append(draw(logits, filter, uniforms.next()))
            return distribution(logits.map(Double.init)).map(Float.init)
        }
    }

    private func draw(_ logits: [Float], _ filter: TokenFilter, _ u: Double) -> Int {
        var scaled = logits.map { Double($0) / filter.temperature }
        if let cdf = filter.cdf {
            let probabilities = distribution(scaled)
            let ascending = probabilities.indices.sorted { probabilities[$0] < probabilities[$1] }
            var sum = 0.0
            var last: Int?
            for index in ascending {
                sum += probabilities[index]
                if sum < cdf { last = index }
            }
            if last != nil || filter.cdfRule == .authors {
                let threshold = scaled[last ?? ascending[0]]
                scaled = scaled.map { $0 <= threshold ? -1000 : $0 }
            }
        }
        if let topK = filter.topK {
            let threshold = scaled.sorted(by: >)[min(topK, scaled.count) - 1]
            scaled = scaled.map { $0 < threshold ? -.infinity : $0 }
        }
        var sum = 0.0
        for (token, probability) in distribution(scaled).enumerated() {
            sum += probability
            if sum > u { return token }
        }
        return scaled.count - 1
    }

    private func distribution(_ logits: [Double]) -> [Double] {
        let powers = logits.map { exp($0 - (logits.max() ?? 0)) }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum }
    }
}

/// Which tokens of a row the model sees, call after call.
private struct SlidingWindow {
    private let transition: Int
    private let block: Int
    private let limit: Int
    private var first = 0

    init(model: HashedModel, options: PlannerOptions, length: Int) {
        transition = model.layout.transitionDimension
        block = min(model.contextLength, options.contextTransitions * transition - 1)
        limit = options.window == .exact ? block : model.contextLength
        drop(from: length)
    }

    mutating func start(of length: Int) -> Int {
        if length - first > limit { drop(from: length) }
        return first
    }

    private mutating func drop(from length: Int) {
        while length - first > block { first += transition }
    }
}
