import Bounds
import Layers
import Tensors
import Trajectories

/// How networks are trained; the defaults are those of Kostrikov, Nair and Levine 2021.
public struct LearningSettings: Sendable, Hashable {
    /// Updates of each network.
    public var steps = 100_000
    /// Transitions in a batch.
    public var batchSize = 256
    /// Sizes of the hidden layers.
    public var hiddenSizes = [256, 256]
    /// AdamW's learning rate.
    public var learningRate = 3e-4
    /// AdamW's decay of the first moment.
    public var beta1 = 0.9
    /// AdamW's decay of the second moment.
    public var beta2 = 0.999
    /// AdamW's weight decay.
    public var weightDecay = 0.0
    /// Decides on initial weights and on the order of the data.
    public var seed: UInt64 = 0
    /// Threads that compute; nil for one on each core; results do not depend on it.
    public var workers: Int?

    /// The defaults.
    public init() {}

    /// Checks that the settings can be.
    func validate() throws(LearningError) {
        let numbers: [(String, Int?, Bound)] = [
            ("steps", steps, .steps), ("batch size", batchSize, .batch),
            ("workers", workers, .workers),
            ("hidden layers", hiddenSizes.count, Bound.layers.orNone),
            ("size of a hidden layer", hiddenSizes.min(), .width),
            ("size of a hidden layer", hiddenSizes.max(), .width),
        ]
        for (name, value, bound) in numbers where bound.problem(name, value) != nil {
            throw LearningError(
                .invalidSetting, "\(name) \(value ?? 0)",
                "give a number from 1 to \(bound.range.upperBound)")
        }
        guard learningRate > 0, learningRate.isFinite else {
            throw LearningError(
                .invalidSetting, "learning rate \(learningRate)", "give a number above 0")
        }
        for (name, value) in [("beta1", beta1), ("beta2", beta2)] where !(0 <= value && value < 1) {
            throw LearningError(.invalidSetting, "\(name) \(value)", "give a number in [0, 1)")
        }
        guard weightDecay >= 0, weightDecay.isFinite else {
            throw LearningError(
                .invalidSetting, "weight decay \(weightDecay)", "give 0 or a number above")
        }
    }

    /// Checks that the settings can be, with those that all learners of values have beside them,
    /// and others by their names, which are 0 or more.
    func validate(
        discount: Double, targetRate: Double, weights: KeyValuePairs<String, Double> = [:]
    ) throws(LearningError) {
        try validate()
        guard 0 <= discount, discount <= 1 else {
            throw LearningError(
                .invalidSetting, "discount \(discount)", "give a number in [0, 1]")
        }
        guard 0 < targetRate, targetRate <= 1 else {
            throw LearningError(
                .invalidSetting, "target rate \(targetRate)", "give a number in (0, 1]")
        }
        for (name, value) in weights where !(value >= 0 && value.isFinite) {
            throw LearningError(.invalidSetting, "\(name) \(value)", "give 0 or a number above")
        }
    }

    /// The transitions that an actor, two critics and what follows them learn from.
    ///
    /// - Throws: ``LearningError`` where there are none, or no room for the networks.
    func transitions(
        of trajectories: [Trajectory], layout: TransitionLayout
    ) throws(LearningError) -> Transitions {
        let transitions = Transitions(trajectories, layout: layout)
        guard transitions.count > 0 else {
            throw LearningError(
                .noData, "the dataset", "no episode has two transitions or a terminal one")
        }
        try requireMemory(
            networks: 6, inputs: layout.observationDimension + layout.actionDimension,
            outputs: layout.actionDimension)
        return transitions
    }

    /// Refuses networks of `inputs` inputs and `outputs` outputs, `count` of them, that the machine
    /// has no room for.
    func requireMemory(networks count: Int, inputs: Int, outputs: Int) throws(LearningError) {
        let sizes = [inputs] + hiddenSizes + [outputs]
        var need = MemoryNeed("learning")
        for (input, output) in zip(sizes, sizes.dropFirst()) {
            // Values, packed twice, gradient, two moments, and what is written at the end.
            need.add(count, 8, input + 1, output)
            // Activations and their gradients.
            need.add(count, 4, batchSize, output)
        }
        need.add(4, batchSize, inputs)
        do {
            try need.require()
        } catch {
            throw LearningError(
                .invalidSetting,
                "networks of \(hiddenSizes.count) layers, \(batchSize) rows at once",
                error.description)
        }
    }

    /// The settings of the optimizer.
    var optimizer: AdamW.Settings {
        var settings = AdamW.Settings()
        settings.beta1 = Float(beta1)
        settings.beta2 = Float(beta2)
        settings.weightDecay = Float(weightDecay)
        return settings
    }

    /// Who computes.
    var pool: WorkerPool { workers.map(WorkerPool.init(count:)) ?? .shared }
}

/// How far training has come.
public struct LearningProgress: Sendable, Hashable {
    /// A loss by its name, the mean over the steps since the last report.
    public struct Loss: Sendable, Hashable {
        /// Such as `policy`.
        public let name: String
        /// Mean over the steps.
        public let value: Double
    }

    /// Steps done.
    public let step: Int
    /// Steps in all.
    public let steps: Int
    /// The losses, always in the same order.
    public let losses: [Loss]
    /// Steps a second since the last report.
    public let stepsPerSecond: Double

    /// Steps between reports.
    private static let interval = 200

    /// Runs `steps` steps that return their losses, and reports now and then and at the end.
    ///
    /// - Parameters:
    ///   - steps: How many.
    ///   - names: Names of the losses.
    ///   - seed: What decides the batches, for the message where learning diverges.
    ///   - isStopped: Asked after each step; where it says so, learning ends there.
    ///   - report: Told how far learning is.
    ///   - step: One step, by its number from 0.
    /// - Returns: The last report.
    /// - Throws: ``LearningError`` when a loss is no finite number.
    static func run(
        steps: Int, names: [String], seed: UInt64, until isStopped: () -> Bool = { false },
        report: (LearningProgress) -> Void, step: (Int) -> [Double]
    ) throws(LearningError) -> LearningProgress {
        var sums = names.map { _ in 0.0 }
        var summed = 0
        var start = ContinuousClock.now
        var last = LearningProgress(step: 0, steps: steps, losses: [], stepsPerSecond: 0)
        for index in 0..<steps {
            for (place, loss) in step(index).enumerated() {
                guard loss.isFinite else {
                    throw LearningError(
                        diverged: "the \(names[place]) loss became \(loss.isNaN ? .nan : loss)",
                        at: index + 1, seed: seed)
                }
                sums[place] += loss
            }
            summed += 1
            let isLast = index == steps - 1 || isStopped()
            guard summed == interval || isLast else { continue }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            let losses = zip(names, sums).map { Loss(name: $0, value: $1 / Double(summed)) }
            last = LearningProgress(
                step: index + 1, steps: steps, losses: losses,
                stepsPerSecond: Double(summed) / max(seconds, 1e-9))
            report(last)
            if isLast { break }
            sums = names.map { _ in 0 }
            summed = 0
            start = .now
        }
        return last
    }
}
