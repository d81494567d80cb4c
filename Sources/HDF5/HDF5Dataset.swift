import CHDF5
import Foundation

/// A dataset of an HDF5 file: an array of numbers.
///
/// Reading converts: any integer or floating type to the one asked for, wherever no information
/// of the kind asked for can be lost.
public final class HDF5Dataset: Sendable {
    /// What the elements are.
    public enum ElementType: Sendable, Hashable {
        /// Floating-point numbers of this many bytes.
        case float(bytes: Int)
        /// Integers of this many bytes.
        case integer(bytes: Int, signed: Bool)
        /// Truth values: the enumeration of FALSE and TRUE that h5py writes, or a bit field.
        case boolean
        /// Something else, such as strings.
        case other(String)
    }

    /// The file's path, for messages.
    public let file: String
    /// The dataset's path within the file.
    public let path: String
    /// Extent of each dimension, outermost first; empty for a single element.
    public let shape: [Int]
    /// What the elements are.
    public let elementType: ElementType
    /// Number of elements.
    public let count: Int
    private let handle: HDF5Handle

    init(_ handle: HDF5Handle, file: String, path: String) throws(HDF5Error) {
        func damaged(_ detail: String = "it is damaged") -> HDF5Error {
            HDF5Error(
                code: .malformed, file: file, key: path, detail: HDF5Library.problem(detail))
        }
        let (shape, type, size) = try HDF5Library.locked { () throws(HDF5Error) in
            guard let space = HDF5Handle(H5Dget_space(handle.id), H5Sclose),
                let type = HDF5Handle(H5Dget_type(handle.id), H5Tclose)
            else { throw damaged() }
            let elementType = HDF5Dataset.elementType(type.id)
            let size = max(1, H5Tget_size(type.id))
            let rank = H5Sget_simple_extent_ndims(space.id)
            guard rank >= 0 else { throw damaged() }
            var extents = [hsize_t](repeating: 0, count: Int(rank))
            guard HDF5Library.succeeded(H5Sget_simple_extent_dims(space.id, &extents, nil)) else {
                throw damaged()
            }
            let isEmpty = H5Sget_simple_extent_type(space.id) == H5S_NULL
            return (isEmpty ? [0] : extents.map { Int(clamping: $0) }, elementType, size)
        }
        // A damaged file can claim any size, which must not become an allocation. Compression by
        // more than about 1030 is not possible with gzip.
        let (bytes, overflow) = shape.reduce((size, false)) { partial, extent in
            let (product, overflow) = partial.0.multipliedReportingOverflow(by: extent)
            return (product, partial.1 || overflow)
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        let fileSize = (attributes?[.size] as? NSNumber)?.intValue ?? 0
        let limit = max(1 << 26, fileSize.multipliedReportingOverflow(by: 1100).partialValue)
        guard !overflow, bytes <= limit else {
            throw damaged("it claims the shape \(shape), more than the file can hold")
        }
        self.handle = handle
        self.file = file
        self.path = path
        self.shape = shape
        self.elementType = type
        count = bytes / size
    }

    private static func elementType(_ type: hid_t) -> ElementType {
        let size = H5Tget_size(type)
        switch H5Tget_class(type) {
        case H5T_FLOAT: return .float(bytes: size)
        case H5T_INTEGER:
            return .integer(bytes: size, signed: H5Tget_sign(type) == H5T_SGN_2)
        case H5T_BITFIELD where size == 1: return .boolean
        case H5T_ENUM where size == 1 && H5Tget_nmembers(type) == 2:
            let names = ["FALSE", "TRUE"].enumerated().map { value, name in
                var found: UInt8 = .max
                return H5Tenum_valueof(type, name, &found) >= 0 && Int(found) == value
            }
            return names == [true, true] ? .boolean : .other("an enumeration")
        case H5T_ENUM: return .other("an enumeration")
        case H5T_STRING: return .other("strings")
        case H5T_COMPOUND: return .other("compounds")
        case H5T_VLEN:
            return .other("lists of any length, such as pictures compressed as JPEG are kept in")
        case H5T_REFERENCE: return .other("references")
        default: return .other("neither numbers nor strings")
        }
    }

    /// Rows of the first dimension that are stored, and decompressed, together; nil where the
    /// dataset lies in one piece.
    public var chunkRows: Int? {
        HDF5Library.locked {
            guard let creation = HDF5Handle(H5Dget_create_plist(handle.id), H5Pclose),
                !shape.isEmpty, H5Pget_layout(creation.id) == H5D_CHUNKED
            else { return nil }
            var extents = [hsize_t](repeating: 0, count: shape.count)
            guard H5Pget_chunk(creation.id, Int32(extents.count), &extents) > 0 else { return nil }
            return Int(clamping: extents[0])
        }
    }

    // MARK: - Reading

    /// The elements as single-precision numbers, row-major.
    ///
    /// - Parameter rows: Which rows of the first dimension; nil for all.
    /// - Returns: The elements of these rows.
    /// - Throws: ``HDF5Error`` when they are not numbers, there are no such rows, or the file is
    ///   damaged.
    public func floats(rows: Range<Int>? = nil) throws(HDF5Error) -> [Float] {
        try requireNumbers()
        return try read(chdf5_native_float(), rows)
    }

    /// The elements as double-precision numbers, row-major.
    ///
    /// - Parameter rows: Which rows of the first dimension; nil for all.
    /// - Returns: The elements of these rows.
    /// - Throws: ``HDF5Error`` when they are not numbers, there are no such rows, or the file is
    ///   damaged.
    public func doubles(rows: Range<Int>? = nil) throws(HDF5Error) -> [Double] {
        try requireNumbers()
        return try read(chdf5_native_double(), rows)
    }

    /// The elements as integers, row-major.
    ///
    /// - Parameter rows: Which rows of the first dimension; nil for all.
    /// - Returns: The elements of these rows.
    /// - Throws: ``HDF5Error`` when they are not integers, there are no such rows, or the file is
    ///   damaged.
    public func integers(rows: Range<Int>? = nil) throws(HDF5Error) -> [Int] {
        guard case .integer = elementType else { throw wrongType("integers") }
        return try (read(chdf5_native_int64(), rows) as [Int64]).map(Int.init)
    }

    /// The elements as truth values, row-major; of integers, all but 0 are true.
    ///
    /// - Parameter rows: Which rows of the first dimension; nil for all.
    /// - Returns: The elements of these rows.
    /// - Throws: ``HDF5Error`` when they are neither truth values nor integers, there are no such
    ///   rows, or the file is damaged.
    public func booleans(rows: Range<Int>? = nil) throws(HDF5Error) -> [Bool] {
        switch elementType {
        case .integer: return try integers(rows: rows).map { $0 != 0 }
        case .boolean:
            // The library converts no enumeration to a number; these are bytes and read as such.
            let type = HDF5Library.locked { HDF5Handle(H5Dget_type(handle.id), H5Tclose) }
            guard let type else { throw damaged() }
            return try (read(type.id, rows) as [UInt8]).map { $0 != 0 }
        default: throw wrongType("truth values")
        }
    }

    private func read<Element: BitwiseCopyable & ExpressibleByIntegerLiteral>(
        _ type: hid_t, _ rows: Range<Int>?
    )
        throws(HDF5Error) -> [Element]
    {
        let total = shape.first ?? 1
        let rows = rows ?? 0..<total
        guard 0 <= rows.lowerBound, rows.upperBound <= total, !shape.isEmpty || rows == 0..<1
        else {
            throw HDF5Error(
                code: .outOfBounds, file: file, key: path,
                detail: "rows \(rows.lowerBound)..<\(rows.upperBound) were asked for, it has "
                    + "\(total)")
        }
        let elements = total == 0 ? 0 : count / total * rows.count
        guard elements > 0 else { return [] }
        var result = [Element](repeating: 0, count: elements)
        let done = HDF5Library.locked { () -> Bool in
            guard rows != 0..<total else {
                return HDF5Library.succeeded(
                    H5Dread(
                        handle.id, type, chdf5_space_all(), chdf5_space_all(), chdf5_default(),
                        &result))
            }
            var start = [hsize_t](repeating: 0, count: shape.count)
            var extent = shape.map(hsize_t.init)
            start[0] = hsize_t(rows.lowerBound)
            extent[0] = hsize_t(rows.count)
            guard let space = HDF5Handle(H5Dget_space(handle.id), H5Sclose),
                HDF5Library.succeeded(
                    H5Sselect_hyperslab(space.id, H5S_SELECT_SET, start, nil, extent, nil)),
                let memory = HDF5Handle(H5Screate_simple(Int32(shape.count), extent, nil), H5Sclose)
            else { return false }
            return HDF5Library.succeeded(
                H5Dread(handle.id, type, memory.id, space.id, chdf5_default(), &result))
        }
        guard done else { throw damaged() }
        return result
    }

    private func requireNumbers() throws(HDF5Error) {
        switch elementType {
        case .float, .integer: break
        default: throw wrongType("numbers")
        }
    }

    private func damaged() -> HDF5Error {
        let reason = HDF5Library.problem(
            "its data are damaged or cut short; fetch or write the file again")
        let filter = HDF5Library.locked { HDF5Dataset.foreignFilter(of: handle) }
        return HDF5Error(code: .malformed, file: file, key: path, detail: filter ?? reason)
    }

    private func wrongType(_ wanted: String) -> HDF5Error {
        HDF5Error(
            code: .wrongType, file: file, key: path,
            detail: "expected \(wanted), found \(elementType)")
    }
}

extension HDF5Dataset.ElementType: CustomStringConvertible {
    /// The type in words, such as "32-bit floating-point numbers".
    public var description: String {
        switch self {
        case .float(let bytes): "\(8 * bytes)-bit floating-point numbers"
        case .integer(let bytes, let signed):
            "\(8 * bytes)-bit \(signed ? "integers" : "unsigned integers")"
        case .boolean: "truth values"
        case .other(let words): words
        }
    }
}
