import CKernels
import Synchronization
package import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// AdamW: Adam with decoupled weight decay on the parameters that take it.
///
///     p *= 1 - rate * decay;  m = β₁ m + (1 - β₁) g;  v = β₂ v + (1 - β₂) g²
///     p -= rate / (1 - β₁ᵏ) * m / (√v / √(1 - β₂ᵏ) + ε)
///
/// Loshchilov and Hutter 2019; defaults are those of the code of Janner et al. 2021.
package struct AdamW: Sendable {
    /// The settings.
    package struct Settings: Sendable, Hashable {
        /// Decay of the first moment.
        package var beta1: Float = 0.9
        /// Decay of the second moment.
        package var beta2: Float = 0.95
        /// Added to the denominator.
        package var epsilon: Float = 1e-8
        /// Weight decay of the parameters that take it.
        package var weightDecay: Float = 0.1

        /// The defaults.
        package init() {}
    }

    /// The settings.
    package let settings: Settings
    /// First moments, in the layout of the parameters.
    package let firstMoment: FloatStorage
    /// Second moments, in the layout of the parameters.
    package let secondMoment: FloatStorage
    /// Updates done.
    package var step = 0

    private let runs: [(range: Range<Int>, decays: Bool)]

    /// An optimizer for parameters of this layout, with zero moments; those of `others` it leaves to
    /// somebody else.
    package init(
        _ layout: ParameterLayout, settings: Settings = Settings(),
        leaving others: [ParameterSlot] = []
    ) {
        self.settings = settings
        firstMoment = FloatStorage(count: layout.count)
        secondMoment = FloatStorage(count: layout.count)
        var runs: [(range: Range<Int>, decays: Bool)] = []
        let others = Set(others)
        for entry in layout.entries where !others.contains(entry.slot) {
            if let last = runs.last, last.decays == entry.decays,
                last.range.upperBound == entry.slot.range.lowerBound
            {
                runs[runs.count - 1].range = last.range.lowerBound..<entry.slot.range.upperBound
            } else {
                runs.append((entry.slot.range, entry.decays))
            }
        }
        self.runs = runs
    }

    /// One update of `parameters` with `gradients` times `gradientScale`.
    package mutating func update(
        _ parameters: FloatStorage, gradients: FloatStorage, gradientScale: Float, rate: Float,
        pool: WorkerPool
    ) {
        step += 1
        let correction1 = 1 - Float(pow(Double(settings.beta1), Double(step)))
        let correction2 = 1 - Float(pow(Double(settings.beta2), Double(step)))
        pool.run { worker in
            let share = pool.share(of: parameters.count, worker: worker)
            for run in runs where run.range.overlaps(share) {
                let range = run.range.clamped(to: share)
                let at = range.lowerBound
                tt_adamw(
                    parameters.base + at, firstMoment.base + at, secondMoment.base + at,
                    gradients.base + at, gradientScale, rate,
                    run.decays ? settings.weightDecay : 0, settings.beta1, settings.beta2,
                    settings.epsilon, correction1, correction2, range.count)
            }
        }
    }
}

extension AdamW {
    /// Update number `step`, from 1, of some parameters; for who shares parameters out among workers
    /// by another measure than place.
    package func update(
        _ range: Range<Int>, of parameters: FloatStorage, gradients: FloatStorage, rate: Float,
        step: Int, decays: Bool = false
    ) {
        let at = range.lowerBound
        tt_adamw(
            parameters.base + at, firstMoment.base + at, secondMoment.base + at,
            gradients.base + at, 1, rate, decays ? settings.weightDecay : 0, settings.beta1,
            settings.beta2, settings.epsilon, Float(1 - pow(Double(settings.beta1), Double(step))),
            Float(1 - pow(Double(settings.beta2), Double(step))), range.count)
    }
}

extension FloatStorage {
    /// Moves the elements of a range by `share` of the way to those of `other`.
    package func approach(_ other: FloatStorage, share: Float, in range: Range<Int>) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= min(count, other.count),
            "\(range) of \(count) and \(other.count) numbers")
        tt_approach(base + range.lowerBound, other.base + range.lowerBound, share, range.count)
    }
}

/// Operations on gradients as one flat array.
package enum Gradients {
    /// Sums the workers' gradients into the first of them, each worker a share of the array.
    package static func reduce(_ gradients: [FloatStorage], pool: WorkerPool) {
        guard let total = gradients.first, gradients.count > 1 else { return }
        pool.run { worker in
            let share = pool.share(of: total.count, worker: worker)
            for part in gradients.dropFirst() {
                tt_accumulate(
                    total.base + share.lowerBound, part.base + share.lowerBound, share.count)
            }
        }
    }

    /// The Euclidean norm of all gradients together, each worker summing a share.
    package static func norm(_ gradients: FloatStorage, pool: WorkerPool) -> Float {
        let sums = Mutex(Array(repeating: 0.0, count: pool.count))
        pool.run { worker in
            let share = pool.share(of: gradients.count, worker: worker)
            var sum = 0.0
            tt_sum_of_squares(&sum, gradients.base + share.lowerBound, share.count)
            sums.withLock { $0[worker] = sum }
        }
        return Float(sums.withLock { $0.reduce(0, +) }.squareRoot())
    }

    /// What gradients of this norm are multiplied by so that it does not exceed `limit`.
    ///
    /// As PyTorch's `clip_grad_norm_`: min(1, limit / (norm + 1e-6)).
    package static func clippingFactor(norm: Float, limit: Float) -> Float {
        min(1, limit / (norm + 1e-6))
    }
}
