import RandomNumbers
import Safetensors

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// All that soft actor-critic learns: networks, moments and temperature, without the memory.
///
/// The parameters of a network are flat: for each layer the weight, outputs × inputs row after row,
/// then the bias. What a run is resumed from, as a file of a few megabytes.
public struct SoftActorCriticState: Sendable, Equatable {
    /// Adam's moments, in the order of the parameters.
    public struct Moments: Sendable, Equatable {
        /// First moments (m).
        public var first: [Float]
        /// Second moments (v).
        public var second: [Float]

        /// Zero moments.
        public init(count: Int) {
            first = Array(repeating: 0, count: count)
            second = first
        }
    }

    /// Numbers in an observation (O).
    public let observationDimension: Int
    /// Numbers in an action (A).
    public let actionDimension: Int
    /// Sizes of the hidden layers of each network.
    public let hiddenSizes: [Int]
    /// The actor: O to 2 A, means and then logarithms of deviations.
    public var actor: [Float]
    /// Both critics one after the other: O + A to 1.
    public var critics: [Float]
    /// Both targets, as ``critics``.
    public var targets: [Float]
    /// Moments of ``actor``.
    public var actorMoments: Moments
    /// Moments of ``critics``.
    public var criticMoments: Moments
    /// Logarithm of the temperature.
    public var logTemperature: Float = 0
    /// First and second moment of ``logTemperature``.
    public var temperatureMoments = Moments(count: 1)
    /// Updates done.
    public var updates = 0

    /// The state before the first update: weights and biases uniform in ±1/√fan-in, as PyTorch
    /// draws them; targets as the critics.
    public init(
        observationDimension: Int, actionDimension: Int, hiddenSizes: [Int] = [256, 256],
        seed: UInt64
    ) {
        precondition(
            observationDimension > 0 && actionDimension > 0 && hiddenSizes.allSatisfy { $0 > 0 },
            "networks of \(observationDimension), \(actionDimension) and \(hiddenSizes) numbers")
        self.observationDimension = observationDimension
        self.actionDimension = actionDimension
        self.hiddenSizes = hiddenSizes
        var generator = SplitMix64(seed: seed)
        func draw(_ sizes: [Int]) -> [Float] {
            ReLUPerceptron.initialValues(sizes: sizes, using: &generator)
        }
        let inner = hiddenSizes
        actor = draw([observationDimension] + inner + [2 * actionDimension])
        let critic = [observationDimension + actionDimension] + inner + [1]
        critics = draw(critic)
        critics += draw(critic)
        targets = critics
        actorMoments = Moments(count: actor.count)
        criticMoments = Moments(count: critics.count)
    }

    /// Sizes of the actor's layers, the input's first.
    public var actorSizes: [Int] { [observationDimension] + hiddenSizes + [2 * actionDimension] }
    /// Sizes of a critic's layers, the input's first.
    public var criticSizes: [Int] {
        [observationDimension + actionDimension] + hiddenSizes + [1]
    }

    /// Parameters of a network of these sizes.
    public static func parameterCount(_ sizes: [Int]) -> Int {
        zip(sizes, sizes.dropFirst()).reduce(0) { $0 + ($1.0 + 1) * $1.1 }
    }

    /// Whether every number is one.
    public var isFinite: Bool {
        logTemperature.isFinite
            && [actor, critics, targets].allSatisfy { $0.allSatisfy(\.isFinite) }
    }
}

// MARK: - Files

extension SoftActorCriticState {
    private static let kind = "soft actor-critic state"

    /// Names and parameters of all networks; moments carry the name of their network before theirs.
    private var networks: [(name: String, values: WritableKeyPath<Self, [Float]>, sizes: [Int])] {
        [
            ("actor", \.actor, actorSizes), ("actor.first", \.actorMoments.first, actorSizes),
            ("actor.second", \.actorMoments.second, actorSizes),
            ("critics", \.critics, criticSizes), ("targets", \.targets, criticSizes),
            ("critics.first", \.criticMoments.first, criticSizes),
            ("critics.second", \.criticMoments.second, criticSizes),
        ]
    }

    /// Calls `body` with every tensor: its key, its shape and its place in the flat parameters.
    private static func forEachTensor<Failure: Error>(
        _ name: String, _ sizes: [Int], networks: Int,
        _ body: (_ key: String, _ shape: [Int], _ range: Range<Int>) throws(Failure) -> Void
    ) throws(Failure) {
        var offset = 0
        for network in 0..<networks {
            for (layer, (inputs, outputs)) in zip(sizes, sizes.dropFirst()).enumerated() {
                let key = networks == 1 ? "\(name).\(layer)" : "\(name).\(network).\(layer)"
                for (part, shape) in [("weight", [outputs, inputs]), ("bias", [outputs])] {
                    let count = shape.reduce(1, *)
                    try body("\(key).\(part)", shape, offset..<(offset + count))
                    offset += count
                }
            }
        }
    }

    /// Puts everything into `file`.
    func write(to file: inout SafetensorsFile) {
        for (name, path, sizes) in networks {
            let values = self[keyPath: path]
            let count = values.count / Self.parameterCount(sizes)
            Self.forEachTensor(name, sizes, networks: count) { key, shape, range in
                file.set(key, Array(values[range]), shape: shape)
            }
        }
        file.set(
            "temperature",
            [logTemperature, temperatureMoments.first[0], temperatureMoments.second[0]],
            shape: [3])
        file.metadata.merge([
            "kind": Self.kind, "updates": "\(updates)",
            "observation_dimension": "\(observationDimension)",
            "action_dimension": "\(actionDimension)",
            "hidden_sizes": hiddenSizes.map(String.init).joined(separator: ","),
        ]) { $1 }
    }

    /// Writes the state as safetensors, with `metadata` beside it.
    ///
    /// - Throws: ``LearningError`` when the file cannot be written.
    public func write(to url: URL, metadata: [String: String] = [:]) throws(LearningError) {
        var file = SafetensorsFile(name: url.path)
        file.metadata = metadata
        write(to: &file)
        do {
            try file.write(to: url)
        } catch {
            throw LearningError(.unwritableSnapshot, url.path, error.detail)
        }
    }

    /// Reads a state that ``write(to:metadata:)`` wrote.
    ///
    /// - Throws: ``LearningError`` when the file is not one.
    public init(contentsOf url: URL) throws(LearningError) {
        do {
            try self.init(SafetensorsFile(contentsOf: url))
        } catch let error as SafetensorsError {
            throw LearningError(.unreadableSnapshot, url.path, error.detail)
        } catch let error as LearningError {
            throw error
        } catch {
            throw LearningError(.unreadableSnapshot, url.path, "\(error)")
        }
    }

    /// The state in `file`.
    init(_ file: SafetensorsFile) throws {
        func unreadable(_ detail: String) -> LearningError {
            LearningError(
                .unreadableSnapshot, file.name, "\(detail); give the snapshot of a run")
        }
        guard file.metadata["kind"] == Self.kind else {
            throw unreadable("it holds something else")
        }
        func number(_ key: String, from least: Int) throws(LearningError) -> Int {
            guard let number = file.metadata[key].flatMap({ Int($0) }), number >= least,
                number <= 1 << 40
            else { throw unreadable("its '\(key)' is missing or no possible number") }
            return number
        }
        let parts = (file.metadata["hidden_sizes"] ?? "").split(separator: ",")
        let sizes = parts.compactMap { Int($0) }.filter { 1...65_536 ~= $0 }
        let (observed, acted) = (
            try number("observation_dimension", from: 1), try number("action_dimension", from: 1)
        )
        guard sizes.count == parts.count, !sizes.isEmpty, sizes.count <= 16, observed <= 65_536,
            acted <= 65_536
        else {
            throw unreadable("its sizes are no possible numbers")
        }
        // Shapes first: what a file claims is not what memory is taken for.
        let first = [observed] + sizes
        for (layer, shape) in zip(first, first.dropFirst()).enumerated() {
            let key = "actor.\(layer).weight"
            guard try file.shape(of: key) == [shape.1, shape.0] else {
                throw unreadable("its '\(key)' has not the shape \([shape.1, shape.0])")
            }
        }
        self.init(
            observationDimension: observed, actionDimension: acted, hiddenSizes: sizes, seed: 0)
        updates = try number("updates", from: 0)
        for (name, path, sizes) in networks {
            let count = self[keyPath: path].count / Self.parameterCount(sizes)
            var values: [Float] = []
            try Self.forEachTensor(name, sizes, networks: count) { key, shape, _ in
                guard try file.shape(of: key) == shape else {
                    throw unreadable("its '\(key)' has not the shape \(shape)")
                }
                values += try file.floats(key)
            }
            self[keyPath: path] = values
        }
        let temperature = try file.floats("temperature")
        guard temperature.count == 3, isFinite, temperature.allSatisfy(\.isFinite) else {
            throw unreadable("a number in it is none")
        }
        logTemperature = temperature[0]
        temperatureMoments.first = [temperature[1]]
        temperatureMoments.second = [temperature[2]]
    }
}
