import CHDF5

/// How far the links of a file may lead: within it, or to other files as well.
final class HDF5LinkAccess: Sendable {
    /// Whether links, raw data and virtual datasets may lead to other files.
    let followsExternal: Bool
    private let list: HDF5Handle?

    /// The property list for calls that follow links.
    var id: hid_t { list?.id ?? chdf5_default() }

    /// The file to which the last refused link leads; to be asked inside the library's lock.
    static var refused: String? {
        get { HDF5Library.note("HDF5 refused link") }
        set { HDF5Library.setNote("HDF5 refused link", newValue) }
    }

    init(followsExternal: Bool) {
        self.followsExternal = followsExternal
        list =
            followsExternal
            ? nil
            : HDF5Library.locked {
                let list = HDF5Handle(H5Pcreate(chdf5_link_access()), H5Pclose)
                // Called for every link to another file, also for one behind a soft link.
                if let list {
                    H5Pset_elink_cb(
                        list.id,
                        { _, _, file, _, _, _, _ in
                            HDF5LinkAccess.refused = file.map { String(cString: $0) } ?? "a file"
                            return -1
                        }, nil)
                }
                return list
            }
    }
}

extension HDF5Group {
    /// Virtual datasets of virtual datasets that are followed to see whether all lie in the file.
    private static let mostVirtualLevels = 8
    /// Parts of a virtual dataset that are looked at.
    private static let mostVirtualParts = 100_000

    /// Refuses a dataset whose elements lie in another file.
    ///
    /// - Throws: ``HDF5Error`` naming the other file.
    func requireOwnData(_ dataset: HDF5Handle, _ key: String, level: Int = 0) throws(HDF5Error) {
        try HDF5Library.locked { () throws(HDF5Error) in
            guard let creation = HDF5Handle(H5Dget_create_plist(dataset.id), H5Pclose) else {
                throw failure(.malformed, nil, "'\(key)' is damaged\(HDF5Library.reason())")
            }
            if H5Pget_external_count(creation.id) > 0 {
                var name = [CChar](repeating: 0, count: 4096)
                H5Pget_external(creation.id, 0, name.count - 1, &name, nil, nil)
                throw external(key, "in '\(HDF5Group.text(name))'", isKey: true)
            }
            guard H5Pget_layout(creation.id) == H5D_VIRTUAL else { return }
            var count = 0
            guard H5Pget_virtual_count(creation.id, &count) >= 0,
                count <= HDF5Group.mostVirtualParts, level < HDF5Group.mostVirtualLevels
            else {
                throw failure(.malformed, nil, "'\(key)' has too many virtual parts")
            }
            for part in 0..<count { try requireOwnPart(part, of: creation, key, level) }
        }
    }

    /// Refuses part `part` of a virtual dataset if it lies in another file.
    private func requireOwnPart(
        _ part: Int, of creation: HDF5Handle, _ key: String, _ level: Int
    ) throws(HDF5Error) {
        func name(
            _ read: (hid_t, Int, UnsafeMutablePointer<CChar>?, Int) -> Int
        ) -> String {
            var buffer = [CChar](repeating: 0, count: 4096)
            return read(creation.id, part, &buffer, buffer.count) >= 0
                ? HDF5Group.text(buffer) : "?"
        }
        let other = name(H5Pget_virtual_filename)
        let source = name(H5Pget_virtual_dsetname)
        // Its own name is what h5py wrote before it wrote a dot.
        let own = file.split(separator: "/").last.map(String.init)
        guard other == "." || other == own, !other.contains("%") else {
            throw external(key, "in '\(other)'", isKey: true)
        }
        guard !source.contains("%") else { throw external(key, "under '\(source)'", isKey: true) }
        // One that is missing is not another file's.
        guard
            let root = HDF5Handle(H5Oopen(handle.id, "/", access.id), H5Oclose)
                .map({ HDF5Group($0, file: file, path: "", access: access) }),
            root.contains(source)
        else { return }
        let handle = try root.open(source, H5I_DATASET, "dataset")
        try requireOwnData(handle, root.key(source), level: level + 1)
    }

    /// The error about data that lie in another file.
    func external(_ name: String, _ place: String, isKey: Bool = false) -> HDF5Error {
        HDF5Error(
            code: .external, file: file, key: isKey ? name : key(name),
            detail: "its data lie outside this file: \(place); a file can so name any file that "
                + "you may read, so it is followed only where that is asked for")
    }

    private static func text(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
