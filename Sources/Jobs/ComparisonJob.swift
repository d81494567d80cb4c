import Environments
import Episodes
public import Evaluation
public import Foundation
public import Statistics

/// Compares methods by what evaluations of them printed as JSON.
public struct ComparisonJob: Sendable {
    /// A method and its evaluations.
    public struct Method: Sendable, Hashable {
        /// What it is called.
        public var name: String
        /// The files, an evaluation each.
        public var files: [URL]

        /// A method of this name.
        public init(name: String, files: [URL]) {
            self.name = name
            self.files = files
        }
    }

    /// The methods; the first is what the others are compared with.
    public var methods: [Method]
    /// What makes up a score; nil for runs, where there are enough of them, else episodes.
    public var unit: Comparison.Unit?
    /// How intervals are drawn.
    public var bootstrap = Bootstrap()

    /// A job of these methods.
    public init(methods: [Method]) { self.methods = methods }

    /// A job of methods as somebody types them.
    ///
    /// FILE and FOLDER are methods called by their own path, `NAME=FILE,FILE,...` and `NAME=FOLDER`
    /// by the name, and the same name again adds to it. A folder stands for all files in it that
    /// end in `.json`.
    ///
    /// - Throws: ``JobError`` for a folder without files and for files given twice.
    public init(parsing texts: [String]) throws(JobError) {
        methods = []
        for text in texts {
            let (name, paths) = Self.parts(of: text)
            var files: [URL] = []
            for path in paths { files += try Self.files(at: path) }
            let index = methods.firstIndex { $0.name == name } ?? methods.count
            if index == methods.count { methods.append(Method(name: name, files: [])) }
            for file in files {
                guard !methods[index].files.contains(file) else {
                    throw JobError(
                        .invalidSetting,
                        "cannot compare: '\(file.given)' is given twice for \(name); give it once")
                }
                methods[index].files.append(file)
            }
        }
    }

    /// The name and the paths of an argument, which has no name where it is there as a file.
    private static func parts(of text: String) -> (String, [String]) {
        guard !FileManager.default.fileExists(atPath: text), let equals = text.firstIndex(of: "="),
            equals > text.startIndex
        else {
            return (text.hasSuffix(".json") ? String(text.dropLast(5)) : text, [text])
        }
        let paths = text[text.index(after: equals)...].split(separator: ",").map(String.init)
        return (String(text[..<equals]), paths.isEmpty ? [""] : paths)
    }

    private static func files(at path: String) throws(JobError) -> [URL] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
            isFolder.boolValue
        else { return [URL(fileURLWithPath: path)] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        let files = names.filter { $0.hasSuffix(".json") }.sorted()
        guard !files.isEmpty else {
            throw JobError(
                .noReport, "cannot compare the folder '\(path)': no file in it ends in .json")
        }
        return files.map { URL(fileURLWithPath: path + "/" + $0) }
    }

    /// Reads the files and compares.
    ///
    /// - Throws: ``JobError`` for a file that is not what an evaluation prints, `ComparisonError`.
    public func run() throws -> Comparison {
        guard 1...1_000_000 ~= bootstrap.draws, 0 < bootstrap.confidence, bootstrap.confidence < 1
        else {
            throw JobError(
                .invalidSetting,
                "cannot draw intervals of \(bootstrap.confidence) \(bootstrap.draws) times; give a "
                    + "confidence between 0 and 1 and 1 to 1000000 draws")
        }
        guard !methods.isEmpty, methods.allSatisfy({ !$0.files.isEmpty }) else {
            throw JobError(.noReport, "cannot compare: there is a method without a file")
        }
        return try Comparison(
            try methods.map { ($0.name, try $0.files.map(PrintedEvaluation.read)) }, unit: unit,
            bootstrap: bootstrap)
    }
}

/// What is needed of the JSON that an evaluation prints.
struct PrintedEvaluation: Decodable {
    let environment: String
    let seeds: [UInt64]
    let returns: [Double]
    let normalizedScore: Double?
    let normalizedScores: [Double]?

    /// No report of a million episodes is larger.
    private static let mostBytes = 1 << 26

    static func read(_ url: URL) throws(JobError) -> Comparison.Run {
        func wrong(_ detail: String) -> JobError {
            JobError(
                .noReport,
                "cannot compare '\(url.given)': \(detail); give what an evaluation printed as JSON")
        }
        let data: Data
        do {
            let file = try FileHandle(forReadingFrom: url)
            data = try file.read(upToCount: mostBytes) ?? Data()
        } catch {
            throw wrong("it cannot be read")
        }
        guard data.count < mostBytes else { throw wrong("it is too large") }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let printed: PrintedEvaluation
        do {
            printed = try decoder.decode(PrintedEvaluation.self, from: data)
        } catch DecodingError.keyNotFound(let key, _) {
            throw wrong("it has no '\(key.stringValue)'")
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(
            _, let context)
        {
            let place = context.codingPath.first?.stringValue
            throw wrong(place.map { "its '\($0)' is not what it should be" } ?? "it is no object")
        } catch {
            throw wrong("it is no JSON")
        }
        let count = printed.seeds.count
        guard count > 0 else { throw wrong("it has no episodes") }
        guard printed.returns.count == count, printed.normalizedScores?.count ?? count == count
        else { throw wrong("it has not as many returns as seeds") }
        guard (printed.returns + (printed.normalizedScores ?? [])).allSatisfy(\.isFinite) else {
            throw wrong("a return is no finite number")
        }
        var scores = printed.normalizedScores
        // What was printed before it had the score of each episode.
        if scores == nil, printed.normalizedScore != nil,
            let environment = try? EnvironmentRegistry.make(printed.environment)
        {
            let all = printed.returns.compactMap(environment.specification.normalizedScore)
            scores = all.count == count ? all : nil
        }
        return Comparison.Run(
            environment: printed.environment, seeds: printed.seeds, returns: printed.returns,
            normalizedScores: scores)
    }
}
