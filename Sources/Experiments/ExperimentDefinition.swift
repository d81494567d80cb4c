public import Foundation
import PlainYAML
import Yams

/// An experiment as its file defines it: which commands to run over which axes, and what to report.
///
/// `Experiments/README.md` describes the format.
public struct ExperimentDefinition: Sendable {
    /// The name of the file, without its extension.
    public private(set) var name = ""
    /// The heading of the page of results.
    public let title: String
    /// Where the paper has the experiment.
    public let paper: String?
    /// What is done.
    let description: Template
    /// What the results say.
    let findings: Template?

    var settings: [String: SettingValue]
    var axes: [String: [String]]
    let quick: Variant?
    let steps: [StepTemplate]
    let tables: [TableTemplate]
    let charts: [ChartTemplate]

    /// A setting: one value, or one for each value of an axis.
    enum SettingValue: Sendable, Hashable, Decodable {
        case one(String)
        case each([String: String])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self = .one(text)
            } else {
                self = .each(try container.decode([String: String].self))
            }
        }
    }

    /// Another size of the experiment.
    struct Variant: Sendable, Decodable {
        var settings: [String: SettingValue] = [:]
        var axes: [String: [String]] = [:]

        enum CodingKeys: String, CodingKey, CaseIterable { case settings, axes }

        init(from decoder: any Decoder) throws {
            let container = try decoder.knownKeys(CodingKeys.self)
            settings =
                try container.decodeIfPresent([String: SettingValue].self, forKey: .settings)
                ?? [:]
            axes = try container.decodeIfPresent([String: [String]].self, forKey: .axes) ?? [:]
        }
    }

    /// A command, for each combination of the axes that its name mentions.
    struct StepTemplate: Sendable, Decodable {
        let name: Template
        let program: ExperimentStep.Program
        let command: Template
        let resumes: Template?
        let writes: [Template]
        let figures: [FigureTemplate]

        enum CodingKeys: String, CodingKey, CaseIterable {
            case name, run, reference, resumes, writes, figures
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.knownKeys(CodingKeys.self)
            name = try container.decode(Template.self, forKey: .name)
            resumes = try container.decodeIfPresent(Template.self, forKey: .resumes)
            writes = try container.decodeIfPresent([Template].self, forKey: .writes) ?? []
            figures = try container.decodeIfPresent([FigureTemplate].self, forKey: .figures) ?? []
            if let run = try container.decodeIfPresent(Template.self, forKey: .run) {
                (program, command) = (.trajectory, run)
            } else {
                program = .reference
                command = try container.decode(Template.self, forKey: .reference)
            }
        }
    }

    /// A picture that a step makes.
    struct FigureTemplate: Sendable, Decodable {
        let file: Template
        let caption: Template

        enum CodingKeys: String, CodingKey, CaseIterable { case file, caption }

        init(from decoder: any Decoder) throws {
            let container = try decoder.knownKeys(CodingKeys.self)
            file = try container.decode(Template.self, forKey: .file)
            caption = try container.decode(Template.self, forKey: .caption)
        }
    }

    /// A table: a row for each combination of the axes in `rows`, a column for each of the further
    /// axes.
    struct TableTemplate: Sendable, Decodable {
        struct Column: Sendable, Decodable {
            let name: Template
            let step: Template
            let key: Template
            let error: Template?
            /// An axis over whose values the cell is the mean, with its standard error.
            let over: String?
            let scale: Double
            let digits: Int

            enum CodingKeys: String, CodingKey, CaseIterable {
                case name, step, key, error, over, scale, digits
            }

            init(from decoder: any Decoder) throws {
                let container = try decoder.knownKeys(CodingKeys.self)
                name = try container.decode(Template.self, forKey: .name)
                step = try container.decode(Template.self, forKey: .step)
                key = try container.decode(Template.self, forKey: .key)
                error = try container.decodeIfPresent(Template.self, forKey: .error)
                over = try container.decodeIfPresent(String.self, forKey: .over)
                guard over == nil || error == nil else {
                    throw DecodingError.dataCorruptedError(
                        forKey: .error, in: container,
                        debugDescription: "a mean over an axis has the error over its values")
                }
                scale = try container.decodeIfPresent(Double.self, forKey: .scale) ?? 1
                digits = try container.decodeIfPresent(Int.self, forKey: .digits) ?? 1
            }
        }

        let title: String
        let rows: Template
        let columns: [Column]
        let hasMean: Bool
        /// The picture of the row of means, a bar a column; nil for none.
        let bars: String?
        let note: Template?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case title, rows, columns, mean, bars, note
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.knownKeys(CodingKeys.self)
            title = try container.decode(String.self, forKey: .title)
            rows = try container.decode(Template.self, forKey: .rows)
            columns = try container.decode([Column].self, forKey: .columns)
            hasMean = try container.decodeIfPresent(Bool.self, forKey: .mean) ?? false
            bars = try container.decodeIfPresent(String.self, forKey: .bars)
            guard bars == nil || hasMean else {
                throw DecodingError.dataCorruptedError(
                    forKey: .bars, in: container,
                    debugDescription: "bars are of the row of means; give 'mean: true' too")
            }
            note = try container.decodeIfPresent(Template.self, forKey: .note)
        }
    }

    /// A chart of a number of a step's result over an axis of numbers.
    struct ChartTemplate: Sendable, Decodable {
        let file: String
        let title: String
        let x: String
        let xLabel: String
        let yLabel: String
        let series: Template
        let step: Template
        let key: Template
        let hasLogarithmicX: Bool

        enum CodingKeys: String, CodingKey, CaseIterable {
            case file, title, x, series, step, key
            case xLabel = "x_label"
            case yLabel = "y_label"
            case logarithmic
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.knownKeys(CodingKeys.self)
            file = try container.decode(String.self, forKey: .file)
            title = try container.decode(String.self, forKey: .title)
            x = try container.decode(String.self, forKey: .x)
            xLabel = try container.decode(String.self, forKey: .xLabel)
            yLabel = try container.decode(String.self, forKey: .yLabel)
            series = try container.decode(Template.self, forKey: .series)
            step = try container.decode(Template.self, forKey: .step)
            key = try container.decode(Template.self, forKey: .key)
            hasLogarithmicX =
                try container.decodeIfPresent(Bool.self, forKey: .logarithmic) ?? false
        }
    }
}

// MARK: - Reading

extension ExperimentDefinition: Decodable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case title, paper, description, findings, settings, axes, quick, steps, tables, charts
    }

    /// Decodes a definition; keys that mean nothing are refused.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.knownKeys(CodingKeys.self)
        title = try container.decode(String.self, forKey: .title)
        paper = try container.decodeIfPresent(String.self, forKey: .paper)
        description = try container.decode(Template.self, forKey: .description)
        findings = try container.decodeIfPresent(Template.self, forKey: .findings)
        settings =
            try container.decodeIfPresent([String: SettingValue].self, forKey: .settings) ?? [:]
        axes = try container.decodeIfPresent([String: [String]].self, forKey: .axes) ?? [:]
        quick = try container.decodeIfPresent(Variant.self, forKey: .quick)
        steps = try container.decode([StepTemplate].self, forKey: .steps)
        tables = try container.decodeIfPresent([TableTemplate].self, forKey: .tables) ?? []
        charts = try container.decodeIfPresent([ChartTemplate].self, forKey: .charts) ?? []
    }

    /// Reads a definition.
    ///
    /// - Throws: ``ExperimentError`` when the file is missing, is no YAML, or has a key that means
    ///   nothing.
    public init(contentsOf url: URL) throws(ExperimentError) {
        guard let text = try? String(contentsOf: url, encoding: .utf8) else {
            throw ExperimentError(
                code: .definition, subject: url.path, detail: "the file is missing or unreadable")
        }
        try self.init(
            yaml: text, name: url.deletingPathExtension().lastPathComponent, file: url.path)
    }

    init(yaml: String, name: String, file: String) throws(ExperimentError) {
        do {
            let node = try PlainYAML.node(yaml) ?? Node("")
            self = try YAMLDecoder().decode(ExperimentDefinition.self, from: node)
            self.name = name
        } catch {
            throw ExperimentError(
                code: .definition, subject: file, detail: Self.reason(error))
        }
    }

    private static func reason(_ error: any Error) -> String {
        func place(_ context: DecodingError.Context) -> String {
            context.codingPath.map { $0.intValue.map { "\($0 + 1)" } ?? $0.stringValue }
                .joined(separator: ".")
        }
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            return "'\(key.stringValue)' is missing in '\(place(context))'"
        case DecodingError.typeMismatch(_, let context),
            DecodingError.valueNotFound(_, let context):
            return "'\(place(context))' has a value of the wrong kind"
        case DecodingError.dataCorrupted(let context):
            let underlying = context.underlyingError.map { "\($0)" } ?? context.debugDescription
            let line = underlying.split(whereSeparator: \.isNewline).joined(separator: " ")
            return context.codingPath.isEmpty ? line : "'\(place(context))': \(line)"
        default:
            return "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
        }
    }
}

extension Decoder {
    /// A container that holds no keys but the given ones.
    fileprivate func knownKeys<Keys: CodingKey & CaseIterable & RawRepresentable<String>>(
        _ type: Keys.Type
    ) throws -> KeyedDecodingContainer<Keys> {
        let known = Set(Keys.allCases.map(\.rawValue))
        let present = try container(keyedBy: AnyKey.self).allKeys
        if let unknown = present.first(where: { !known.contains($0.stringValue) }) {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: codingPath,
                    debugDescription: "there is no key '\(unknown.stringValue)', only "
                        + known.sorted().joined(separator: ", ")))
        }
        return try container(keyedBy: Keys.self)
    }
}

private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
