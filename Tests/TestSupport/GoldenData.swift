public import Foundation
public import Safetensors

/// Golden data of a test target: files of its `Fixtures` folder.
public struct GoldenData: Sendable {
    private let bundle: Bundle

    /// The golden data of the test target whose `Bundle.module` this is.
    public init(_ bundle: Bundle) {
        self.bundle = bundle
    }

    /// Where the file lies.
    public func url(_ file: String) throws -> URL {
        let url = bundle.bundleURL.appendingPathComponent("Fixtures").appendingPathComponent(file)
        guard FileManager.default.fileExists(atPath: url.path) else {
            throw CocoaError(.fileNoSuchFile, userInfo: [NSFilePathErrorKey: url.path])
        }
        return url
    }

    /// A file of tensors.
    public func tensors(_ file: String) throws -> SafetensorsFile {
        try SafetensorsFile(contentsOf: url(file))
    }

    /// A JSON file, decoded; with `snakeCase`, its keys are turned into camelCase first.
    public func json<Value: Decodable>(
        _ file: String, as type: Value.Type, snakeCase: Bool = false
    ) throws -> Value {
        let decoder = JSONDecoder()
        if snakeCase { decoder.keyDecodingStrategy = .convertFromSnakeCase }
        return try decoder.decode(type, from: Data(contentsOf: url(file)))
    }
}
