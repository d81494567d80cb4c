import Bounds
import CHDF5
import Foundation

extension HDF5Dataset {
    /// Refuses a virtual dataset with a source that is not there, or smaller than the part it
    /// stands for: the library would read zeros in its place, without a word.
    ///
    /// - Parameters:
    ///   - handle: The dataset.
    ///   - count: Its elements.
    ///   - file: The file's path.
    ///   - path: The dataset's path within the file.
    /// - Throws: ``HDF5Error`` that names the source.
    static func requireSources(
        _ handle: HDF5Handle, count: Int, file: String, path: String
    ) throws(HDF5Error) {
        let problem = HDF5Library.locked { () -> String? in
            guard let creation = HDF5Handle(H5Dget_create_plist(handle.id), H5Pclose),
                H5Pget_layout(creation.id) == H5D_VIRTUAL
            else { return nil }
            var mappings = 0
            guard H5Pget_virtual_count(creation.id, &mappings) >= 0 else {
                return "its parts cannot be listed"
            }
            var covered = 0
            for index in 0..<mappings {
                let mapping = VirtualMapping(creation, index)
                if let problem = mapping.problem(in: handle, file: file) { return problem }
                covered += mapping.count
            }
            return covered < count
                ? "its sources fill \(covered) of its \(count) elements" : nil
        }
        guard let problem else { return }
        throw HDF5Error(
            code: .malformed, file: file, key: path,
            detail: "it is virtual, and \(problem): the rest would be read as 0; put the source "
                + "where it was, or copy the data into a plain dataset")
    }
}

/// A part of a virtual dataset, and the one that it stands for.
private struct VirtualMapping {
    let sourceFile: String
    let sourceDataset: String
    /// Elements of the virtual dataset; 0 where their number is not fixed.
    let count: Int
    private let sourceSpace: HDF5Handle?

    init(_ creation: HDF5Handle, _ index: Int) {
        func text(_ body: (UnsafeMutablePointer<CChar>?, Int) -> Int) -> String {
            let length = max(0, body(nil, 0))
            var buffer = [CChar](repeating: 0, count: length + 1)
            _ = body(&buffer, length + 1)
            return String(
                decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        sourceFile = text { H5Pget_virtual_filename(creation.id, index, $0, $1) }
        sourceDataset = text { H5Pget_virtual_dsetname(creation.id, index, $0, $1) }
        sourceSpace = HDF5Handle(H5Pget_virtual_srcspace(creation.id, index), H5Sclose)
        let space = HDF5Handle(H5Pget_virtual_vspace(creation.id, index), H5Sclose)
        count = space.map { max(0, Int(clamping: H5Sget_select_npoints($0.id))) } ?? 0
    }

    /// What is wrong with the source, or nil.
    func problem(in dataset: HDF5Handle, file: String) -> String? {
        let place = "'\(sourceDataset)' of '\(sourceFile)'"
        guard let container = container(of: dataset, file: file) else {
            return "its source \(place) is in a file that is missing"
        }
        guard
            let source = HDF5Handle(
                H5Dopen2(container.id, sourceDataset, chdf5_default()), H5Dclose),
            let space = HDF5Handle(H5Dget_space(source.id), H5Sclose)
        else { return "its source \(place) is missing" }
        let rank = Int(max(0, H5Sget_simple_extent_ndims(space.id)))
        var extents = [hsize_t](repeating: 0, count: rank)
        var (start, end) = (extents, extents)
        if let sourceSpace, H5Sget_select_type(sourceSpace.id) == H5S_SEL_ALL, count > 0,
            H5Sget_simple_extent_dims(space.id, &extents, nil) >= 0
        {
            // The whole of it, whose extents the mapping does not repeat.
            let present = extents.reduce(1) { Int.saturating($0, times: Int(clamping: $1)) }
            return present >= count
                ? nil : "its source \(place) has the shape \(extents), too small"
        }
        guard let sourceSpace, Int(H5Sget_simple_extent_ndims(sourceSpace.id)) == rank,
            H5Sget_simple_extent_dims(space.id, &extents, nil) >= 0,
            H5Sget_select_bounds(sourceSpace.id, &start, &end) >= 0, count > 0
        else { return "how much of its source \(place) it takes is not fixed" }
        return zip(end, extents).allSatisfy(<)
            ? nil : "its source \(place) has the shape \(extents), too small"
    }

    /// The file of the source: the dataset's own, or one found as the library finds it.
    private func container(of dataset: HDF5Handle, file: String) -> HDF5Handle? {
        if sourceFile == "." { return HDF5Handle(H5Iget_file_id(dataset.id), H5Fclose) }
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        let places = [
            sourceFile, folder.appendingPathComponent(sourceFile).path,
            folder.appendingPathComponent(URL(fileURLWithPath: sourceFile).lastPathComponent).path,
        ]
        return places.first(where: FileManager.default.fileExists).flatMap {
            HDF5Handle(H5Fopen($0, chdf5_read_only(), chdf5_default()), H5Fclose)
        }
    }
}
