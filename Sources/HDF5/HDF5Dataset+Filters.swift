import CHDF5

extension HDF5Dataset {
    /// Names of filters that others register with the HDF Group, by their number.
    private static let names: [Int32: String] = [
        305: "LZO", 307: "bzip2", 32000: "LZF", 32001: "Blosc", 32004: "LZ4",
        32008: "Bitshuffle", 32013: "ZFP", 32015: "Zstandard", 32017: "SZ", 32026: "Blosc2",
    ]

    /// What cannot be undone of how the elements were compressed, or nil.
    ///
    /// To be called with the library's lock.
    static func foreignFilter(of handle: HDF5Handle) -> String? {
        guard let creation = HDF5Handle(H5Dget_create_plist(handle.id), H5Pclose) else {
            return nil
        }
        for index in 0..<max(0, H5Pget_nfilters(creation.id)) {
            var (flags, configuration): (UInt32, UInt32) = (0, 0)
            var valueCount = 0
            var name = [CChar](repeating: 0, count: 64)
            let filter = H5Pget_filter2(
                creation.id, UInt32(index), &flags, &valueCount, nil, name.count, &name,
                &configuration)
            guard filter > 0, H5Zfilter_avail(filter) <= 0 else { continue }
            return "it is compressed by \(names[filter] ?? "a filter") (number \(filter)), which "
                + "is not part of HDF5; write it with gzip, such as h5repack -f GZIP=4 does where "
                + "the filter is installed"
        }
        return nil
    }
}

extension HDF5Library {
    /// What to say of something that cannot be read for the last failure: that it is damaged, or
    /// that it is newer than the library.
    static func problem(_ damage: String = "it is damaged") -> String {
        let reason = reason()
        guard reason.contains("version number") || reason.contains("bad version") else {
            return damage + reason
        }
        var (major, minor, release): (UInt32, UInt32, UInt32) = (0, 0, 0)
        H5get_libversion(&major, &minor, &release)
        return "it is in a newer version of the format than HDF5 \(major).\(minor) reads; write it "
            + "again for version 1.10 (h5py: libver='v110')\(reason)"
    }
}
