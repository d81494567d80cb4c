import CUDA
import TransformerCUDA

/// The fastest that a card copies and multiplies.
struct DeviceCeilings: Encodable, CustomStringConvertible {
    /// Bytes read and written a second by a large copy.
    var bytesPerSecond: Double
    /// Operations a second of bfloat16 products (mma.sync) on registers alone.
    var bfloat16OperationsPerSecond: Double
    /// Operations a second of TF32 products.
    var tf32OperationsPerSecond: Double

    /// Measures a card.
    init(measuredOn device: Device) throws {
        let stream = try Stream(device)
        let count = 1 << 28
        let from = try Buffer<UInt32>(count: count, on: device)
        let to = try Buffer<UInt32>(count: count, on: device)
        try stream.fill(from, byte: 0x5a)
        let copy = try medianSeconds(stream, repeats: 9) {
            try stream.copy(from, count: count, to: to)
        }
        bytesPerSecond = 2 * Double(from.byteCount) / copy
        let kernels = try Kernels(Checks.measuring.program(["measure.cu"]), on: device)
        let blocks = 4 * device.multiprocessorCount
        let out = try Buffer<Float>(count: blocks * 256, on: device)
        func operations(_ name: String, each: Double) throws -> Double {
            let kernel = try kernels.kernel(name)
            let rounds = 4000
            let seconds = try medianSeconds(stream, repeats: 5) {
                try stream.launch(
                    kernel, grid: (blocks, 1), threads: 256, out, Int32(rounds))
            }
            return Double(blocks * 8 * 8 * rounds) * each / seconds
        }
        bfloat16OperationsPerSecond = try operations("speed_bf16", each: 4096)
        tf32OperationsPerSecond = try operations("speed_tf32", each: 2048)
    }

    var description: String {
        "ceilings: copy \((bytesPerSecond * 1e-12).digits(2)) TB/s, products "
            + "\((bfloat16OperationsPerSecond * 1e-12).digits(0)) TFLOP/s bfloat16, "
            + "\((tf32OperationsPerSecond * 1e-12).digits(0)) TFLOP/s TF32"
    }
}

/// The median time on the card of `body`'s work, after one run that does not count.
func medianSeconds(_ stream: Stream, repeats: Int, _ body: () throws -> Void) throws -> Double {
    var seconds: [Double] = []
    for index in 0...repeats {
        let (before, after) = (try Event(stream.device), try Event(stream.device))
        try stream.record(before)
        try body()
        try stream.record(after)
        let time = try after.seconds(since: before)
        if index > 0 { seconds.append(time) }
    }
    return seconds.sorted()[repeats / 2]
}
