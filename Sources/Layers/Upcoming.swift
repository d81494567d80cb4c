internal import CKernels
package import Tensors

/// Memory that is wanted soon: a product brings it nearer while it computes.
///
/// Activations were written a whole pass ago and have left the processor's caches. A product uses
/// little of the memory's bandwidth, so what follows it can arrive meanwhile.
package struct Upcoming {
    private var kernel = tt_upcoming()

    /// Whole rows of up to four matrices, gaps included.
    package init(_ first: Matrix, _ others: Matrix...) {
        kernel.base.0 = UnsafePointer(first.base)
        kernel.count.0 = first.rows * first.stride
        if others.count > 0 {
            kernel.base.1 = UnsafePointer(others[0].base)
            kernel.count.1 = others[0].rows * others[0].stride
        }
        if others.count > 1 {
            kernel.base.2 = UnsafePointer(others[1].base)
            kernel.count.2 = others[1].rows * others[1].stride
        }
        if others.count > 2 {
            kernel.base.3 = UnsafePointer(others[2].base)
            kernel.count.3 = others[2].rows * others[2].stride
        }
    }

    /// Lends the list to a kernel.
    static func lend(_ upcoming: Upcoming?, _ body: (UnsafePointer<tt_upcoming>?) -> Void) {
        if let upcoming {
            withUnsafePointer(to: upcoming.kernel) { body($0) }
        } else {
            body(nil)
        }
    }
}
