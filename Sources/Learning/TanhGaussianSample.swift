import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Actions drawn from a tanh-Gaussian, a row each, with what their gradient needs.
///
///     σ = exp(clamp(log σ, -20, 2));  u = mean + σ z;  a = tanh(u)
///     log π = Σ over columns of (-z² / 2 - log σ - ln(2π) / 2) - 2 (ln 2 - u - softplus(-2u))
///
/// Haarnoja et al. 2018, appendix C; the logarithm of 1 - tanh²(u) is written so that it stays exact
/// for large u.
final class TanhGaussianSample {
    /// Least and largest logarithm of a deviation.
    static let logDeviations: ClosedRange<Float> = -20...2

    private let actions, noise, deviations, logProbabilities: Matrix
    private let owned: [FloatStorage]
    private let width: Int

    /// Room for `rows` actions.
    init(rows: Int, actionDimension: Int) {
        width = actionDimension
        owned = [width, width, width, 1].map { FloatStorage(count: rows * $0) }
        actions = owned[0].matrix(columns: width)
        noise = owned[1].matrix(columns: width)
        deviations = owned[2].matrix(columns: width)
        logProbabilities = owned[3].matrix(columns: 1)
    }

    /// Draws the rows `range` from the actor's output of them: means, then logarithms of deviations.
    ///
    /// `noise` gives z for a row, counted as `range` counts, and a column.
    func draw(_ output: Matrix, _ range: Range<Int>, noise draw: (Int, Int) -> Float) {
        for (place, row) in range.enumerated() {
            var logProbability: Float = 0
            for column in 0..<width {
                let z = draw(row, column)
                let raw = output[place, width + column]
                let logDeviation = min(
                    max(raw, Self.logDeviations.lowerBound), Self.logDeviations.upperBound)
                let deviation = exp(logDeviation)
                let u = output[place, column] + deviation * z
                logProbability += Self.logDensity(z: z, logDeviation: logDeviation, u: u)
                actions[row, column] = tanh(u)
                noise[row, column] = z
                // 0 where it was clamped, so that no gradient goes there.
                deviations[row, column] = Self.logDeviations.contains(raw) ? deviation : 0
            }
            logProbabilities[row, 0] = logProbability
        }
    }

    /// The logarithm of the density of tanh(u).
    private static func logDensity(z: Float, logDeviation: Float, u: Float) -> Float {
        let gaussian = -z * z / 2 - logDeviation - 0.918_938_533_2
        let doubled = -2 * u
        let softplus = max(doubled, 0) + log1p(exp(-abs(doubled)))
        return gaussian - 2 * (0.693_147_180_6 - u - softplus)
    }

    /// log π of a row.
    func logProbability(_ row: Int) -> Float { logProbabilities[row, 0] }

    /// Copies the actions of the rows `range` into the first columns of `matrix`'s first rows.
    func copyActions(_ range: Range<Int>, to matrix: Matrix) {
        for (place, row) in range.enumerated() {
            for column in 0..<width { matrix[place, column] = actions[row, column] }
        }
    }

    /// Writes the gradient of (temperature · log π + what `actionGradient` is the gradient of) times
    /// `divisor` with respect to a row's mean and log deviation of a column.
    ///
    /// With the noise fixed, d log π / du = 2 tanh(u), and d log σ acts through u and by -1 itself.
    func writeGradient(
        _ row: Int, _ column: Int, to gradient: Matrix, temperature: Float, actionGradient: Float,
        divisor: Float
    ) {
        let action = actions[row, column]
        let du =
            divisor * (temperature * 2 * action + actionGradient * (1 - action * action))
        gradient[row, column] = du
        let deviation = deviations[row, column]
        gradient[row, width + column] =
            deviation == 0 ? 0 : du * deviation * noise[row, column] - divisor * temperature
    }
}

/// The temperature, which Adam moves by its logarithm.
struct SoftActorCriticTemperature {
    /// Logarithm of the temperature.
    private(set) var logarithm: Float
    /// Adam's moments of it.
    private(set) var moments: SoftActorCriticState.Moments

    init(logarithm: Float, moments: SoftActorCriticState.Moments) {
        self.logarithm = logarithm
        self.moments = moments
    }

    /// The temperature.
    var value: Float { exp(logarithm) }

    /// One step of Adam down `gradient`, number `step` from 1.
    mutating func update(gradient: Double, rate: Double, step: Int) {
        let (beta1, beta2) = (0.9, 0.999)
        let first = beta1 * Double(moments.first[0]) + (1 - beta1) * gradient
        let second = beta2 * Double(moments.second[0]) + (1 - beta2) * gradient * gradient
        moments.first[0] = Float(first)
        moments.second[0] = Float(second)
        let root = (second / (1 - pow(beta2, Double(step)))).squareRoot()
        logarithm -= Float(rate * first / (1 - pow(beta1, Double(step))) / (root + 1e-8))
    }
}
