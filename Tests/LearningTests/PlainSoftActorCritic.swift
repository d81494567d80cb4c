import Foundation
import Learning

/// The losses of soft actor-critic, written down plainly in double precision, for tests.
struct PlainSoftActorCritic {
    let state: SoftActorCriticState
    let settings: SoftActorCriticSettings
    let memory: SoftActorCriticRows
    private let draws: SoftActorCriticDraws

    init(
        _ state: SoftActorCriticState, _ settings: SoftActorCriticSettings,
        memory: SoftActorCriticRows
    ) {
        self.state = state
        self.settings = settings
        self.memory = memory
        draws = SoftActorCriticDraws(
            seed: settings.seed, batchSize: settings.batchSize,
            actionDimension: state.actionDimension)
    }

    private var observed: Int { state.observationDimension }
    private var acted: Int { state.actionDimension }
    private var alpha: Double { exp(Double(state.logTemperature)) }

    private func output(_ parameters: ArraySlice<Double>, _ sizes: [Int], _ input: [Double])
        -> [Double]
    {
        var (numbers, at) = (input, parameters.startIndex)
        for layer in 1..<sizes.count {
            let (inputs, outputs) = (sizes[layer - 1], sizes[layer])
            let biases = at + inputs * outputs
            var next: [Double] = []
            // Plain loops: tests are not optimized everywhere.
            for row in 0..<outputs {
                var sum = parameters[biases + row]
                var column = 0
                while column < inputs {
                    sum += parameters[at] * numbers[column]
                    at += 1
                    column += 1
                }
                next.append(layer < sizes.count - 1 ? max(sum, 0) : sum)
            }
            numbers = next
            at += outputs
        }
        return numbers
    }

    /// The smaller value, or both.
    private func values(_ critics: [Double], _ observation: [Double], _ action: [Double])
        -> [Double]
    {
        let half = critics.count / 2
        return (0..<2).map {
            output(
                critics[$0 * half..<($0 + 1) * half], state.criticSizes, observation + action)[0]
        }
    }

    private func action(
        _ actor: [Double], _ observation: [Double], noise: (Int) -> Float
    ) -> (action: [Double], logProbability: Double) {
        let numbers = output(actor[...], state.actorSizes, observation)
        var (action, logProbability) = ([Double](), 0.0)
        for column in 0..<acted {
            let (z, mean) = (Double(noise(column)), numbers[column])
            let logDeviation = min(max(numbers[acted + column], -20), 2)
            let u = mean + exp(logDeviation) * z
            action.append(tanh(u))
            logProbability += -z * z / 2 - logDeviation - log(2 * .pi) / 2
            // log(1 - tanh²(u)), which is 0 in double precision where u is large.
            logProbability -= 2 * (log(2) - abs(u) - log1p(exp(-2 * abs(u))))
        }
        return (action, logProbability)
    }

    private func rows(_ update: Int) -> [Int] {
        (0..<settings.batchSize).map { draws.place(update: update, row: $0, size: memory.count) }
    }

    private func part(_ numbers: [Float], _ row: Int, _ width: Int) -> [Double] {
        numbers[row * width..<(row + 1) * width].map(Double.init)
    }

    /// What the critics are to say of each row of the batch.
    private func aims() -> [Double] {
        let (actor, targets) = (state.actor.map(Double.init), state.targets.map(Double.init))
        return rows(state.updates).enumerated().map { place, row in
            let next = part(memory.nextObservations, row, observed)
            let (then, logProbability) = action(actor, next) {
                draws.nextNoise(update: state.updates, row: place, column: $0)
            }
            let soft = values(targets, next, then).reduce(.infinity, min) - alpha * logProbability
            return settings.rewardScale * Double(memory.rewards[row])
                + settings.discount * (1 - Double(memory.terminals[row])) * soft
        }
    }

    /// The sum of both critics' losses, of parameters as in ``SoftActorCriticState/critics``.
    func criticLoss() -> ([Double]) -> Double {
        let (aims, rows) = (aims(), rows(state.updates))
        return { critics in
            var sum = 0.0
            for (row, y) in zip(rows, aims) {
                let estimates = values(
                    critics, part(memory.observations, row, observed),
                    part(memory.actions, row, acted))
                for estimate in estimates { sum += (estimate - y) * (estimate - y) / 2 }
            }
            return sum / Double(settings.batchSize)
        }
    }

    /// The actor's loss with critics of these parameters, and the mean of log π.
    func actorLoss(_ actor: [Double], critics: [Double]) -> (loss: Double, logProbability: Double) {
        var (loss, total) = (0.0, 0.0)
        for (place, row) in rows(state.updates).enumerated() {
            let observation = part(memory.observations, row, observed)
            let (now, logProbability) = action(actor, observation) {
                draws.noise(update: state.updates, row: place, column: $0)
            }
            loss +=
                alpha * logProbability - values(critics, observation, now).reduce(.infinity, min)
            total += logProbability
        }
        return (loss / Double(settings.batchSize), total / Double(settings.batchSize))
    }

    /// The gradient of a loss by central differences.
    static func gradient(_ parameters: [Float], _ loss: ([Double]) -> Double) -> [Double] {
        var values = parameters.map(Double.init)
        return values.indices.map { index in
            let (value, step) = (values[index], 1e-5)
            values[index] = value + step
            let above = loss(values)
            values[index] = value - step
            let below = loss(values)
            values[index] = value
            return (above - below) / (2 * step)
        }
    }

    /// One step of Adam, from moments before it.
    static func adam(
        _ parameters: [Float], _ moments: SoftActorCriticState.Moments, gradient: [Double],
        step: Int, rate: Double
    ) -> [Double] {
        parameters.indices.map { index in
            let first = 0.9 * Double(moments.first[index]) + 0.1 * gradient[index]
            let second =
                0.999 * Double(moments.second[index]) + 0.001 * gradient[index] * gradient[index]
            let root = (second / (1 - pow(0.999, Double(step)))).squareRoot()
            return Double(parameters[index])
                - rate * first / (1 - pow(0.9, Double(step))) / (root + 1e-8)
        }
    }
}
