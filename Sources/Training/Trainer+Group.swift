import Files
import Processes
import Tokenization
import Transformer

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What processes that train together tell each other.
extension Trainer {
    /// What a process says after each step.
    struct StepWord {
        /// Whether it was told to stop.
        var isStopped = false
        /// Whether the time limit is over by its clock.
        var isOutOfTime = false
        /// Whether it is time for a report by its clock.
        var isReportDue = false
        /// Tokens of its share of the batch.
        var tokens = 0

        /// What several processes say: one that stops is enough, the first one has the clock.
        init(of words: [UInt64]) {
            tokens = words.reduce(0) { $0 + Int($1 >> 3) }
            isStopped = words.contains { $0 & 1 != 0 }
            isOutOfTime = words[0] & 2 != 0
            isReportDue = words[0] & 4 != 0
        }

        init(isStopped: Bool, isOutOfTime: Bool, isReportDue: Bool, tokens: Int) {
            self.isStopped = isStopped
            self.isOutOfTime = isOutOfTime
            self.isReportDue = isReportDue
            self.tokens = tokens
        }

        var word: UInt64 {
            UInt64(tokens) << 3 | (isStopped ? 1 : 0) | (isOutOfTime ? 2 : 0)
                | (isReportDue ? 4 : 0)
        }
    }

    /// What all processes together say after a step.
    func agree(_ own: StepWord) throws -> StepWord {
        if group.isAlone { return own }
        return StepWord(of: try group.exchange(own.word, isPatient: false))
    }

    /// The losses of all shares together; all else the processes have in common.
    func whole(_ own: StepSummary) throws -> StepSummary {
        if group.isAlone { return own }
        let all = try group.gather([
            own.lossSum, own.lastLoss, Double(own.finiteSteps ?? own.steps),
        ])
        var summary = own
        summary.lossSum = all.reduce(0) { $0 + $1[0] }
        summary.lastLoss = all.reduce(0) { $0 + $1[1] }
        let finite = all.map { Int($0[2]) }.min() ?? own.steps
        summary.finiteSteps = finite == own.steps ? nil : finite
        return summary
    }

    /// Refuses to go on where the weights or moments of the processes are no longer the same.
    func requireSameWeights(_ state: EngineState) throws {
        if group.isAlone { return }
        var sum = WordChecksum()
        for numbers in [state.parameters, state.firstMoment, state.secondMoment] {
            sum.add(numbers.lazy.map { UInt64($0.bitPattern) })
        }
        let sums = try group.exchange(sum.value, isPatient: true)
        guard let other = sums.firstIndex(where: { $0 != sums[0] }) else { return }
        throw TrainingError(
            .processesDiffer, in: directory.path,
            "after step \(step) the weights of \(group.name(of: other)) are no longer those of "
                + "process 0; with processors of several kinds set TRAJECTORY_INSTRUCTION_SET to "
                + "avx2 or baseline everywhere, else a machine or the network is at fault")
    }

    /// Refuses to begin where the processes do not have the same run before them.
    func requireSameRun() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var first = TokenBatch(
            rows: min(options.batchSize, 8), length: training.length,
            goalDimension: training.goalDimension)
        var sampler = sampler
        sampler.fill(&first, step: step)
        let parts: [(name: String, bytes: [UInt8])] = [
            ("other settings", Array(try encoder.encode(options))),
            ("another model", Array(try encoder.encode(model.configuration))),
            ("a run of another length so far", Array("\(step) \(tokens)".utf8)),
            ("other data", Array("\(dataset.discretizer.edges)".utf8)),
            ("other data", Array("\(training.count) \(first.inputs) \(first.goals)".utf8)),
        ]
        for (name, bytes) in parts {
            var sum = WordChecksum()
            sum.add(padding: bytes)
            let sums = try group.exchange(sum.value, isPatient: true)
            if let other = sums.firstIndex(where: { $0 != sums[0] }) {
                throw TrainingError(
                    .processesDiffer, in: directory.path,
                    "\(group.name(of: other)) has \(name) than process 0; give all the same files "
                        + "and settings")
            }
        }
        try requireSameWeights(learner.state())
    }
}

extension ProcessGroup {
    /// Adds the other processes' gradients; nil where this process has the whole batch.
    var gradientExchange: GradientExchange? {
        if isAlone { return nil }
        return { (values: inout MutableSpan<Float>) throws(EngineError) in
            do throws(ProcessGroupError) {
                try sum(&values)
            } catch {
                throw EngineError.ofExchange(error)
            }
        }
    }
}

extension EngineError {
    /// Other processes could not be reached.
    static func ofExchange(_ error: ProcessGroupError) -> EngineError {
        EngineError(code: .exchange, engine: "several processes", detail: error.detail)
    }

    /// Does what reaches other processes.
    static func ofExchange<Value>(
        _ body: () throws(ProcessGroupError) -> Value
    ) throws(EngineError) -> Value {
        do {
            return try body()
        } catch {
            throw ofExchange(error)
        }
    }
}
