public import Foundation

/// A file of PyTorch's `torch.save`: a pickle, and beside it the storages of its tensors.
///
/// Both containers are read: the zip archive (since PyTorch 1.6) and the one before it.
public struct TorchFile: Sendable {
    /// What the file is of.
    public let pickle: Pickle
    /// How many bytes the file has.
    public let size: Int
    private let storages: Storages

    private enum Storages: Sendable {
        /// An archive, and the folder within it.
        case archive(ZipArchive, folder: String)
        /// The whole file, and where in it the bytes of each storage are.
        case ranges(Data, [String: Range<Int>])
    }

    /// Name of the file, for messages.
    public var name: String { pickle.file }

    /// Opens a file.
    ///
    /// - Throws: ``PythonFileError`` when it is missing, no file of PyTorch's, or holds what is not
    ///   read here.
    public init(contentsOf url: URL) throws(PythonFileError) {
        try self.init(data: try Data(pythonFile: url), name: url.relativePath)
    }

    /// Reads the bytes of a file; `name` is used in messages.
    ///
    /// - Throws: As ``init(contentsOf:)``.
    public init(data: Data, name: String) throws(PythonFileError) {
        size = data.count
        if ZipArchive.isArchive(data.prefix(4)) {
            let archive = try ZipArchive(data: data, name: name)
            guard let entry = archive.entries.keys.filter({ $0.hasSuffix("/data.pkl") }).min()
            else {
                throw PythonFileError(
                    .foreign, file: name,
                    "it is a zip archive without 'data.pkl', so none of PyTorch's; give what "
                        + "torch.save wrote")
            }
            let folder = String(entry.dropLast("data.pkl".count))
            guard archive.entries["\(folder)constants.pkl"] == nil else {
                throw PythonFileError(
                    .foreign, file: name,
                    "it is a program of TorchScript; save the state alone (torch.save of "
                        + "state_dict())")
            }
            if archive.entries["\(folder)byteorder"] != nil,
                try archive.content(of: "\(folder)byteorder") != Data("little".utf8)
            {
                throw PythonFileError(
                    .foreign, file: name,
                    "it was written on a big-endian machine; save it on another")
            }
            pickle = try Pickle(try archive.content(of: entry), file: name)
            storages = .archive(archive, folder: folder)
            return
        }
        guard data.starts(with: TorchFile.magic) else {
            throw PythonFileError(
                .foreign, file: name,
                "it is not a file that torch.save wrote; give the state file")
        }
        (pickle, storages) = try TorchFile.legacy(data, name)
    }

    /// How a file before the zip archive begins: the pickle of a magic number.
    private static let magic = Data(
        [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E])

    /// Five pickles (magic number, version, system, object, names of storages), then the storages,
    /// each after its number of elements.
    private static func legacy(
        _ data: Data, _ name: String
    ) throws(PythonFileError) -> (Pickle, Storages) {
        func damaged(_ detail: String) -> PythonFileError {
            PythonFileError(.malformed, file: name, "\(detail); fetch or write it again")
        }
        var place = magic.count
        let version = try Pickle(data, at: place, file: name)
        guard version.integer(version.root) == 1001 else {
            throw damaged("its version is none that PyTorch wrote")
        }
        place += version.length
        let system = try Pickle(data, at: place, file: name)
        if let entries = system.dictionary(system.root), let order = entries["little_endian"],
            system.bool(order) == false
        {
            throw damaged("it was written on a big-endian machine")
        }
        place += system.length
        let object = try Pickle(data, at: place, file: name)
        place += object.length
        let names = try Pickle(data, at: place, file: name)
        place += names.length
        guard let keys = names.parts(names.root)?.compactMap(names.text) else {
            throw damaged("its list of storages is damaged")
        }
        let sizes = object.storageSizes
        var ranges: [String: Range<Int>] = [:]
        for key in keys {
            var reader = ByteReader(data, at: place)
            guard let count = try? reader.count(UInt64.self), let size = sizes[key],
                let bytes = try? reader.take(Int.saturatingProduct(count, size))
            else { throw damaged("it is cut short at the storage '\(key)'") }
            ranges[key] = (reader.position - bytes.count)..<reader.position
            place = reader.position
        }
        return (object, .ranges(data, ranges))
    }

    // MARK: - Tensors

    /// The tensors of the state that the file is of, by name; what else stands among them is left
    /// out.
    ///
    /// A dictionary that has the state as its entry `state_dict`, `model_state_dict`, `model` or
    /// `state` will do.
    ///
    /// - Throws: ``PythonFileError`` when the file is of something else.
    public func tensors() throws(PythonFileError) -> [String: TorchTensor] {
        guard let entries = pickle.dictionary(pickle.root) else {
            let what = pickle.object(pickle.root).map { "an object of \($0.class)" }
            throw PythonFileError(
                .foreign, file: name,
                "it holds \(what ?? "no dictionary of tensors"); save the state alone (torch.save "
                    + "of state_dict())")
        }
        let own = try tensors(entries)
        guard own.isEmpty else { return own }
        for key in ["state_dict", "model_state_dict", "model", "state"] {
            guard let inner = entries[key].flatMap(pickle.dictionary) else { continue }
            let found = try tensors(inner)
            if !found.isEmpty { return found }
        }
        throw PythonFileError(
            .foreign, file: name,
            "there are no tensors in it; save the state alone (torch.save of state_dict())")
    }

    private func tensors(
        _ entries: [String: Pickle.Place]
    ) throws(PythonFileError) -> [String: TorchTensor] {
        var result: [String: TorchTensor] = [:]
        for (key, place) in entries {
            result[key] = try pickle.tensor(place, called: key)
        }
        return result
    }

    /// The elements of a tensor in the order of rows, as single-precision numbers.
    ///
    /// - Throws: ``PythonFileError`` when its storage is missing or has not the size it should.
    public func floats(
        _ tensor: TorchTensor, called part: String
    ) throws(PythonFileError) -> [Float] {
        let bytes = try storage(of: tensor, part)
        guard let type = tensor.type.numbers else {
            // Of bfloat16 the 16 bits are the upper ones of single precision.
            let raw = bytes.span.bytes
            return tensor.arranged(
                (0..<(bytes.count / 2)).map {
                    let word = raw.unsafeLoadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)
                    return Float(bitPattern: UInt32(UInt16(littleEndian: word)) << 16)
                })
        }
        return tensor.arranged(type.numbers(bytes, Float.self))
    }

    private func storage(
        of tensor: TorchTensor, _ part: String
    ) throws(PythonFileError) -> [UInt8] {
        let size = Int.saturatingProduct(tensor.storageCount, tensor.type.size)
        let bytes: Data
        switch storages {
        case .archive(let archive, let folder):
            bytes = try archive.content(of: "\(folder)data/\(tensor.storage)")
        case .ranges(let data, let ranges):
            guard let range = ranges[tensor.storage] else {
                throw PythonFileError(
                    .malformed, file: name, part: part, "its storage is not in the file")
            }
            bytes =
                data[(data.startIndex + range.lowerBound)..<(data.startIndex + range.upperBound)]
        }
        guard bytes.count == size else {
            throw PythonFileError(
                .malformed, file: name, part: part,
                "its storage has \(bytes.count) bytes instead of \(size); fetch or write it again")
        }
        return [UInt8](bytes)
    }
}

extension Pickle {
    /// Bytes of an element of each storage that the pickle names.
    fileprivate var storageSizes: [String: Int] {
        var result: [String: Int] = [:]
        for case .persistent(let place) in all {
            guard let parts = parts(place), parts.count >= 5,
                case .name(let name) = self[parts[1]], let key = text(parts[2])
            else { continue }
            result[key] = name.storageType?.size
        }
        return result
    }
}

extension Int {
    /// The product of two numbers from 0 up, or the largest number where it is larger.
    static func saturatingProduct(_ first: Int, _ second: Int) -> Int {
        let (product, overflow) = first.multipliedReportingOverflow(by: second)
        return overflow ? .max : product
    }
}
