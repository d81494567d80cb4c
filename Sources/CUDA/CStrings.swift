/// Copies of strings as C wants them: an array of pointers, freed with the object.
final class CStrings {
    private let storage: UnsafeMutablePointer<UnsafePointer<CChar>?>
    private let buffers: [UnsafeMutableBufferPointer<CChar>]

    init(_ strings: [String]) {
        buffers = strings.map { string in
            let text = string.utf8CString
            let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: text.count)
            _ = buffer.initialize(from: text)
            return buffer
        }
        storage = .allocate(capacity: strings.count + 1)
        for (index, buffer) in buffers.enumerated() {
            (storage + index).initialize(to: buffer.baseAddress.map { UnsafePointer($0) })
        }
        (storage + strings.count).initialize(to: nil)
    }

    deinit {
        for buffer in buffers { buffer.deallocate() }
        storage.deallocate()
    }

    var count: Int32 { Int32(buffers.count) }
    var pointers: UnsafePointer<UnsafePointer<CChar>?> { UnsafePointer(storage) }
}
