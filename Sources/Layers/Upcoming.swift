import CKernels
package import Tensors

/// Memory that is wanted soon: a product brings it nearer while it computes.
///
/// Activations were written a whole pass ago and have left the processor's caches. A product uses
/// little of the memory's bandwidth, so what follows it can arrive meanwhile.
package struct Upcoming {
    private var kernel = tt_upcoming()

    /// Up to three matrices, in the order in which they are wanted.
    package init(_ first: Matrix, _ second: Matrix? = nil, _ third: Matrix? = nil) {
        kernel.regions.0 = Self.region(first)
        if let second { kernel.regions.1 = Self.region(second) }
        if let third { kernel.regions.2 = Self.region(third) }
    }

    private static func region(_ matrix: Matrix) -> tt_region {
        tt_region(
            base: matrix.base, rows: matrix.rows, width: matrix.columns, stride: matrix.stride)
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
