import CUDA
import Transformer
import TransformerCUDA

/// The time of one call of the decoder: a token for each of some rows.
struct CallSpeed: Encodable, CustomStringConvertible {
    var precision: String
    /// Blocks that share 16 rows.
    var blocks: Int
    var rows: Int
    var pathLength: Int
    /// Seconds of the whole call: nodes there, kernel, logits back.
    var seconds: Double
    /// Seconds of the kernel on the card.
    var kernelSeconds: Double

    var description: String {
        "call, hopper, \(precision), \(blocks) blocks, \(rows) rows of path \(pathLength): "
            + "\((seconds * 1e6).digits(1)) us, kernel \((kernelSeconds * 1e6).digits(1)) us"
    }

    /// Calls of different sizes, each row on a path of its own behind a common trunk of 60 tokens.
    static func measure(
        on device: Device, precision: Precision, blocks: Int
    ) throws -> [CallSpeed] {
        let model = TrajectoryTransformer(DeviceShape.hopper.configuration, seed: 0)
        return try [16, 128, 256, 2048, 16384].map { rows in
            let decoder = try CUDAPrefixDecoder(
                model, on: device, precision: precision, blocks: blocks)
            decoder.isTimed = true
            var nodes = (0..<60).map {
                PrefixNode(
                    parent: $0 == 0 ? .root : .node($0 - 1), token: $0 % 100, needsOutput: false)
            }
            _ = try decoder.extend(nodes)
            var parents = Array(repeating: 59, count: rows)
            var whole: [Double] = []
            var kernel: [Double] = []
            for step in 0..<14 {
                nodes = parents.indices.map {
                    PrefixNode(
                        parent: .node(parents[$0]), token: ($0 * 7 + step) % 100, needsOutput: true)
                }
                let start = ContinuousClock.now
                parents = Array(try decoder.extend(nodes))
                whole.append((ContinuousClock.now - start) / .seconds(1))
                kernel.append(decoder.lastKernelSeconds)
            }
            // The first ones make room.
            return CallSpeed(
                precision: precision.rawValue, blocks: blocks, rows: rows, pathLength: 65,
                seconds: whole.dropFirst(4).sorted()[5],
                kernelSeconds: kernel.dropFirst(4).sorted()[5])
        }
    }
}
