public import Bounds
import Layers
import Synchronization
import Tensors
public import Transformer

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Trains and searches on the processor's cores; the engine that is always there.
///
///     let planner = try Planner(checkpoint: trained, engine: .cpu)
///
/// Everything that one engine makes shares its threads, which serve one call at a time.
public struct CPUEngine: Engine {
    /// Threads that compute.
    public var workers: Int { pool.count }
    /// Windows that a worker passes through the model together in training.
    public let sequencesPerPass: Int
    /// How products are computed.
    public let precision: Precision

    private let pool: WorkerPool
    private let packed = PackedModels()

    /// An engine of `workers` threads; nil means one for each core.
    public init(workers: Int? = nil, sequencesPerPass: Int = 4) {
        self.init(workers, sequencesPerPass, .exact)
    }

    /// An engine that computes products so precisely.
    ///
    /// - Throws: `EngineError` where the processor has no instructions for `Precision.fast`
    ///   (AVX-512 BF16: AMD from Zen 4 on, Intel from Cooper Lake on).
    public init(
        workers: Int? = nil, precision: Precision, sequencesPerPass: Int = 4
    ) throws(EngineError) {
        self.init(workers, sequencesPerPass, precision)
        guard factors.isSupported else {
            throw EngineError(
                code: .unsupported, engine: "cpu",
                detail: "this processor has no instructions for fast products of bfloat16 "
                    + "factors (AVX-512 BF16); exact precision works everywhere")
        }
    }

    private init(_ workers: Int?, _ sequencesPerPass: Int, _ precision: Precision) {
        precondition(
            workers ?? 1 > 0 && sequencesPerPass > 0,
            "\(workers ?? 1) workers, \(sequencesPerPass) sequences in a pass")
        self.sequencesPerPass = sequencesPerPass
        self.precision = precision
        pool = workers.map { WorkerPool(count: $0) } ?? WorkerPool.shared
    }

    /// What products do with their factors.
    private var factors: Factors { precision == .exact ? .single : .bfloat16 }

    /// "cpu, 2 workers", "cpu, 2 workers, bfloat16".
    public var name: String {
        (workers == 1 ? "cpu, 1 worker" : "cpu, \(workers) workers")
            + (precision == .exact ? "" : ", bfloat16")
    }

    /// A copy of a model that learns; `model` stays as it is.
    ///
    /// - Throws: `EngineError` when the windows do not fit the model.
    public func training(
        _ model: TrajectoryTransformer, options: TrainingEngineOptions
    ) throws(EngineError) -> any TrainingEngine {
        try trainingEngine(model, options: options)
    }

    /// As ``training(_:options:)``, for who wants to know where its time goes.
    public func trainingEngine(
        _ model: TrajectoryTransformer, options: TrainingEngineOptions
    ) throws(EngineError) -> CPUTrainingEngine {
        try CPUTrainingEngine(
            model, options: options, pool: pool, factors: factors,
            sequencesPerPass: sequencesPerPass, name: name)
    }

    /// Parameters with their packed copies, gradients and moments, and every worker's activations.
    public func trainingMemory(
        _ configuration: TransformerConfiguration, options: TrainingEngineOptions
    ) -> MemoryNeed {
        var need = configuration.memoryNeed(copies: 9 + workers)
        let rows = Int.saturating(
            sequencesPerPass, times: options.windowLength + configuration.goalDimension)
        need.add(
            workers, rows, configuration.embeddingWidth, 16 * configuration.layerCount + 14)
        need.add(
            workers, configuration.layerCount, configuration.headCount, rows, options.windowLength)
        need.add(workers, rows, configuration.vocabularySize)
        if options.muon != nil {
            need.add(workers, 14, configuration.embeddingWidth, configuration.embeddingWidth)
        }
        return need
    }

    /// A tree of prefixes for one search at a time; the model's packed weights are shared.
    public func decoder(_ model: TrajectoryTransformer) throws(EngineError) -> any PrefixTreeModel {
        prefixDecoder(model)
    }

    /// As ``decoder(_:)``, for who wants to know what was computed.
    public func prefixDecoder(_ model: TrajectoryTransformer) -> PrefixDecoder {
        PrefixDecoder(packed.transformer(of: model, factors: factors), pool: pool)
    }
}

extension Engine where Self == CPUEngine {
    /// The processor, a thread for each core.
    public static var cpu: CPUEngine { .allCores }

    /// The processor with so many threads; nil means one for each core.
    public static func cpu(workers: Int?) -> CPUEngine {
        workers.map { CPUEngine(workers: $0) } ?? .allCores
    }
}

extension CPUEngine {
    fileprivate static let allCores = CPUEngine()
}

/// The models that decoders compute with at the moment, so that those of one model share its
/// weights.
private final class PackedModels: Sendable {
    private struct Entry {
        /// Kept by the transformer's decoders alone.
        weak var transformer: CPUTransformer?
        /// Whose values it has; a model that is gone cannot be asked for.
        weak var model: TrajectoryTransformer?
    }

    private let entries = Mutex<[Entry]>([])

    func transformer(of model: TrajectoryTransformer, factors: Factors) -> CPUTransformer {
        entries.withLock { entries in
            entries.removeAll { $0.transformer == nil || $0.model == nil }
            if let known = entries.first(where: { $0.model === model })?.transformer {
                return known
            }
            let transformer = CPUTransformer(model, factors: factors)
            entries.append(Entry(transformer: transformer, model: model))
            return transformer
        }
    }
}
