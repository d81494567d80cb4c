import CHDF5

/// A new dataset of single-precision numbers whose rows arrive one block after the other.
public final class HDF5Appender {
    private let handle: HDF5Handle
    private let group: HDF5Group
    private let name: String
    private let shape: [Int]
    private var written = 0
    private var waiting: [Float] = []
    /// Numbers written at once: whole chunks, so that none is compressed twice.
    private let step: Int

    fileprivate init(
        _ handle: HDF5Handle, _ group: HDF5Group, _ name: String, _ shape: [Int], chunkRows: Int
    ) {
        (self.handle, self.group, self.name, self.shape) = (handle, group, name, shape)
        step = max(1, chunkRows) * max(1, shape.dropFirst().reduce(1, *))
    }

    private var width: Int { max(1, shape.dropFirst().reduce(1, *)) }

    /// Adds numbers, in the order of rows.
    ///
    /// - Throws: ``HDF5Error`` when they cannot be written.
    public func append(_ values: [Float]) throws(HDF5Error) {
        waiting += values
        guard waiting.count >= step else { return }
        try flush(waiting.count / step * step)
    }

    /// Writes what is left; all rows have arrived.
    ///
    /// - Throws: ``HDF5Error`` when it cannot be written.
    public func finish() throws(HDF5Error) {
        try flush(waiting.count)
        precondition(
            written == shape[0], "\(written) rows were added to '\(name)' of \(shape[0])")
    }

    private func flush(_ count: Int) throws(HDF5Error) {
        let rows = count / width
        guard rows > 0 else { return }
        precondition(written + rows <= shape[0], "too many rows were added to '\(name)'")
        let block = Array(waiting[..<(rows * width)])
        let done = HDF5Library.locked { () -> Bool in
            var start = [hsize_t](repeating: 0, count: shape.count)
            var extent = shape.map(hsize_t.init)
            (start[0], extent[0]) = (hsize_t(written), hsize_t(rows))
            guard let space = HDF5Handle(H5Dget_space(handle.id), H5Sclose),
                HDF5Library.succeeded(
                    H5Sselect_hyperslab(space.id, H5S_SELECT_SET, start, nil, extent, nil)),
                let memory = HDF5Handle(
                    H5Screate_simple(Int32(shape.count), extent, nil), H5Sclose)
            else { return false }
            return HDF5Library.succeeded(
                H5Dwrite(
                    handle.id, chdf5_native_float(), memory.id, space.id, chdf5_default(), block))
        }
        guard done else {
            throw group.failure(
                .unwritable, name, "the dataset cannot be written\(HDF5Library.reason())")
        }
        written += rows
        waiting.removeFirst(rows * width)
    }
}

extension HDF5Group {
    /// Adds a dataset of single-precision numbers whose rows follow.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - shape: Its extents; the first is the number of rows that will follow.
    ///   - storage: How it lies in the file.
    /// - Returns: Where the rows go.
    /// - Throws: ``HDF5Error`` when the name is taken or the file cannot be written.
    public func appender(
        _ name: String, shape: [Int], storage: HDF5Storage
    ) throws(HDF5Error) -> HDF5Appender {
        var chunkRows = 1 << 12
        let dataset = HDF5Library.locked { () -> HDF5Handle? in
            guard
                let space = HDF5Handle(
                    H5Screate_simple(Int32(shape.count), shape.map(hsize_t.init), nil), H5Sclose),
                let creation = HDF5Handle(H5Pcreate(chdf5_dataset_create()), H5Pclose),
                HDF5Library.succeeded(H5Pset_obj_track_times(creation.id, false)),
                HDF5Group.set(
                    storage, of: creation.id, shape, elementSize: MemoryLayout<Float>.stride)
            else { return nil }
            var extents = [hsize_t](repeating: 0, count: shape.count)
            if H5Pget_layout(creation.id) == H5D_CHUNKED,
                H5Pget_chunk(creation.id, Int32(extents.count), &extents) > 0
            {
                chunkRows = Int(extents[0])
            }
            return HDF5Handle(
                H5Dcreate2(
                    handle.id, name, chdf5_file_float(), space.id, chdf5_default(), creation.id,
                    chdf5_default()), H5Dclose)
        }
        guard let dataset else {
            throw failure(.unwritable, name, "the dataset cannot be made\(HDF5Library.reason())")
        }
        return HDF5Appender(dataset, self, name, shape, chunkRows: chunkRows)
    }
}
