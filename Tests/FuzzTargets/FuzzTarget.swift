package import Foundation

/// A parser that is fed with bytes that nobody vouches for.
///
/// Whatever the bytes, ``run(_:)`` returns: what is refused is refused by an error, and what is
/// accepted can be used. A crash or a hang is a fault.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// Named tensors.
    case safetensors
    /// A token file, as it is and with its checksums mended.
    case tokens
    /// The JSON file of a checkpoint, beside good weights.
    case checkpoint
    /// The weights of a checkpoint, beside a good JSON file.
    case weights
    /// Linear and neural policies.
    case policy
    case critic
    case dynamics
    /// Settings of training, as YAML.
    case settings
    /// Definitions of experiments, as YAML.
    case experiment
    /// The map of a maze.
    case maze
    /// States that PyTorch saved, in both containers.
    case torch
    /// The pickles of settings, discretizers and arrays.
    case pickle
    /// Archives of NumPy's arrays.
    case npz
    /// HDF5 files in D4RL's format and Minari's, read by another process.
    case hdf5
    /// Orders of a live page, a line each, and the steps that follow.
    case live

    /// Feeds the parser; what it refuses is as good as what it accepts.
    package func run(_ bytes: [UInt8]) {
        do {
            try feed(bytes)
        } catch {
            // Refused, in words that a person can read in one line.
            let line = "\(error)"
            precondition(!line.isEmpty && line.utf8.count < 100_000, "an error without words")
        }
    }

    /// Feeds the parser, and uses what it accepts.
    ///
    /// - Throws: The parser's error where it refuses the bytes.
    package func feed(_ bytes: [UInt8]) throws {
        switch self {
        case .safetensors: try FuzzedFiles.safetensors(bytes)
        case .tokens: try FuzzedFiles.tokens(bytes)
        case .checkpoint: try FuzzedModels.checkpoint(description: bytes)
        case .weights: try FuzzedModels.checkpoint(weights: bytes)
        case .policy: try FuzzedModels.policy(bytes)
        case .critic: try FuzzedModels.critic(bytes)
        case .dynamics: try FuzzedModels.dynamics(bytes)
        case .settings: try FuzzedFiles.settings(bytes)
        case .experiment: try FuzzedFiles.experiment(bytes)
        case .maze: try FuzzedFiles.maze(bytes)
        case .torch: try FuzzedPython.torch(bytes)
        case .pickle: try FuzzedPython.pickle(bytes)
        case .npz: try FuzzedPython.npz(bytes)
        case .hdf5: try FuzzedFiles.hdf5(bytes)
        case .live: try FuzzedLive.orders(bytes)
        }
    }

    /// Writes small files that are in order, from which mutations start: a folder for each target.
    package static func writeSeeds(to folder: URL, of targets: [FuzzTarget] = allCases) throws {
        for target in targets {
            let place = folder.appendingPathComponent(target.rawValue)
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            for (name, bytes) in try FuzzSeeds.of(target) {
                try bytes.write(to: place.appendingPathComponent(name))
            }
        }
    }
}

/// A file for each process into which the bytes go for parsers that want a file.
enum FuzzScratch {
    /// Memory where there is a file system of it.
    static let folder: URL = {
        let shared = URL(fileURLWithPath: "/dev/shm")
        let base =
            FileManager.default.isWritableFile(atPath: shared.path)
            ? shared : FileManager.default.temporaryDirectory
        let folder = base.appendingPathComponent("trajectory-fuzz-\(getpid())")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }()

    /// Writes bytes to the file `name`.
    static func write(_ bytes: [UInt8], _ name: String) throws -> URL {
        let url = folder.appendingPathComponent(name)
        try Data(bytes).write(to: url)
        return url
    }
}
