internal import CKernels
package import Tensors

/// Attention of single queries over the keys and values on their paths through a prefix tree.
///
/// Queries that share a prefix read the same keys and values, which therefore stay in the cache.
package enum PathAttention {
    /// Writes one result for each row of `queries`.
    ///
    /// Query q reads the nodes path[offset[q]] ..< path[offset[q + 1]]; node n keeps its key at
    /// `keysValues` + 2Cn and its value right behind. Shapes: queries, output R × C. `scratch` holds
    /// at least heads * (longest path + 8) numbers.
    package static func forward(
        queries: Matrix, keysValues: UnsafePointer<Float>, path: UnsafePointer<Int32>,
        offset: UnsafePointer<Int>, heads: Int, scratch: UnsafeMutablePointer<Float>,
        output: Matrix
    ) {
        tt_path_attention(
            output.base, queries.base, keysValues, path, offset, scratch, queries.rows,
            queries.stride, output.columns, heads)
    }
}
