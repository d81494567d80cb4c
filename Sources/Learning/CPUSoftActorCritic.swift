import Layers
import Tensors

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Soft actor-critic on the processor.
///
/// Haarnoja et al. 2018, "Soft Actor-Critic Algorithms and Applications", arXiv 1812.05905. An
/// update, on a batch (s, a, r, s', terminal) from the memory, with temperature α:
///
///     a', log π' ~ π(s');     y = r + γ (1 - terminal) (min(Q̄₁, Q̄₂)(s', a') - α log π')
///     critics:      mean of (Q(s, a) - y)² / 2, each                                  (eq. 5)
///     aπ, log π ~ π(s)
///     actor:        mean of α log π - min(Q₁, Q₂)(s, aπ)                              (eq. 9)
///     temperature:  -log α · mean of (log π + target entropy)                         (eq. 18)
///     targets:      Q̄ += τ (Q - Q̄)
///
/// The workers pass through an update together, in four stages with a barrier after each: the rows
/// of the batch are shared out, then the parameters. Every number is computed by one worker in one
/// order, so that the result does not depend on their number.
public final class CPUSoftActorCritic: SoftActorCriticEngine, @unchecked Sendable {
    private let settings: SoftActorCriticSettings
    private let observationDimension, actionDimension: Int
    private let entropyGoal: Double
    private let draws: SoftActorCriticDraws
    private let pool: WorkerPool
    private var memory: SoftActorCriticMemory
    private let policy: ReLUPerceptron
    private let critics, targets: [ReLUPerceptron]
    private var temperature: SoftActorCriticTemperature
    private var updates: Int

    // Of a batch: inputs, what passes leave of each row, and numbers of each row.
    private let observations, criticInputs: Matrix
    private let policyRows: ReLUPerceptron.Rows
    private let criticRows: [ReLUPerceptron.Rows]
    private let sample: TanhGaussianSample
    private let losses: Matrix
    private let owned: [FloatStorage]
    private let scratch: [Scratch]

    /// Rows that a worker takes at a time.
    private static let rowsAtATime = 64

    /// What one worker needs for a block of rows.
    private final class Scratch {
        let observations, criticInputs, actionGradients: Matrix
        let policyRows: ReLUPerceptron.Rows
        let criticRows: [ReLUPerceptron.Rows]
        let sample: TanhGaussianSample
        private let owned: [FloatStorage]

        init(policy: [Int], critic: [Int], actionDimension: Int) {
            let rows = CPUSoftActorCritic.rowsAtATime
            owned = [policy[0], critic[0], actionDimension].map { FloatStorage(count: rows * $0) }
            observations = owned[0].matrix(columns: policy[0])
            criticInputs = owned[1].matrix(columns: critic[0])
            actionGradients = owned[2].matrix(columns: actionDimension)
            policyRows = .init(sizes: policy, rows: rows)
            criticRows = (0..<2).map { _ in .init(sizes: critic, rows: rows) }
            sample = TanhGaussianSample(rows: rows, actionDimension: actionDimension)
        }
    }

    /// An engine that goes on from `state`, with an empty memory.
    ///
    /// The first row that is appended is the run's number `firstRow`; where that is not 0, the kept
    /// memory is appended before the first update. `workers` threads compute, one a core if nil.
    ///
    /// - Throws: ``LearningError`` when a setting has no meaning.
    public init(
        _ state: SoftActorCriticState, settings: SoftActorCriticSettings, firstRow: Int = 0,
        workers: Int? = nil
    ) throws(LearningError) {
        try settings.validate()
        if let workers, workers < 1 {
            throw LearningError(
                .invalidSetting, "\(workers) workers", "give a number from 1 up")
        }
        let (observed, acted) = (state.observationDimension, state.actionDimension)
        let batch = settings.batchSize
        self.settings = settings
        (observationDimension, actionDimension) = (observed, acted)
        entropyGoal = settings.entropyGoal(actionDimension: acted)
        draws = SoftActorCriticDraws(
            seed: settings.seed, batchSize: batch, actionDimension: acted)
        pool = workers.map(WorkerPool.init(count:)) ?? .shared
        memory = SoftActorCriticMemory(
            observationDimension: observed, actionDimension: acted, capacity: settings.capacity,
            firstRow: firstRow)
        policy = ReLUPerceptron(sizes: state.actorSizes)
        // Actions first: then their gradient is that of the first inputs.
        let order = Array(observed..<(observed + acted)) + Array(0..<observed)
        critics = (0..<2).map { _ in
            ReLUPerceptron(sizes: state.criticSizes, inputs: order)
        }
        targets = (0..<2).map { _ in
            ReLUPerceptron(sizes: state.criticSizes, inputs: order)
        }
        temperature = SoftActorCriticTemperature(
            logarithm: state.logTemperature, moments: state.temperatureMoments)
        updates = state.updates

        let (policySizes, criticSizes) = (policy.sizes, critics[0].sizes)
        owned = [policySizes[0], criticSizes[0], 3].map { FloatStorage(count: batch * $0) }
        observations = owned[0].matrix(columns: policySizes[0])
        criticInputs = owned[1].matrix(columns: criticSizes[0])
        losses = owned[2].matrix(columns: 3)
        policyRows = .init(sizes: policySizes, rows: batch)
        criticRows = (0..<2).map { _ in .init(sizes: criticSizes, rows: batch) }
        sample = TanhGaussianSample(rows: batch, actionDimension: acted)
        scratch = (0..<pool.count).map { _ in
            Scratch(policy: policySizes, critic: criticSizes, actionDimension: acted)
        }
        load(state)
    }

    private func load(_ state: SoftActorCriticState) {
        policy.load(
            state.actor[...], first: state.actorMoments.first[...],
            second: state.actorMoments.second[...])
        for index in 0..<2 {
            let range = share(of: state.critics, index)
            critics[index].load(
                state.critics[range], first: state.criticMoments.first[range],
                second: state.criticMoments.second[range])
            targets[index].load(state.targets[range])
        }
    }

    /// The place of one critic's parameters among both's.
    private func share(of parameters: [Float], _ index: Int) -> Range<Int> {
        let half = parameters.count / 2
        return index * half..<(index + 1) * half
    }

    // MARK: - The protocol

    /// Puts transitions into the memory.
    public func append(_ rows: SoftActorCriticRows) { memory.append(rows) }

    /// The parameters of the actor.
    public func actor() -> [Float] { policy.values }

    /// All that is learnt, without the memory.
    public func state() -> SoftActorCriticState {
        var state = SoftActorCriticState(
            observationDimension: observationDimension, actionDimension: actionDimension,
            hiddenSizes: settings.hiddenSizes, seed: settings.seed)
        state.actor = policy.values
        state.actorMoments.first = policy.firstMoments
        state.actorMoments.second = policy.secondMoments
        state.critics = critics.flatMap(\.values)
        state.targets = targets.flatMap(\.values)
        state.criticMoments.first = critics.flatMap(\.firstMoments)
        state.criticMoments.second = critics.flatMap(\.secondMoments)
        state.logTemperature = temperature.logarithm
        state.temperatureMoments = temperature.moments
        state.updates = updates
        return state
    }

    /// Does `count` updates.
    ///
    /// - Throws: ``LearningError`` when the memory is empty.
    public func update(_ count: Int) throws -> SoftActorCriticUpdates {
        var total = SoftActorCriticUpdates()
        guard count > 0 else { return total }
        guard memory.count > 0 else {
            throw LearningError(.noData, "an empty memory", "act first")
        }
        pool.run { worker in
            for index in updates..<(updates + count) {
                computeTargetsAndCritics(update: index, worker: worker)
                pool.barrier()
                updateCritics(step: index + 1, worker: worker)
                pool.barrier()
                computeActor(worker: worker)
                pool.barrier()
                // The first worker's own: nobody reads the temperature in this stage.
                if worker == 0 { total = total + finish(step: index + 1) }
                updateActor(step: index + 1, worker: worker)
                pool.barrier()
            }
        }
        updates += count
        return total
    }

    // MARK: - The stages

    /// The blocks of rows of the batch that a worker takes.
    private func blocks(of worker: Int) -> [Range<Int>] {
        let share = pool.share(of: settings.batchSize, worker: worker)
        return stride(from: share.lowerBound, to: share.upperBound, by: Self.rowsAtATime).map {
            $0..<min($0 + Self.rowsAtATime, share.upperBound)
        }
    }

    /// Rows: y, both critics on (s, a) and back; the actor on s.
    private func computeTargetsAndCritics(update: Int, worker: Int) {
        let scratch = scratch[worker]
        let alpha = temperature.value
        for block in blocks(of: worker) {
            let rows = 0..<block.count
            let next = scratch.observations.rows(rows)
            let nextInputs = scratch.criticInputs.rows(rows)
            let inputs = criticInputs.rows(block)
            var outcomes: [(reward: Float, terminal: Float)] = []
            outcomes.reserveCapacity(block.count)
            for (row, batchRow) in block.enumerated() {
                let place = draws.place(update: update, row: batchRow, size: memory.count)
                outcomes.append(
                    memory.copy(
                        place, observation: (observations, batchRow), input: (inputs, row),
                        next: (next, row), nextInput: (nextInputs, row)))
            }

            // a', log π' ~ π(s'), and aπ, log π ~ π(s).
            let nextOutput = policy.forward(next, to: scratch.policyRows, rows)
            scratch.sample.draw(nextOutput, rows) {
                draws.nextNoise(update: update, row: block.lowerBound + $0, column: $1)
            }
            let output = policy.forward(observations.rows(block), to: policyRows, block)
            sample.draw(output, block) { draws.noise(update: update, row: $0, column: $1) }

            scratch.sample.copyActions(rows, to: nextInputs)
            let values = targets.indices.map {
                targets[$0].forward(nextInputs, to: scratch.criticRows[$0], rows)
            }
            let estimates = critics.indices.map {
                critics[$0].forward(inputs, to: criticRows[$0], block)
            }
            let divisor = 1 / Float(settings.batchSize)
            for (row, batchRow) in block.enumerated() {
                let soft =
                    min(values[0][row, 0], values[1][row, 0])
                    - alpha * scratch.sample.logProbability(row)
                let (reward, terminal) = outcomes[row]
                let y =
                    Float(settings.rewardScale) * reward
                    + Float(settings.discount) * (1 - terminal) * soft
                var (loss, q) = (Float(0), Float(0))
                for index in critics.indices {
                    let error = estimates[index][row, 0] - y
                    criticRows[index].outputGradient[batchRow, 0] = error * divisor
                    loss += error * error / 4
                    q += estimates[index][row, 0] / 2
                }
                losses[batchRow, 0] = loss
                losses[batchRow, 1] = q
            }
            for index in critics.indices { critics[index].backward(criticRows[index], block) }
        }
    }

    /// Parameters: the critics' step, and the targets after them.
    private func updateCritics(step: Int, worker: Int) {
        let parts = critics[0].partCount
        for job in stride(from: worker, to: 2 * parts, by: pool.count) {
            let (part, index) = (job / 2, job % 2)
            critics[index].computeGradient(
                part: part, input: criticInputs, criticRows[index])
            critics[index].update(
                part: part, rate: Float(settings.learningRate), step: step,
                target: targets[index], share: Float(settings.targetRate))
        }
    }

    /// Rows: the updated critics on (s, aπ), the gradient of the smaller, and the actor's.
    private func computeActor(worker: Int) {
        let scratch = scratch[worker]
        let alpha = temperature.value
        for block in blocks(of: worker) {
            let rows = 0..<block.count
            // (s, aπ) from (s, a).
            let inputs = scratch.criticInputs.rows(rows)
            for (row, batchRow) in block.enumerated() {
                for column in 0..<observationDimension {
                    inputs[row, actionDimension + column] = observations[batchRow, column]
                }
            }
            sample.copyActions(block, to: inputs)
            let values = critics.indices.map {
                critics[$0].forward(inputs, to: scratch.criticRows[$0], rows)
            }
            let divisor = 1 / Float(settings.batchSize)
            for index in critics.indices {
                let chosen = rows.filter { (values[1][$0, 0] < values[0][$0, 0]) == (index == 1) }
                critics[index].gradientOfFirstInputs(
                    scratch.criticRows[index], chosen: chosen, result: scratch.actionGradients)
                for (place, row) in chosen.enumerated() {
                    let batchRow = block.lowerBound + row
                    losses[batchRow, 2] =
                        alpha * sample.logProbability(batchRow) - values[index][row, 0]
                    for column in 0..<actionDimension {
                        sample.writeGradient(
                            batchRow, column, to: policyRows.outputGradient, temperature: alpha,
                            actionGradient: -scratch.actionGradients[place, column],
                            divisor: divisor)
                    }
                }
            }
            policy.backward(policyRows, block)
        }
    }

    /// Parameters: the actor's step.
    private func updateActor(step: Int, worker: Int) {
        for part in stride(from: worker, to: policy.partCount, by: pool.count) {
            policy.computeGradient(part: part, input: observations, policyRows)
            policy.update(part: part, rate: Float(settings.learningRate), step: step)
        }
    }

    /// The temperature's step, and what the batch showed.
    private func finish(step: Int) -> SoftActorCriticUpdates {
        func mean(_ value: (Int) -> Float) -> Double {
            let sum = (0..<settings.batchSize).reduce(0.0) { $0 + Double(value($1)) }
            return sum / Double(settings.batchSize)
        }
        var result = SoftActorCriticUpdates()
        result.count = 1
        result.criticLoss = mean { losses[$0, 0] }
        result.q = mean { losses[$0, 1] }
        result.actorLoss = mean { losses[$0, 2] }
        result.entropy = -mean { sample.logProbability($0) }
        result.temperature = Double(temperature.value)
        temperature.update(
            gradient: result.entropy - entropyGoal, rate: settings.learningRate, step: step)
        return result
    }
}
