import Tensors
import Trajectories

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension TD3PlusBC {
    /// Rows that a worker takes at a time.
    private static let rowsAtATime = 64

    /// A batch: inputs, what passes leave of each row, and numbers of each row.
    final class Batch {
        /// Observations, and actions with observations behind them.
        let observations, criticInputs: Matrix
        /// Gradient of Q₁ with respect to the policy's action.
        let actionGradients: Matrix
        /// Sum of the critics' losses, Q₁ of the policy's action, squared distance to the data's.
        let numbers: Matrix
        let actorRows: ReLUPerceptron.Rows
        let criticRows: [ReLUPerceptron.Rows]
        private let owned: [FloatStorage]

        /// Room for `rows` rows and networks of these sizes.
        init(rows: Int, actor: [Int], critic: [Int]) {
            let widths = [actor[0], critic[0], actor[actor.count - 1], 3]
            owned = widths.map { FloatStorage(count: rows * $0) }
            observations = owned[0].matrix(columns: widths[0])
            criticInputs = owned[1].matrix(columns: widths[1])
            actionGradients = owned[2].matrix(columns: widths[2])
            numbers = owned[3].matrix(columns: widths[3])
            actorRows = .init(sizes: actor, rows: rows)
            criticRows = (0..<2).map { _ in .init(sizes: critic, rows: rows) }
        }
    }

    /// What one worker needs for a block of rows.
    final class Scratch {
        let observations, criticInputs: Matrix
        let actorRows: ReLUPerceptron.Rows
        let criticRows: [ReLUPerceptron.Rows]
        private let owned: [FloatStorage]

        /// Room for a block and networks of these sizes.
        init(actor: [Int], critic: [Int]) {
            let rows = TD3PlusBC.rowsAtATime
            owned = [actor[0], critic[0]].map { FloatStorage(count: rows * $0) }
            observations = owned[0].matrix(columns: actor[0])
            criticInputs = owned[1].matrix(columns: critic[0])
            actorRows = .init(sizes: actor, rows: rows)
            criticRows = (0..<2).map { _ in .init(sizes: critic, rows: rows) }
        }
    }

    /// One update, of the policy and the targets where it is their turn.
    ///
    /// - Returns: The sum of the critics' losses before it; the policy's is in ``policyLoss``.
    package func update() -> Double {
        let step = updates + 1
        let isPolicysTurn = step % settings.policyDelay == 0
        pool.run { worker in
            computeCritics(worker: worker)
            pool.barrier()
            updateCritics(step: step, targetsFollow: isPolicysTurn, worker: worker)
            guard isPolicysTurn else { return }
            pool.barrier()
            valuePolicy(worker: worker)
            pool.barrier()
            computeActor(worker: worker)
            pool.barrier()
            updateActor(step: step / settings.policyDelay, worker: worker)
        }
        updates = step
        func mean(_ column: Int) -> Double {
            let rows = settings.learning.batchSize
            return (0..<rows).reduce(0.0) { $0 + Double(batch.numbers[$1, column]) } / Double(rows)
        }
        if isPolicysTurn {
            policyLoss =
                mean(2) / Double(transitions.layout.actionDimension)
                - Double(valueWeight()) * mean(1)
        }
        return mean(0)
    }

    /// The blocks of rows of the batch that a worker takes.
    private func blocks(of worker: Int) -> [Range<Int>] {
        let share = pool.share(of: settings.learning.batchSize, worker: worker)
        return stride(from: share.lowerBound, to: share.upperBound, by: Self.rowsAtATime).map {
            $0..<min($0 + Self.rowsAtATime, share.upperBound)
        }
    }

    // MARK: - The stages

    /// Copies row `row` of the data to `place` of the batch, and what followed to `place` of
    /// `scratch`, whose critic's inputs get no action.
    private func copy(_ row: Int, to batchRow: Int, _ scratch: Scratch, _ place: Int) {
        let layout = transitions.layout
        let (observed, acted) = (layout.observationDimension, layout.actionDimension)
        for column in 0..<observed {
            let now = normalization.apply(
                transitions.observations[row * observed + column], column: column)
            batch.observations[batchRow, column] = now
            batch.criticInputs[batchRow, acted + column] = now
            let next = normalization.apply(
                transitions.nextObservations[row * observed + column], column: column)
            scratch.observations[place, column] = next
            scratch.criticInputs[place, acted + column] = next
        }
        for column in 0..<acted {
            batch.criticInputs[batchRow, column] = units.apply(
                transitions.actions[row * acted + column], column: column)
        }
    }

    /// Rows: y, and both critics on (s, a) and back.
    private func computeCritics(worker: Int) {
        let scratch = scratch[worker]
        let acted = transitions.layout.actionDimension
        let (noise, limit) = (Float(settings.policyNoise), Float(settings.noiseLimit))
        let scale = 2 / Float(settings.learning.batchSize)
        for block in blocks(of: worker) {
            let rows = 0..<block.count
            let next = scratch.criticInputs.rows(rows)
            let chosen = block.map {
                draws.place(update: updates, row: $0, size: transitions.count)
            }
            for row in rows { copy(chosen[row], to: block.lowerBound + row, scratch, row) }
            let output = actorTarget.forward(
                scratch.observations.rows(rows), to: scratch.actorRows, rows)
            for (row, batchRow) in block.enumerated() {
                for column in 0..<acted {
                    let z = draws.nextNoise(update: updates, row: batchRow, column: column)
                    let action = tanh(output[row, column]) + min(max(noise * z, -limit), limit)
                    next[row, column] = min(max(action, -1), 1)
                }
            }
            let values = targets.indices.map {
                targets[$0].forward(next, to: scratch.criticRows[$0], rows)
            }
            let inputs = batch.criticInputs.rows(block)
            let estimates = critics.indices.map {
                critics[$0].forward(inputs, to: batch.criticRows[$0], block)
            }
            for (row, batchRow) in block.enumerated() {
                let future =
                    transitions.isTerminal[chosen[row]]
                    ? 0 : min(values[0][row, 0], values[1][row, 0])
                let y = transitions.rewards[chosen[row]] + Float(settings.discount) * future
                var loss: Float = 0
                for index in critics.indices {
                    let error = estimates[index][row, 0] - y
                    batch.criticRows[index].outputGradient[batchRow, 0] = scale * error
                    loss += error * error
                }
                batch.numbers[batchRow, 0] = loss
            }
            for index in critics.indices {
                critics[index].backward(batch.criticRows[index], block)
            }
        }
    }

    /// Parameters: the critics' step, and their targets after them.
    private func updateCritics(step: Int, targetsFollow: Bool, worker: Int) {
        for job in stride(from: worker, to: 2 * critics[0].partCount, by: pool.count) {
            let (part, index) = (job / 2, job % 2)
            critics[index].computeGradient(
                part: part, input: batch.criticInputs, batch.criticRows[index])
            critics[index].update(
                part: part, rate: Float(settings.learning.learningRate), step: step,
                target: targetsFollow ? targets[index] : nil, share: Float(settings.targetRate))
        }
    }

    /// Rows: the policy on s, Q₁ of its actions, and the gradient of that with respect to them.
    private func valuePolicy(worker: Int) {
        let scratch = scratch[worker]
        let layout = transitions.layout
        for block in blocks(of: worker) {
            let rows = 0..<block.count
            let inputs = scratch.criticInputs.rows(rows)
            let output = actor.forward(
                batch.observations.rows(block), to: batch.actorRows, block)
            for (row, batchRow) in block.enumerated() {
                for column in 0..<layout.actionDimension {
                    inputs[row, column] = tanh(output[row, column])
                }
                for column in layout.actionDimension..<inputs.columns {
                    inputs[row, column] = batch.criticInputs[batchRow, column]
                }
            }
            let values = critics[0].forward(inputs, to: scratch.criticRows[0], rows)
            for (row, batchRow) in block.enumerated() {
                batch.numbers[batchRow, 1] = values[row, 0]
            }
            critics[0].gradientOfFirstInputs(
                scratch.criticRows[0], chosen: Array(rows),
                result: batch.actionGradients.rows(block))
        }
    }

    /// λ: how much the values of the policy's actions in the batch count.
    private func valueWeight() -> Float {
        let rows = settings.learning.batchSize
        let sum = (0..<rows).reduce(Float(0)) { $0 + abs(batch.numbers[$1, 1]) }
        // Values that are all 0 have no gradient either.
        return Float(settings.alpha) / max(sum / Float(rows), .leastNormalMagnitude.squareRoot())
    }

    /// Rows: the gradient of the actor's loss, and back.
    private func computeActor(worker: Int) {
        let acted = transitions.layout.actionDimension
        let rows = Float(settings.learning.batchSize)
        let (ofValue, ofDistance) = (valueWeight() / rows, 2 / (rows * Float(acted)))
        for block in blocks(of: worker) {
            for row in block {
                var distance: Float = 0
                for column in 0..<acted {
                    let action = tanh(batch.actorRows.output[row, column])
                    let difference = action - batch.criticInputs[row, column]
                    distance += difference * difference
                    let gradient =
                        ofDistance * difference - ofValue * batch.actionGradients[row, column]
                    batch.actorRows.outputGradient[row, column] =
                        gradient * (1 - action * action)
                }
                batch.numbers[row, 2] = distance
            }
            actor.backward(batch.actorRows, block)
        }
    }

    /// Parameters: the actor's step, and its target after it.
    private func updateActor(step: Int, worker: Int) {
        for part in stride(from: worker, to: actor.partCount, by: pool.count) {
            actor.computeGradient(part: part, input: batch.observations, batch.actorRows)
            actor.update(
                part: part, rate: Float(settings.learning.learningRate), step: step,
                target: actorTarget, share: Float(settings.targetRate))
        }
    }
}

// MARK: - For tests

extension TD3PlusBC {
    /// Flat parameters, as ``SoftActorCriticState`` orders them, and the gradients of the last
    /// update of each network.
    package var parts: [String: [Float]] {
        var parts = [
            "actor": actor.values, "actor gradient": actor.flatGradients,
            "actor target": actorTarget.values,
        ]
        for index in 0..<2 {
            parts["critic \(index)"] = critics[index].values
            parts["critic \(index) gradient"] = critics[index].flatGradients
            parts["target \(index)"] = targets[index].values
        }
        return parts
    }
}
