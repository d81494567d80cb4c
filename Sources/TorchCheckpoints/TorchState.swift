public import Foundation
public import PythonFiles
public import Trajectories
public import Transformer

/// The parameters of a Trajectory Transformer that PyTorch saved, and what their shapes say.
///
///     let state = try TorchState(contentsOf: url)
///     let configuration = try state.configuration(layout: layout, headCount: 4)
///     let model = try state.model(configuration)
public struct TorchState: Sendable {
    /// How a code base names and lays out its parameters.
    public enum Layout: String, Sendable, Hashable, Codable {
        /// The authors' (Janner et al. 2021).
        case authors
        /// The Faster Trajectory Transformer's, with a head for each dimension.
        case fasterSeparateHeads = "faster-separate-heads"
        /// The Faster Trajectory Transformer's, with one head for all dimensions.
        case fasterOneHead = "faster-one-head"
    }

    /// Whose names and layout it has.
    public let layout: Layout
    /// Channels of the residual stream.
    public let width: Int
    /// Number of blocks.
    public let layerCount: Int
    /// Bins of a dimension.
    public let binCount: Int
    /// Tokens of a transition.
    public let transitionDimension: Int
    /// Positions that the model has an embedding for.
    public let positionCount: Int

    let file: TorchFile
    let tensors: [String: TorchTensor]

    /// Opens a file of a state.
    ///
    /// - Throws: `PythonFileError` when it is missing, damaged, or of another model.
    public init(contentsOf url: URL) throws(PythonFileError) {
        try self.init(TorchFile(contentsOf: url))
    }

    /// Looks through the tensors of a file.
    ///
    /// - Throws: `PythonFileError` when they are another model's.
    public init(_ file: TorchFile) throws(PythonFileError) {
        self.file = file
        let tensors = try TorchState.plainNames(file.tensors())
        self.tensors = tensors
        func foreign(_ detail: String) -> PythonFileError {
            PythonFileError(
                .foreign, file: file.name,
                "\(detail); give a state of the Trajectory Transformer's code or of the Faster "
                    + "Trajectory Transformer's")
        }
        func shape(_ name: String, _ dimensions: Int) throws(PythonFileError) -> [Int] {
            guard let shape = tensors[name]?.shape else {
                throw foreign("it has no tensor '\(name)'")
            }
            guard shape.count == dimensions, shape.allSatisfy({ $0 > 0 }) else {
                throw foreign("its tensor '\(name)' has the shape \(shape)")
            }
            return shape
        }
        guard tensors["goal_emb.weight"] == nil else {
            throw PythonFileError(
                .foreign, file: file.name, part: "goal_emb.weight",
                "it is of a model with goals, whose attention differs from ours; only models "
                    + "without are read")
        }
        let positions = try shape("pos_emb", 3)
        guard positions[0] == 1 else { throw foreign("'pos_emb' has the shape \(positions)") }
        (positionCount, width) = (positions[1], positions[2])
        let rows = try shape("tok_emb.weight", 2)[0]
        let isFaster = tensors["blocks.0.attention.in_proj_weight"] != nil
        if !isFaster {
            layout = .authors
            let head = try shape("head.weight", 3)
            (transitionDimension, binCount) = (head[0], head[1] - 1)
        } else if tensors["head.weight"]?.shape.count == 2 {
            layout = .fasterOneHead
            binCount = try shape("head.weight", 2)[0]
            transitionDimension = rows / binCount
        } else {
            layout = .fasterSeparateHeads
            let head = try shape("head.weight", 3)
            (transitionDimension, binCount) = (head[0], head[1])
        }
        let norm = isFaster ? "norm1" : "ln1"
        layerCount = (0...).first { tensors["blocks.\($0).\(norm).weight"] == nil } ?? 0
        let (needed, overflow) = transitionDimension.multipliedReportingOverflow(by: binCount)
        guard layerCount > 0, transitionDimension >= 4, binCount > 0, !overflow,
            rows == needed + (isFaster ? 0 : 1), positionCount >= transitionDimension
        else {
            throw foreign(
                "its sizes do not fit together (\(layerCount) blocks, \(transitionDimension) tokens "
                    + "a transition, \(binCount) bins, \(rows) rows of 'tok_emb.weight')")
        }
    }

    /// The tensors without what wrappers put before their names.
    private static func plainNames(_ tensors: [String: TorchTensor]) -> [String: TorchTensor] {
        for prefix in ["module.", "_orig_mod.", "model."]
        where tensors.keys.allSatisfy({ $0.hasPrefix(prefix) }) {
            let pairs = tensors.map { (String($0.key.dropFirst(prefix.count)), $0.value) }
            return Dictionary(pairs) { first, _ in first }
        }
        return tensors
    }

    /// The configuration of a model with these parameters.
    ///
    /// Positions beyond whole transitions, of which the Faster Trajectory Transformer has one, are
    /// left out: no window of ours reaches them.
    ///
    /// - Parameters:
    ///   - layout: Which column of a transition is which.
    ///   - headCount: Attention heads, which no shape tells.
    ///   - shape: Loss weights and dropout; its sizes do not matter.
    /// - Returns: The configuration, with the state's sizes.
    /// - Throws: `PythonFileError` when the layout has another number of columns, or the sizes are
    ///   none that a model can have.
    public func configuration(
        layout: TransitionLayout, headCount: Int, shape: TransformerConfiguration.Shape = .init()
    ) throws(PythonFileError) -> TransformerConfiguration {
        guard layout.transitionDimension == transitionDimension else {
            throw PythonFileError(
                .mismatch, file: file.name,
                "its transitions have \(transitionDimension) tokens, those of "
                    + "\(layout.observationDimension) observation and \(layout.actionDimension) "
                    + "action dimensions \(layout.transitionDimension)")
        }
        var shape = shape
        shape.layerCount = layerCount
        shape.headCount = headCount
        shape.embeddingWidth = width
        var configuration = TransformerConfiguration(layout: layout, shape: shape)
        configuration.binCount = binCount
        configuration.contextLength = contextTransitions * transitionDimension - 1
        if let problem = configuration.problem {
            throw PythonFileError(.mismatch, file: file.name, problem)
        }
        return configuration
    }

    /// Transitions that the model sees at most.
    public var contextTransitions: Int { (positionCount + 1) / transitionDimension }
}
