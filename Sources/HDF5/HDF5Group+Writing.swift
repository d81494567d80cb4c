import CHDF5

/// How a new dataset lies in its file.
public enum HDF5Storage: Sendable, Hashable {
    /// In one piece.
    case contiguous
    /// In pieces of a few hundred kilobytes, compressed by gzip at a level of 1 to 9 if given.
    case chunked(gzipLevel: Int?)
}

extension HDF5Group {
    /// Adds a group.
    ///
    /// - Returns: The new group.
    /// - Throws: ``HDF5Error`` when the name is taken or the file cannot be written.
    @discardableResult
    public func createGroup(_ name: String) throws(HDF5Error) -> HDF5Group {
        let group = HDF5Library.locked {
            HDF5Handle(
                H5Gcreate2(handle.id, name, chdf5_default(), chdf5_default(), chdf5_default()),
                H5Gclose)
        }
        guard let group else {
            throw failure(.unwritable, name, "the group cannot be made\(HDF5Library.reason())")
        }
        return HDF5Group(group, file: file, path: key(name), access: access)
    }

    /// Adds a dataset of single-precision numbers, row-major.
    ///
    /// - Throws: ``HDF5Error`` when the name is taken or the file cannot be written.
    public func write(
        _ name: String, _ values: [Float], shape: [Int], storage: HDF5Storage = .contiguous
    ) throws(HDF5Error) {
        try write(name, values, shape, storage, chdf5_native_float(), chdf5_file_float())
    }

    /// Adds a dataset of double-precision numbers, row-major.
    ///
    /// - Throws: ``HDF5Error`` when the name is taken or the file cannot be written.
    public func write(
        _ name: String, _ values: [Double], shape: [Int], storage: HDF5Storage = .contiguous
    ) throws(HDF5Error) {
        try write(name, values, shape, storage, chdf5_native_double(), chdf5_file_double())
    }

    /// Adds a dataset of 64-bit integers, row-major.
    ///
    /// - Throws: ``HDF5Error`` when the name is taken or the file cannot be written.
    public func write(
        _ name: String, _ values: [Int64], shape: [Int], storage: HDF5Storage = .contiguous
    ) throws(HDF5Error) {
        try write(name, values, shape, storage, chdf5_native_int64(), chdf5_file_int64())
    }

    /// Adds a dataset of truth values, row-major, as h5py writes them.
    ///
    /// - Throws: ``HDF5Error`` when the name is taken or the file cannot be written.
    public func write(
        _ name: String, _ values: [Bool], shape: [Int], storage: HDF5Storage = .contiguous
    ) throws(HDF5Error) {
        let type = HDF5Library.locked { () -> HDF5Handle? in
            let type = HDF5Handle(H5Tenum_create(chdf5_file_int8()), H5Tclose)
            for (value, name) in ["FALSE", "TRUE"].enumerated() {
                var value = Int8(value)
                guard let type, HDF5Library.succeeded(H5Tenum_insert(type.id, name, &value)) else {
                    return nil
                }
            }
            return type
        }
        guard let type else {
            throw failure(.unwritable, name, "its type cannot be made\(HDF5Library.reason())")
        }
        try write(name, values.map { $0 ? Int8(1) : 0 }, shape, storage, type.id, type.id)
    }

    /// Adds a text as a dataset without dimensions, of fixed length, as h5py writes bytes.
    ///
    /// - Throws: ``HDF5Error`` when the name is taken or the file cannot be written.
    public func write(_ name: String, text: String) throws(HDF5Error) {
        let bytes = Array(text.utf8)
        let type = HDF5Library.locked { () -> HDF5Handle? in
            guard let type = HDF5Handle(H5Tcopy(chdf5_c_string()), H5Tclose),
                HDF5Library.succeeded(H5Tset_size(type.id, max(1, bytes.count))),
                HDF5Library.succeeded(H5Tset_strpad(type.id, H5T_STR_NULLPAD))
            else { return nil }
            return type
        }
        guard let type else {
            throw failure(.unwritable, name, "its type cannot be made\(HDF5Library.reason())")
        }
        try write(
            name, bytes.isEmpty ? [0] : bytes, elements: 1, [], .contiguous, type.id, type.id)
    }

    private func write<Element: BitwiseCopyable>(
        _ name: String, _ values: [Element], elements: Int? = nil, _ shape: [Int],
        _ storage: HDF5Storage, _ memoryType: hid_t, _ fileType: hid_t
    ) throws(HDF5Error) {
        precondition(
            shape.reduce(1, *) == elements ?? values.count,
            "\(values.count) elements do not fill the shape \(shape) of '\(key(name))'")
        let done = HDF5Library.locked { () -> Bool in
            let space =
                shape.isEmpty
                ? H5Screate(H5S_SCALAR)
                : H5Screate_simple(Int32(shape.count), shape.map(hsize_t.init), nil)
            let size = MemoryLayout<Element>.stride
            guard let space = HDF5Handle(space, H5Sclose),
                let creation = HDF5Handle(H5Pcreate(chdf5_dataset_create()), H5Pclose),
                // Without a time of creation the same content gives the same bytes.
                HDF5Library.succeeded(H5Pset_obj_track_times(creation.id, false)),
                HDF5Group.set(storage, of: creation.id, shape, elementSize: size),
                let dataset = HDF5Handle(
                    H5Dcreate2(
                        handle.id, name, fileType, space.id, chdf5_default(), creation.id,
                        chdf5_default()), H5Dclose)
            else { return false }
            return values.isEmpty
                || HDF5Library.succeeded(
                    H5Dwrite(
                        dataset.id, memoryType, chdf5_space_all(), chdf5_space_all(),
                        chdf5_default(), values))
        }
        guard done else {
            throw failure(.unwritable, name, "the dataset cannot be written\(HDF5Library.reason())")
        }
    }

    static func set(
        _ storage: HDF5Storage, of creation: hid_t, _ shape: [Int], elementSize: Int
    ) -> Bool {
        // Without elements there is nothing to divide, and chunks may not be empty.
        guard case .chunked(let level) = storage, shape.reduce(1, *) > 0, !shape.isEmpty else {
            return true
        }
        let rowSize = elementSize * shape.dropFirst().reduce(1, *)
        let rows = min(shape[0], max(1, (1 << 18) / rowSize))
        let chunk = [hsize_t(rows)] + shape.dropFirst().map(hsize_t.init)
        guard HDF5Library.succeeded(H5Pset_chunk(creation, Int32(chunk.count), chunk)) else {
            return false
        }
        guard let level else { return true }
        // Bytes of equal weight side by side compress better.
        return HDF5Library.succeeded(H5Pset_shuffle(creation))
            && HDF5Library.succeeded(H5Pset_deflate(creation, UInt32(max(1, min(level, 9)))))
    }

    /// Adds a string attribute to the group, in UTF-8.
    ///
    /// - Throws: ``HDF5Error`` when the name is taken or the file cannot be written.
    public func setAttribute(_ name: String, _ text: String) throws(HDF5Error) {
        let done = HDF5Library.locked { () -> Bool in
            guard let type = HDF5Handle(H5Tcopy(chdf5_c_string()), H5Tclose),
                HDF5Library.succeeded(H5Tset_size(type.id, chdf5_variable_length())),
                HDF5Library.succeeded(H5Tset_cset(type.id, H5T_CSET_UTF8)),
                let space = HDF5Handle(H5Screate(H5S_SCALAR), H5Sclose),
                let attribute = HDF5Handle(
                    H5Acreate2(
                        handle.id, name, type.id, space.id, chdf5_default(), chdf5_default()),
                    H5Aclose)
            else { return false }
            return text.withCString { pointer in
                var pointer: UnsafePointer<CChar>? = pointer
                return HDF5Library.succeeded(H5Awrite(attribute.id, type.id, &pointer))
            }
        }
        guard done else {
            throw failure(
                .unwritable, name, "the attribute cannot be written\(HDF5Library.reason())")
        }
    }

    /// Adds an attribute of one 64-bit integer to the group.
    ///
    /// - Throws: ``HDF5Error`` when the name is taken or the file cannot be written.
    public func setAttribute(_ name: String, _ value: Int) throws(HDF5Error) {
        let done = HDF5Library.locked { () -> Bool in
            guard let space = HDF5Handle(H5Screate(H5S_SCALAR), H5Sclose),
                let attribute = HDF5Handle(
                    H5Acreate2(
                        handle.id, name, chdf5_file_int64(), space.id, chdf5_default(),
                        chdf5_default()), H5Aclose)
            else { return false }
            var value = Int64(value)
            return HDF5Library.succeeded(H5Awrite(attribute.id, chdf5_native_int64(), &value))
        }
        guard done else {
            throw failure(
                .unwritable, name, "the attribute cannot be written\(HDF5Library.reason())")
        }
    }
}
