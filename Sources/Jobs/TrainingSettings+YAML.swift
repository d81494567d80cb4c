public import Foundation
import PlainYAML
public import Training
import Yams

/// Settings of a training run as a configuration file (YAML) has them.
///
/// ```swift
/// var settings = try TrainingSettings(contentsOf: URL(fileURLWithPath: "hopper.yaml"))
/// settings.training.steps = 5000
/// ```
extension TrainingSettings {
    /// Reads a file; what it leaves out is as in `defaults`, what is not a setting is refused.
    ///
    /// - Throws: ``SettingsError``.
    public init(contentsOf url: URL, over defaults: TrainingSettings = TrainingSettings()) throws {
        try self.init(Self.text(of: url), file: url.given, over: defaults)
    }

    /// What a file makes of settings, for `TrainingChoice`; ``SettingsError`` where it cannot be read.
    public static func file(_ url: URL) -> TrainingChoice.File {
        { defaults in
            let text = try text(of: url)
            let sections = try object(text, file: url.given)
            let names = sections.flatMap { section, values in
                (values as? [String: Any] ?? [:]).keys.map { "\(section).\($0)" }
            }
            return (
                try TrainingSettings(text, file: url.given, over: defaults), Set(names)
            )
        }
    }

    private static func text(of url: URL) throws(SettingsError) -> String {
        guard let text = try? String(contentsOf: url, encoding: .utf8) else {
            throw SettingsError(
                code: .unreadable, file: url.given, detail: "the file is missing or unreadable")
        }
        return text
    }

    private init(_ text: String, file: String, over defaults: TrainingSettings) throws {
        let defaults = try Self.object(defaults.yaml(), file: "defaults")
        let merged = try Self.merge(
            Self.object(text, file: file), over: defaults, at: "", file: file)
        func invalid(_ path: [any CodingKey], _ detail: String) -> SettingsError {
            let key = path.map(\.stringValue).joined(separator: ".")
            return SettingsError(
                code: .invalid, file: file, detail: "the value of '\(key)' \(detail)")
        }
        do {
            self = try YAMLDecoder().decode(
                TrainingSettings.self, from: Yams.dump(object: merged))
        } catch let DecodingError.typeMismatch(_, context),
            let DecodingError.dataCorrupted(context)
        {
            throw invalid(context.codingPath, "has the wrong type")
        } catch let DecodingError.keyNotFound(missing, context) {
            throw invalid(context.codingPath + [missing], "is missing")
        }
    }

    /// The settings as a configuration file.
    ///
    /// Scalars are written as JSON writes them, which YAML reads: 0.1 for single precision, too,
    /// and null for what is to be unset.
    public func yaml() throws -> String {
        let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(self))
        var lines: [String] = []
        for (section, values) in (object as? [String: [String: Any]] ?? [:]).sorted(by: {
            $0.key < $1.key
        }) {
            lines.append("\(section):")
            for (key, value) in values.sorted(by: { $0.key < $1.key }) {
                let text = try JSONSerialization.data(
                    withJSONObject: value, options: [.fragmentsAllowed, .withoutEscapingSlashes])
                lines.append("  \(key): \(String(decoding: text, as: UTF8.self))")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func object(_ text: String, file: String) throws -> [String: Any] {
        do {
            guard let node = try PlainYAML.node(text) else { return [:] }
            guard let sections = node.any as? [String: Any] else {
                throw SettingsError(
                    code: .invalid, file: file,
                    detail: "it is no mapping of sections to settings")
            }
            return sections
        } catch let error as SettingsError {
            throw error
        } catch {
            throw SettingsError(
                code: .unreadable, file: file, detail: "it is not YAML: \(error)")
        }
    }

    /// Settings that are nil by default and therefore absent from the defaults' file.
    fileprivate static let optional: Set<String> = {
        var names: Set<String> = []
        for section in Mirror(reflecting: TrainingSettings()).children {
            for setting in Mirror(reflecting: section.value).children
            where Mirror(reflecting: setting.value).displayStyle == .optional {
                names.insert("\(section.label ?? "").\(setting.label ?? "")")
            }
        }
        return names
    }()

    private static func merge(
        _ given: [String: Any], over defaults: [String: Any], at path: String, file: String
    ) throws -> [String: Any] {
        var result = defaults
        for (key, value) in given {
            let name = path + key
            if let section = defaults[key] as? [String: Any] {
                guard let inner = value as? [String: Any] else {
                    throw SettingsError(
                        code: .invalid, file: file, detail: "'\(name)' must be a section")
                }
                result[key] = try merge(inner, over: section, at: "\(name).", file: file)
            } else if defaults[key] != nil || optional.contains(name) {
                result[key] = value is NSNull ? nil : value
            } else {
                throw SettingsError(
                    code: .unknown, file: file, detail: "there is no setting '\(name)'")
            }
        }
        return result
    }
}

/// A configuration file that cannot be used.
public struct SettingsError: Error, Hashable, CustomStringConvertible, Sendable {
    /// What is wrong.
    public enum Code: Sendable, Hashable {
        /// The file is missing or no YAML.
        case unreadable
        /// It names a setting that there is not.
        case unknown
        /// A value is missing or of the wrong type.
        case invalid
    }

    /// What is wrong.
    public let code: Code
    /// The file.
    public let file: String
    /// What about it.
    public let detail: String

    /// What is wrong with a file, and where.
    public init(code: Code, file: String, detail: String) {
        self.code = code
        self.file = file
        self.detail = detail
    }

    /// One line: what and where.
    public var description: String { "cannot use settings '\(file)': \(detail)" }
}
