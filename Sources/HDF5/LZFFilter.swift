import CHDF5
import Foundation

/// LZF, h5py's second way to compress, of which the library has none: files of it are read, not
/// written.
///
/// The format is LibLZF's (Marc Lehmann). A byte below 32 says how many bytes follow as they are,
/// less one. Any other begins a copy of what was written before: three bits of length, or seven
/// and a byte to add to it, then thirteen bits of distance.
enum LZFFilter {
    /// The number under which it is registered with the HDF Group.
    private static let number: H5Z_filter_t = 32000

    /// Makes the library know it, once; to be asked with the library's lock.
    static let isRegistered: Bool = {
        if H5Zfilter_avail(number) > 0 { return true }
        var description = H5Z_class2_t()
        description.version = H5Z_CLASS_T_VERS
        description.id = number
        description.encoder_present = 0
        description.decoder_present = 1
        description.filter = { flags, valueCount, values, count, size, buffer in
            guard flags & UInt32(H5Z_FLAG_REVERSE) != 0, let size, let buffer,
                let input = buffer.pointee
            else { return 0 }
            // h5py notes the bytes of a chunk as the third of its values.
            let noted = valueCount > 2 ? values.map { Int($0[2]) } ?? 0 : 0
            let bytes = UnsafeRawBufferPointer(start: UnsafeRawPointer(input), count: count)
            guard let output = LZFFilter.decompress(bytes, expecting: noted),
                let memory = H5allocate_memory(max(1, output.count), false)
            else { return 0 }
            output.withUnsafeBytes {
                guard let start = $0.baseAddress else { return }
                memory.copyMemory(from: start, byteCount: $0.count)
            }
            _ = H5free_memory(input)
            buffer.pointee = memory
            size.pointee = output.count
            return output.count
        }
        return H5Zregister(&description) >= 0
    }()

    /// The bytes that were compressed; nil where these are none of LZF's.
    ///
    /// Nothing is compressed to less than a 90th, so that no claim becomes an allocation.
    static func decompress(_ input: UnsafeRawBufferPointer, expecting size: Int) -> [UInt8]? {
        let most = 90 * input.count
        var output: [UInt8] = []
        output.reserveCapacity(min(size, most))
        var place = 0
        func next() -> Int? {
            guard place < input.count else { return nil }
            defer { place += 1 }
            return Int(input[place])
        }
        while let control = next() {
            guard control >= 32 else {
                let end = place + control + 1
                guard end <= input.count else { return nil }
                output.append(contentsOf: input[place..<end])
                place = end
                continue
            }
            var length = control >> 5
            if length == 7 {
                guard let more = next() else { return nil }
                length += more
            }
            guard let low = next() else { return nil }
            let start = output.count - (control & 31) << 8 - low - 1
            guard start >= 0, output.count + length + 2 <= most else { return nil }
            // What is copied may reach into what is being written.
            for index in start..<(start + length + 2) { output.append(output[index]) }
        }
        return output
    }
}
