import CKernels
package import Tensors

/// Attention of single queries over the keys and values on their paths through a prefix tree.
///
/// Queries that share a prefix read the same keys and values, which therefore stay in the cache.
package enum PathAttention {
    /// Writes one result for each row of `queries`.
    ///
    /// Query q reads the nodes path[offset[q]] ..< path[offset[q + 1]], from the root on; node n
    /// keeps its key at `keysValues` + 2Cn and its value right behind. Shapes: queries, output R ×
    /// C. `scratch` holds ``scratchCount(longest:width:heads:)`` numbers for the longest path.
    package static func forward(
        queries: Matrix, keysValues: UnsafePointer<Float>, path: UnsafePointer<Int32>,
        offset: UnsafePointer<Int>, longest: Int, heads: Int,
        scratch: UnsafeMutablePointer<Float>, output: Matrix
    ) {
        precondition(output.isContiguous, "results of path attention lie without gaps")
        tt_path_attention(
            output.base, queries.base, keysValues, path, offset, scratch, longest, queries.rows,
            queries.stride, output.columns, heads)
    }

    /// Numbers of scratch for paths of up to `longest` nodes.
    package static func scratchCount(longest: Int, width: Int, heads: Int) -> Int {
        tt_path_attention_scratch(longest, width, heads)
    }
}
