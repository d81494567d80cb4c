import Files
import Foundation
import PythonFiles
import TorchCheckpoints
import Trajectories

/// Files that Python programs write.
enum FuzzedPython {
    static func torch(_ bytes: [UInt8]) throws {
        let file = try TorchFile(data: Data(bytes), name: "fuzzed")
        let tensors = try file.tensors()
        for (name, tensor) in tensors { _ = try? file.floats(tensor, called: name) }
        let state = try TorchState(file)
        guard
            let layout = [state.transitionDimension - 3].filter({ $0 > 0 }).first.map({
                TransitionLayout(observationDimension: $0, actionDimension: 1)
            })
        else { return }
        _ = try state.model(try state.configuration(layout: layout, headCount: 1))
    }

    static func pickle(_ bytes: [UInt8]) throws {
        let pickle = try Pickle(Data(bytes), file: "fuzzed")
        guard let entries = pickle.dictionary(pickle.root) ?? pickle.object(pickle.root)?.attributes
        else { return }
        for place in entries.values {
            _ = try? pickle.array(place).doubles()
            _ = pickle.number(place)
            _ = pickle.integer(place)
            _ = pickle.text(place)
            _ = pickle.object(place)
            _ = pickle.parts(place)?.compactMap(pickle.number)
        }
    }

    static func npz(_ bytes: [UInt8]) throws {
        let archive = try NumPyArchive(ZipArchive(data: Data(bytes), name: "fuzzed"))
        for name in archive.arrays.keys.sorted() {
            guard let rows = try? archive.rows(of: name) else { continue }
            while rows.position < rows.count, rows.width < 1 << 20,
                (try? rows.next(min(64, rows.count - rows.position))) != nil
            {}
        }
    }

    // MARK: - Files that are in order

    /// A model of one block, as the authors' code lays it out.
    static func torchSeeds(
        _ written: ((URL) throws -> Void) throws -> Data
    ) throws -> [(String, Data)] {
        let (width, bins, dimension, length) = (2, 2, 4, 7)
        var shapes: [(String, [Int])] = [
            ("tok_emb.weight", [bins * dimension + 1, width]), ("pos_emb", [1, length, width]),
            ("ln_f.weight", [width]), ("ln_f.bias", [width]),
            ("head.weight", [dimension, bins + 1, width]),
        ]
        for part in ["key", "query", "value", "proj"] {
            shapes.append(("blocks.0.attn.\(part).weight", [width, width]))
            shapes.append(("blocks.0.attn.\(part).bias", [width]))
        }
        for norm in ["ln1", "ln2"] {
            shapes.append(("blocks.0.\(norm).weight", [width]))
            shapes.append(("blocks.0.\(norm).bias", [width]))
        }
        shapes += [
            ("blocks.0.mlp.0.weight", [4 * width, width]), ("blocks.0.mlp.0.bias", [4 * width]),
            ("blocks.0.mlp.2.weight", [width, 4 * width]), ("blocks.0.mlp.2.bias", [width]),
        ]
        let state = shapes.map { name, shape in
            TorchContent(
                name, shape: shape, values: Array(repeating: 0.5, count: shape.reduce(1, *)))
        }
        let data = try written {
            let file = try PendingFile(for: $0)
            try TorchFile.write(state, to: file)
            try file.commit()
        }
        return [("state", data)]
    }

    /// Settings as the authors' code writes them.
    static var pickleSeeds: [(String, Data)] {
        let settings = PickleContent.object(
            PickleName("trajectory.utils.config", "Config"),
            [
                ("_class", .name(PickleName("trajectory.models.transformers", "GPT"))),
                (
                    "_dict",
                    .dictionary([
                        ("n_head", .integer(4)), ("discount", .number(0.99)),
                        ("env", .text("hopper-medium-v2")), ("penalty", .none),
                        ("shape", .tuple([.integer(1 << 40), .bool(true)])),
                    ])
                ),
            ])
        // {"a": np.array([1, 2], "<f4")}, as NumPy pickles it by protocol 3.
        let parts: [[UInt8]] = [
            [0x80, 3], Array("}X".utf8), [1, 0, 0, 0], Array("a".utf8),
            Array("cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK".utf8), [0, 0x85],
            Array("C".utf8), [1], Array("b".utf8), [0x87], Array("R(K".utf8), [1],
            Array("K".utf8), [2, 0x85], Array("cnumpy\ndtype\nX".utf8), [2, 0, 0, 0],
            Array("f4".utf8), [0x89, 0x88, 0x87], Array("R(K".utf8), [3], Array("X".utf8),
            [1, 0, 0, 0], Array("<NNNK".utf8), [0], Array("K".utf8), [0], Array("K".utf8), [0],
            Array("tb".utf8), [0x89], Array("C".utf8), [8, 0, 0, 128, 63, 0, 0, 0, 64],
            Array("tbs.".utf8),
        ]
        let array = Data(parts.flatMap(\.self))
        return [("settings", Data(settings.pickled)), ("array", array)]
    }

    /// Two arrays, stored.
    static func npzSeeds(
        _ written: ((URL) throws -> Void) throws -> Data
    ) throws -> [(String, Data)] {
        let data = try written {
            let file = try PendingFile(for: $0)
            let archive = ZipWriter(file)
            for (name, type, shape, size) in [
                ("observations", "<f4", [3, 2], 24), ("terminals", "|b1", [3], 3),
            ] {
                try archive.add(
                    "\(name).npy",
                    NumPyHeader.bytes(type: type, shape: shape)
                        + [UInt8](repeating: 1, count: size))
            }
            try archive.finish()
            try file.commit()
        }
        return [("arrays", data)]
    }
}
