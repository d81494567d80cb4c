import CUDA
import Planning
import Tokenization
import Trajectories
import Transformer
import TransformerCUDA

/// The time to plan one action for each of some episodes, with the authors' settings.
struct PlanSpeed: Encodable, CustomStringConvertible {
    var shape: String
    var precision: String
    var horizon: Int
    var beamWidth: Int
    /// Episodes that plan together.
    var episodes: Int
    /// Seconds for all of them, and of these inside the model.
    var seconds: Double
    var modelSeconds: Double
    /// Tokens computed for all of them.
    var computedTokens: Int

    /// Plans a second, all episodes counted.
    var plansPerSecond: Double { Double(episodes) / seconds }

    /// Times the median of `plans` plans from random pasts, with a random model.
    init(
        on device: Device, shape: DeviceShape, precision: Precision, episodes: Int, plans: Int
    ) throws {
        let configuration = shape.configuration
        let layout = configuration.layout
        let model = TrajectoryTransformer(configuration, seed: 0)
        let decoder = try CUDAPrefixDecoder(model, on: device, precision: precision)
        let discretizer = try Discretizer(
            uniformOver: [0, 1].flatMap {
                Array(repeating: Double($0), count: layout.transitionDimension)
            }, dimension: layout.transitionDimension, binCount: configuration.binCount)
        var options = PlannerOptions()
        options.horizon = shape == .hopper ? 15 : 5
        options.beamWidth = shape == .hopper ? 128 : 32
        options.expansionFactor = 2
        options.contextTransitions = 5
        let planner = try BeamPlanner(model: decoder, discretizer: discretizer, options: options)
        var sources = (0..<episodes).map { SeededUniforms(seed: UInt64(1 + $0)) }
        var measured: [PlanStatistics] = []
        for index in 0...plans {
            let requests = sources.indices.map { source in
                BeamPlanner.Request(
                    context: (0..<(4 * layout.transitionDimension + layout.observationDimension))
                        .map { _ in Int(sources[source].next() * Double(configuration.binCount)) })
            }
            let plan = try planner.plan(requests, uniforms: &sources)[0]
            if index > 0 { measured.append(plan.statistics) }
        }
        measured.sort { $0.seconds < $1.seconds }
        let median = measured[measured.count / 2]
        self.shape = shape.rawValue
        self.precision = precision.rawValue
        self.episodes = episodes
        horizon = options.horizon
        beamWidth = options.beamWidth
        seconds = median.seconds
        modelSeconds = median.modelSeconds
        computedTokens = median.nodesComputed
    }

    var description: String {
        "plans, \(shape), \(precision), \(episodes) episodes: \((seconds * 1e3).digits(1)) ms, "
            + "\((modelSeconds * 1e3).digits(1)) ms in the model, "
            + "\(plansPerSecond.digits(1)) plans/s (horizon \(horizon), beam \(beamWidth), "
            + "\(computedTokens) tokens)"
    }
}
