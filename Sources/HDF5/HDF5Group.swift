import CHDF5

/// A group of an HDF5 file: named datasets, further groups, and attributes.
///
/// Members are named by their path within the group, such as `metadata/algorithm`.
public final class HDF5Group: Sendable {
    /// The file's path, for messages.
    public let file: String
    /// The group's path within the file, empty for the root.
    public let path: String
    let handle: HDF5Handle
    /// How far links may lead.
    let access: HDF5LinkAccess

    init(_ handle: HDF5Handle, file: String, path: String, access: HDF5LinkAccess) {
        self.handle = handle
        self.file = file
        self.path = path
        self.access = access
    }

    /// The path within the file of a member.
    func key(_ name: String) -> String { path.isEmpty ? name : "\(path)/\(name)" }

    func failure(_ code: HDF5Error.Code, _ name: String?, _ detail: String) -> HDF5Error {
        HDF5Error(
            code: code, file: file, key: name.map(key) ?? (path.isEmpty ? nil : path),
            detail: detail)
    }

    // MARK: - Reading

    /// The names of the direct members, sorted.
    ///
    /// - Throws: ``HDF5Error`` when the group is damaged.
    public func members() throws(HDF5Error) -> [String] {
        try HDF5Library.locked { () throws(HDF5Error) in
            var info = H5G_info_t()
            guard HDF5Library.succeeded(H5Gget_info(handle.id, &info)) else {
                throw failure(.malformed, nil, "it cannot be listed\(HDF5Library.reason())")
            }
            var names: [String] = []
            for index in 0..<info.nlinks {
                func name(_ buffer: UnsafeMutablePointer<CChar>?, _ size: Int) -> Int {
                    H5Lget_name_by_idx(
                        handle.id, ".", H5_INDEX_NAME, H5_ITER_INC, index, buffer, size,
                        access.id)
                }
                let length = name(nil, 0)
                guard length >= 0 else {
                    throw failure(.malformed, nil, "it cannot be listed\(HDF5Library.reason())")
                }
                var buffer = [CChar](repeating: 0, count: length + 1)
                _ = name(&buffer, length + 1)
                names.append(
                    String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self))
            }
            return names
        }
    }

    /// Whether there is a member of this name; one that lies in another file counts, though it may
    /// be refused when it is opened.
    public func contains(_ name: String) -> Bool {
        HDF5Library.locked {
            HDF5LinkAccess.refused = nil
            // The library answers only about the last part of a path whose others exist.
            var prefix = ""
            for part in name.split(separator: "/") {
                prefix += prefix.isEmpty ? "\(part)" : "/\(part)"
                if H5Lexists(handle.id, prefix, access.id) <= 0 {
                    return HDF5LinkAccess.refused != nil
                }
            }
            guard !prefix.isEmpty else { return false }
            return H5Oexists_by_name(handle.id, prefix, access.id) > 0
                || HDF5LinkAccess.refused != nil
        }
    }

    /// Whether there is a group of this name, rather than a dataset or nothing.
    public func containsGroup(_ name: String) -> Bool {
        HDF5Library.locked {
            guard contains(name),
                let object = HDF5Handle(H5Oopen(handle.id, name, access.id), H5Oclose)
            else { return false }
            return H5Iget_type(object.id) == H5I_GROUP
        }
    }

    /// A group within this one.
    ///
    /// - Throws: ``HDF5Error`` when there is none of this name.
    public func group(_ name: String) throws(HDF5Error) -> HDF5Group {
        HDF5Group(
            try open(name, H5I_GROUP, "group"), file: file, path: key(name), access: access)
    }

    /// A dataset within this group.
    ///
    /// - Throws: ``HDF5Error`` when there is none of this name, it is damaged, or its data lie in
    ///   another file, which was not allowed.
    public func dataset(_ name: String) throws(HDF5Error) -> HDF5Dataset {
        let handle = try open(name, H5I_DATASET, "dataset")
        if !access.followsExternal { try requireOwnData(handle, key(name)) }
        let dataset = try HDF5Dataset(handle, file: file, path: key(name))
        try HDF5Dataset.requireSources(
            handle, count: dataset.count, file: file, path: dataset.path)
        return dataset
    }

    /// Which object of the file this is, the same for all names of a group; nil where that cannot
    /// be told.
    package var address: Int64? {
        HDF5Library.locked {
            let address = chdf5_address(handle.id)
            return address < 0 ? nil : address
        }
    }

    func open(_ name: String, _ type: H5I_type_t, _ what: String) throws(HDF5Error) -> HDF5Handle {
        try HDF5Library.locked { () throws(HDF5Error) in
            guard contains(name) else {
                throw failure(.missing, name, "there is no such \(what)")
            }
            if let other = HDF5LinkAccess.refused { throw external(name, "a link to '\(other)'") }
            guard let handle = HDF5Handle(H5Oopen(handle.id, name, access.id), H5Oclose) else {
                throw failure(.malformed, name, HDF5Library.problem())
            }
            guard H5Iget_type(handle.id) == type else {
                throw failure(.missing, name, "it is not a \(what)")
            }
            return handle
        }
    }

    // MARK: - Attributes

    /// The names and texts of the string attributes; others are left out.
    ///
    /// - Throws: ``HDF5Error`` when an attribute is damaged.
    public func stringAttributes() throws(HDF5Error) -> [String: String] {
        try HDF5Library.locked { () throws(HDF5Error) in
            var texts: [String: String] = [:]
            let count = H5Aget_num_attrs(handle.id)
            for index in 0..<max(0, count) {
                let id = H5Aopen_by_idx(
                    handle.id, ".", H5_INDEX_NAME, H5_ITER_INC, hsize_t(index), chdf5_default(),
                    chdf5_default())
                guard let attribute = HDF5Handle(id, H5Aclose) else {
                    throw failure(
                        .malformed, nil, "an attribute is damaged\(HDF5Library.reason())")
                }
                var name = [CChar](repeating: 0, count: 256)
                let length = min(H5Aget_name(attribute.id, name.count, &name), name.count - 1)
                guard length >= 0 else { continue }
                let bytes = name[..<length].map(UInt8.init(bitPattern:))
                texts[String(decoding: bytes, as: UTF8.self)] = try text(of: attribute)
            }
            return texts
        }
    }

    /// The value of an attribute that is one integer; nil where there is none of this name and
    /// kind.
    public func integerAttribute(_ name: String) -> Int? {
        HDF5Library.locked {
            guard H5Aexists(handle.id, name) > 0,
                let attribute = HDF5Handle(H5Aopen(handle.id, name, chdf5_default()), H5Aclose),
                let type = HDF5Handle(H5Aget_type(attribute.id), H5Tclose),
                let space = HDF5Handle(H5Aget_space(attribute.id), H5Sclose),
                H5Tget_class(type.id) == H5T_INTEGER, H5Sget_simple_extent_npoints(space.id) == 1
            else { return nil }
            var value: Int64 = 0
            guard HDF5Library.succeeded(H5Aread(attribute.id, chdf5_native_int64(), &value)) else {
                return nil
            }
            return Int(value)
        }
    }

    private func text(of attribute: HDF5Handle) throws(HDF5Error) -> String? {
        guard let type = HDF5Handle(H5Aget_type(attribute.id), H5Tclose),
            let space = HDF5Handle(H5Aget_space(attribute.id), H5Sclose)
        else { throw failure(.malformed, nil, "an attribute is damaged\(HDF5Library.reason())") }
        guard H5Tget_class(type.id) == H5T_STRING, H5Sget_simple_extent_npoints(space.id) == 1
        else { return nil }
        if H5Tis_variable_str(type.id) > 0 {
            var pointer: UnsafeMutablePointer<CChar>?
            guard HDF5Library.succeeded(H5Aread(attribute.id, type.id, &pointer)) else {
                throw failure(.malformed, nil, "an attribute is damaged\(HDF5Library.reason())")
            }
            defer { H5free_memory(pointer) }
            return pointer.map { String(cString: $0) } ?? ""
        }
        // Attributes lie in an object's header, whose size 16 bits hold.
        let size = H5Tget_size(type.id)
        guard 0 < size, size <= 1 << 16 else { return nil }
        var bytes = [UInt8](repeating: 0, count: size)
        guard HDF5Library.succeeded(H5Aread(attribute.id, type.id, &bytes)) else {
            throw failure(.malformed, nil, "an attribute is damaged\(HDF5Library.reason())")
        }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
