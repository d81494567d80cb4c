package import Foundation

/// A program that takes its input from a pipe and writes a file: ffmpeg, gnuplot.
package final class ExternalProgram {
    private let name: String
    private let file: String
    /// What the program writes; it gets the name ``file`` when it is complete.
    private let partial: String?
    private let process = Process()
    private let input = Pipe()
    private let messages = Pipe()

    /// A write to a program that has ended shall be an error and not end this process too.
    private static let ignoresBrokenPipes: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

    /// Where a program finds `name`.
    ///
    /// - Throws: ``RenderingError`` that says what to install for `file`, where it is missing.
    @discardableResult
    package static func path(
        of name: String, package: String, making file: String,
        searchPath: String? = ProcessInfo.processInfo.environment["PATH"]
    ) throws(RenderingError) -> String {
        let candidates = (searchPath ?? "").split(separator: ":").map { "\($0)/\(name)" }
        guard
            let path = candidates.first(where: {
                FileManager.default.isExecutableFile(atPath: $0)
            })
        else {
            throw RenderingError(
                code: .missingProgram, file: file,
                detail: "\(name) is not on the PATH; run `make bootstrap`, or install \(package)")
        }
        return path
    }

    /// A hidden name beside `file`, with its extension, for what is not complete yet.
    package static func partialName(of file: String) -> String {
        let url = URL(fileURLWithPath: file)
        return url.deletingLastPathComponent().appendingPathComponent(
            ".partial-\(UUID().uuidString).\(url.pathExtension)"
        ).path
    }

    /// Starts `name` to make `file`; `package` is what to install where it is missing.
    ///
    /// Where the program is told to write `partial` instead, that is renamed when all went well and
    /// removed when not: `file` is never there in half.
    package init(
        _ name: String, package: String, arguments: [String], making file: String,
        writing partial: String? = nil,
        searchPath: String? = ProcessInfo.processInfo.environment["PATH"]
    ) throws(RenderingError) {
        Self.ignoresBrokenPipes
        self.name = name
        self.file = file
        self.partial = partial
        let path = try Self.path(of: name, package: package, making: file, searchPath: searchPath)
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = FileHandle.nullDevice
        process.standardError = messages
        do {
            try process.run()
        } catch {
            throw RenderingError(
                code: .programFailed, file: file,
                detail: "\(path) does not start (\(error.localizedDescription)); "
                    + "install \(package) again")
        }
    }

    /// Hands the program more input.
    package func write(_ data: Data) throws(RenderingError) {
        do {
            try input.fileHandleForWriting.write(contentsOf: data)
        } catch {
            throw failure()
        }
    }

    /// Ends the input and waits until the file is written.
    package func finish() throws(RenderingError) {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw failure() }
        if let partial, rename(partial, file) != 0 {
            let reason = String(cString: strerror(errno))
            throw RenderingError(
                code: .programFailed, file: file,
                detail: "it cannot be given its name (\(reason)); check the folder")
        }
    }

    deinit {
        // Left unfinished: the program ends with its input, and what it wrote is of no use.
        if process.isRunning {
            process.terminate()
            process.waitUntilExit()
        }
        if let partial { try? FileManager.default.removeItem(atPath: partial) }
    }

    private func failure() -> RenderingError {
        try? input.fileHandleForWriting.close()
        let data = (try? messages.fileHandleForReading.readToEnd()) ?? Data()
        process.waitUntilExit()
        let text = String(decoding: data, as: UTF8.self)
            .replacingOccurrences(of: partial ?? file, with: file)
            .split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
        let reason = text.isEmpty ? "it gave no reason" : text.suffix(2).joined(separator: "; ")
        return RenderingError(
            code: .programFailed, file: file,
            detail: "\(name) failed (\(reason)); check the folder and the free space")
    }
}
