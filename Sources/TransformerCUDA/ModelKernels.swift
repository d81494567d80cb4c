package import CUDA
import CUDAKernels
import Trajectories
package import Transformer

/// What fixes the kernels of a model: its shape and how products are computed.
package struct KernelShape: Sendable, Hashable {
    /// The model's shape.
    package var configuration: TransformerConfiguration
    /// Tokens in a window of a training batch.
    package var windowLength: Int
    /// How products are computed.
    package var precision: Precision

    /// A shape; the window is the model's context where not given.
    package init(
        _ configuration: TransformerConfiguration, windowLength: Int? = nil, precision: Precision
    ) {
        self.configuration = configuration
        self.windowLength = windowLength ?? configuration.contextLength
        self.precision = precision
    }

    /// Why the kernels cannot compute such a model, or nil.
    package var problem: String? {
        let width = configuration.embeddingWidth
        let head = width / max(configuration.headCount, 1)
        if width % 16 != 0 || width > 240 {
            return "its width is \(width); a card computes multiples of 16 up to 240"
        }
        if head % 8 != 0 || head & (head - 1) != 0 || head > 128 {
            return "its attention heads have \(head) channels; a card computes 8, 16, 32, 64 or 128"
        }
        return nil
    }

    /// The shape as macros of the kernels.
    package var defines: [String: String] {
        [
            "WIDTH": configuration.embeddingWidth, "HEADS": configuration.headCount,
            "LAYERS": configuration.layerCount, "VOCABULARY": configuration.vocabularySize,
            "DIMENSION": configuration.layout.transitionDimension,
            "CONTEXT": configuration.contextLength, "LENGTH": windowLength,
            "GOALS": configuration.goalDimension, "EXACT": precision == .exact ? 1 : 0,
        ].mapValues(String.init)
    }

    /// How many blocks share 16 rows of the decoder: as many as heads allow, where the architecture
    /// runs neighbouring blocks at once.
    package func decoderBlocks(architecture: String) -> Int {
        guard let number = Int(architecture.drop { !$0.isNumber }), number >= 90 else { return 1 }
        let (heads, width) = (configuration.headCount, configuration.embeddingWidth)
        return [8, 4, 2].first { heads % $0 == 0 && width / $0 % 16 == 0 } ?? 1
    }

    /// The decoder's kernels with `blocks` blocks of `warps` warps for 16 rows.
    package func decoderProgram(blocks: Int, warps: Int) -> KernelProgram {
        var program = program(["decoder.cu", "draw.cu"])
        program.defines["TOGETHER"] = String(blocks)
        program.defines["WARPS"] = String(warps)
        return program
    }

    /// The decoder's programs for an architecture: for few rows, and for many.
    package func decoderPrograms(architecture: String) -> [KernelProgram] {
        [
            decoderProgram(blocks: decoderBlocks(architecture: architecture), warps: 16),
            decoderProgram(blocks: 1, warps: 8),
        ]
    }

    /// The files `units` of the package's kernels for this shape.
    package func program(_ units: [String]) -> KernelProgram {
        KernelProgram(files: Self.sources, units: units, defines: defines)
    }

    private static let sources: [KernelProgram.File] = (0..<cuda_source_count()).map {
        let source = cuda_source_at($0)
        return KernelProgram.File(
            name: String(cString: source.name), text: String(cString: source.text))
    }
}
