public import CUDA
public import Transformer

/// Computes models on a card.
public struct CUDAEngine: Engine {
    /// The card.
    public let device: Device
    /// How products are computed.
    public let precision: Precision

    /// Computes on `device`.
    public init(device: Device, precision: Precision = .exact) {
        self.device = device
        self.precision = precision
    }

    /// Computes on card `index` of the installed driver.
    ///
    /// - Throws: `EngineError` where there is no card, no driver or no run-time compiler.
    public init(index: Int = 0, precision: Precision = .exact) throws(EngineError) {
        do {
            self.init(device: try Device(index: index), precision: precision)
        } catch {
            throw EngineError(error, engine: "a CUDA card")
        }
    }

    /// The card and the precision: "NVIDIA H100 80GB HBM3, exact".
    public var name: String { "\(device.name), \(precision.rawValue)" }

    /// A copy of a model that learns on the card; `model` stays as it is.
    ///
    /// - Throws: `EngineError` where the card cannot compute or hold such a model.
    public func training(
        _ model: TrajectoryTransformer, options: TrainingEngineOptions
    ) throws(EngineError) -> any TrainingEngine {
        try CUDATrainingEngine(model, options: options, on: device, precision: precision)
    }

    /// A tree of prefixes on the card, for one search at a time.
    ///
    /// - Throws: `EngineError` where the card cannot compute or hold such a model.
    public func decoder(
        _ model: TrajectoryTransformer
    ) throws(EngineError) -> any PrefixTreeModel {
        try CUDAPrefixDecoder(model, on: device, precision: precision)
    }
}

extension EngineError {
    /// What a card reports, as an engine's error.
    package init(_ error: CUDAError, engine: String) {
        let code: Code =
            switch error.code {
            case .noDriver, .noDevice, .tooOld, .noCompiler: .unavailable
            case .outOfMemory: .outOfMemory
            case .compilation, .failed: .failed
            }
        self.init(code: code, engine: engine, detail: error.description)
    }
}
