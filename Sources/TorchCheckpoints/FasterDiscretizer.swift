public import Foundation
public import PythonFiles
public import Tokenization

/// The bins of a Faster Trajectory Transformer, as its `discretizer.pt` keeps them.
///
/// There a value x falls into the bin after as many inner and upper edges as are not above
/// x + 10⁻⁸ + 10⁻⁵ |x|. The edges are moved by that much, so that the tokens are the same to the
/// last; a bin's centre then differs from theirs by a hundred-thousandth.
public enum FasterDiscretizer {
    /// The class that pickles name.
    private static let className = PickleName(
        "trajectory.utils.discretization", "KBinsDiscretizer")

    /// Reads a file.
    ///
    /// - Throws: `PythonFileError` when it is missing, damaged, or holds no such discretizer.
    public static func read(_ url: URL) throws(PythonFileError) -> Discretizer {
        try read(TorchFile(contentsOf: url))
    }

    /// Takes the discretizer out of a file.
    ///
    /// - Throws: As ``read(_:)-(URL)``.
    public static func read(_ file: TorchFile) throws(PythonFileError) -> Discretizer {
        let pickle = file.pickle
        guard let object = pickle.object(pickle.root), object.class == className else {
            throw PythonFileError(
                .foreign, file: file.name,
                "it holds no discretizer of the Faster Trajectory Transformer; give its "
                    + "discretizer.pt")
        }
        guard let place = object.attributes["bin_edges"] else {
            throw PythonFileError(
                .malformed, file: file.name, part: "bin_edges", "there are no edges in it")
        }
        let array = try pickle.array(place)
        guard array.shape.count == 2, array.shape[0] > 0, array.shape[1] > 1 else {
            throw PythonFileError(
                .mismatch, file: file.name, part: "bin_edges",
                "expected the shape [dimensions, bins + 1], found \(array.shape)")
        }
        let (dimension, count) = (array.shape[0], array.shape[1])
        let values = array.doubles()
        guard values.allSatisfy(\.isFinite) else {
            throw PythonFileError(
                .malformed, file: file.name, part: "bin_edges", "an edge is NaN or infinite")
        }
        var edges: [Double] = []
        edges.reserveCapacity(values.count)
        for edge in 0..<count {
            for column in 0..<dimension {
                edges.append(lowestValue(reaching: values[column * count + edge]))
            }
        }
        do {
            // The strategy by which values find their bins is the same for bins of both kinds.
            return try Discretizer(
                strategy: .quantile, validating: edges, dimension: dimension, binCount: count - 1)
        } catch {
            throw PythonFileError(.malformed, file: file.name, part: "bin_edges", error.detail)
        }
    }

    /// What the edge is compared with.
    private static func moved(_ value: Double) -> Double {
        value + (1e-8 + 1e-5 * value.magnitude)
    }

    /// The smallest value that counts as not below an edge.
    static func lowestValue(reaching edge: Double) -> Double {
        var value = (edge - 1e-8) / (edge >= 1e-8 ? 1 + 1e-5 : 1 - 1e-5)
        // Rounding leaves it a few steps off.
        for _ in 0..<64 where moved(value) < edge { value = value.nextUp }
        for _ in 0..<64 where moved(value.nextDown) >= edge { value = value.nextDown }
        return value
    }
}
