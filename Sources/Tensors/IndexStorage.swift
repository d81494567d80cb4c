/// A fixed number of 32-bit integers at a fixed address, zero at first.
package final class IndexStorage: @unchecked Sendable {
    /// The first element.
    package let base: UnsafeMutablePointer<Int32>
    /// Number of elements.
    package let count: Int

    /// Allocates `count` zeros.
    package init(count: Int) {
        self.count = count
        base = UnsafeMutablePointer<Int32>.allocate(capacity: max(count, 1))
        base.initialize(repeating: 0, count: max(count, 1))
    }

    deinit {
        base.deallocate()
    }
}
