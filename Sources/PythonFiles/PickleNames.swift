/// The name of a class or function in a pickle, as a name: it is not looked up.
public struct PickleName: Hashable, Sendable, CustomStringConvertible {
    /// Its module, such as `collections`.
    public let module: String
    /// Its name within the module.
    public let name: String

    /// A name.
    public init(_ module: String, _ name: String) {
        self.module = module
        self.name = name
    }

    /// As Python writes it, `collections.OrderedDict`.
    public var description: String { "\(module).\(name)" }

    static let orderedDictionary = PickleName("collections", "OrderedDict")
    static let encode = PickleName("_codecs", "encode")
    static let tensor = PickleName("torch._utils", "_rebuild_tensor_v2")
    static let parameter = PickleName("torch._utils", "_rebuild_parameter")
    static let dataType = PickleName("numpy", "dtype")
    static let array = PickleName("numpy", "ndarray")

    /// The modules in which NumPy has kept its functions, old and new.
    private static let arrayModules: Set<String> = [
        "numpy.core.multiarray", "numpy._core.multiarray",
    ]

    /// Whether it makes an empty array of NumPy's, which then takes over a state.
    var isReconstruction: Bool { Self.arrayModules.contains(module) && name == "_reconstruct" }
    /// Whether it makes one of NumPy's numbers.
    var isScalar: Bool { Self.arrayModules.contains(module) && name == "scalar" }
    /// Whether it makes an array of NumPy's of a buffer.
    var isBuffer: Bool {
        ["numpy.core.numeric", "numpy._core.numeric"].contains(module) && name == "_frombuffer"
    }

    /// The element type of a storage class of PyTorch's (`torch.FloatStorage`).
    var storageType: TorchTensor.ElementType? {
        module == "torch" ? TorchTensor.ElementType.storages[name] : nil
    }

    /// Classes of other code bases whose attributes are read: settings and discretizers.
    private static let records: Set<PickleName> = [
        // The authors': settings of models, data and training.
        .init("trajectory.utils.config", "Config"),
        .init("trajectory.models.transformers", "GPT"),
        .init("trajectory.models.transformers", "ConditionalGPT"),
        .init("trajectory.datasets.sequence", "SequenceDataset"),
        .init("trajectory.datasets.sequence", "DiscretizedDataset"),
        .init("trajectory.datasets.sequence", "GoalDataset"),
        .init("trajectory.utils.training", "Trainer"),
        // The Faster Trajectory Transformer's.
        .init("trajectory.utils.discretization", "KBinsDiscretizer"),
    ]

    /// Whether a pickle may name it.
    var isKnown: Bool {
        [.orderedDictionary, .encode, .tensor, .parameter, .dataType, .array].contains(self)
            || isReconstruction || isScalar || isBuffer || storageType != nil
            || Self.records.contains(self)
    }
}
