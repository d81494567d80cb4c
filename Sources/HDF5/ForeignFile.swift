import Foundation

/// What a file is that is not HDF5, as its first bytes tell.
enum ForeignFile {
    private static let kinds: [(bytes: [UInt8], what: String, remedy: String)] = [
        (
            Array("version https://git-lfs".utf8), "a pointer of Git LFS rather than the file",
            "fetch the file with git lfs pull"
        ),
        ([0x1F, 0x8B], "compressed by gzip", "unpack it first"),
        ([0xFD] + Array("7zXZ".utf8), "compressed by xz", "unpack it first"),
        ([0x28, 0xB5, 0x2F, 0xFD], "compressed by zstd", "unpack it first"),
        (Array("BZh".utf8), "compressed by bzip2", "unpack it first"),
        ([0x93] + Array("NUMPY".utf8), "an array of NumPy (npy)", "write the arrays with h5py"),
        (Array("PAR1".utf8), "Parquet", "write the arrays with h5py"),
        (Array("ARROW1".utf8), "Arrow", "write the arrays with h5py"),
        ([0x93] + Array("TRJTOK\n".utf8), "a token file", "give the dataset that it was made from"),
        (Array("CDF".utf8), "NetCDF of the old format", "write the arrays with h5py"),
        (Array("MATLAB 5.0".utf8), "a MATLAB file of version 5", "save it with -v7.3"),
        ([0x0E, 0x03, 0x13, 0x01], "HDF4", "convert it with h4toh5"),
    ]

    /// What the file at `path`, which is not HDF5, seems to be, and what to do.
    static func detail(_ path: String) -> String {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            return "it cannot be opened; check its permissions"
        }
        defer { try? handle.close() }
        let bytes = [UInt8]((try? handle.read(upToCount: 512)) ?? Data())
        guard !bytes.isEmpty else { return "it is empty; fetch or write it again" }
        if let kind = kinds.first(where: { bytes.starts(with: $0.bytes) }) {
            return "it is \(kind.what), not HDF5; \(kind.remedy)"
        }
        if bytes.starts(with: Array("PK".utf8)) {
            return "it is a zip archive, not HDF5; unpack it first"
        }
        if bytes[0] == 0x80, (2...5).contains(bytes.dropFirst().first ?? 0) {
            return "it is a pickle of Python, not HDF5; write its arrays with h5py"
        }
        if bytes.dropFirst(257).starts(with: Array("ustar".utf8)) {
            return "it is a tar archive, not HDF5; unpack it first"
        }
        if bytes.dropFirst(8).starts(with: Array("{\"".utf8)) {
            return "it is a safetensors file, not HDF5; give the dataset"
        }
        let text = String(decoding: bytes, as: UTF8.self).lowercased()
            .trimmingPrefix(while: \.isWhitespace)
        if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") {
            return "it is a web page, not HDF5; fetch the file itself"
        }
        if text.hasPrefix("{") || text.hasPrefix("[") {
            return "it is JSON, not HDF5; write its arrays with h5py"
        }
        if bytes.allSatisfy({ $0 == 0 }) {
            return "it begins with zeros, as a file that was not written; fetch or write it again"
        }
        return "it is not an HDF5 file, or damaged; fetch or write it again"
    }
}
