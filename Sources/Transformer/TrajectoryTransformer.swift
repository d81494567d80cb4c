import Tensors
import Trajectories

/// The Trajectory Transformer: a GPT over the tokens of trajectories, with one vocabulary and one
/// head for each dimension of a transition.
///
///     x = token embedding + position embedding
///     x = block(x)                        for each layer
///     logits[i] = head[i mod D] norm(x[i])    predicts token i + 1
///
/// Value tokens are hidden from attention. In a goal-conditioned model the goal's tokens stand in
/// front, without position, and every token sees them; after the last block they are dropped.
/// Janner et al. 2021, sections 3.1 and 3.2 ("goal-conditioned reinforcement learning") and
/// appendix A.
///
/// This is the model's values alone, which never change; an ``Engine`` computes with them. A class,
/// so that engines can tell whether two searches are of the same model without comparing its
/// weights.
public final class TrajectoryTransformer: Sendable {
    /// The model's shape.
    public let configuration: TransformerConfiguration
    /// All parameters, one after the other in the order of ``parameterNames``, row-major.
    public let values: [Float]

    /// Where each parameter lies in ``values``.
    package let parameters: TransformerParameters

    /// A model with fresh parameters drawn from `seed`.
    public convenience init(
        _ configuration: TransformerConfiguration, seed: UInt64, start: TransformerStart = .authors
    ) {
        self.init(configuration) { $0.initialValues(seed: seed, start: start) }
    }

    /// A model with these values, as ``values`` has them.
    public convenience init(_ configuration: TransformerConfiguration, values: [Float]) {
        self.init(configuration) { _ in values }
    }

    init<Failure: Error>(
        _ configuration: TransformerConfiguration,
        values: (TransformerParameters) throws(Failure) -> [Float]
    ) throws(Failure) {
        if let problem = configuration.problem {
            preconditionFailure("unusable transformer configuration: \(problem)")
        }
        self.configuration = configuration
        parameters = TransformerParameters(configuration)
        self.values = try values(parameters)
        precondition(
            self.values.count == parameters.layout.count,
            "\(self.values.count) values for a model of \(parameters.layout.count) parameters")
    }

    /// Number of parameters.
    public var parameterCount: Int { parameters.layout.count }

    /// The names of the parameters, as in the authors' checkpoints, in the order of ``values``.
    public var parameterNames: [String] { parameters.layout.entries.map(\.name) }

    /// Where a parameter lies in ``values``, and in gradients; nil if there is none of that name.
    public func range(ofParameter name: String) -> Range<Int>? {
        parameters.layout.entry(named: name)?.slot.range
    }

    /// A parameter's values, row-major, and its shape; nil if there is none of that name.
    public func parameter(named name: String) -> (values: [Float], shape: [Int])? {
        parameters.layout.entry(named: name).map { (Array(values[$0.slot.range]), $0.shape) }
    }
}
