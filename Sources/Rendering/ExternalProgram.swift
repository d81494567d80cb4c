package import Files
package import Foundation

/// A program that takes its input from a pipe and writes a file: ffmpeg, gnuplot.
package final class ExternalProgram {
    private let name: String
    private let file: String
    /// What the program writes; it gets the name ``file`` when it is complete.
    private let output: PendingFile?
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

    /// Begins the file that a program is to write.
    package static func output(_ url: URL) throws(RenderingError) -> PendingFile {
        do {
            return try PendingFile(for: url)
        } catch {
            throw RenderingError(code: .programFailed, file: url.path, detail: error.detail)
        }
    }

    /// Starts `name` to make `file`; `package` is what to install where it is missing.
    ///
    /// Where the program is told to write the unfinished `output` instead, or prints it, that gets
    /// its name when all went well and is removed when not: `file` is never there in half.
    package init(
        _ name: String, package: String, arguments: [String], making file: String,
        writing output: PendingFile? = nil, printing printed: PendingFile? = nil,
        searchPath: String? = ProcessInfo.processInfo.environment["PATH"]
    ) throws(RenderingError) {
        Self.ignoresBrokenPipes
        self.name = name
        self.file = file
        self.output = output ?? printed
        let path = try Self.path(of: name, package: package, making: file, searchPath: searchPath)
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput =
            printed.map { FileHandle(fileDescriptor: $0.fileDescriptor, closeOnDealloc: false) }
            ?? FileHandle.nullDevice
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
    ///
    /// - Parameter format: What the file must be to its end: programs end well after a disk was full.
    /// - Throws: ``RenderingError`` when the program failed or what it wrote is not whole.
    package func finish(_ format: PictureFormat? = nil) throws(RenderingError) {
        try? input.fileHandleForWriting.close()
        // Read before waiting: a program that says much would wait for us.
        let said = (try? messages.fileHandleForReading.readToEnd()) ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw failure(said) }
        guard let output else { return }
        if let format, !format.isWhole(output.partial) { throw failure(said) }
        do {
            try output.commit()
        } catch {
            throw RenderingError(code: .programFailed, file: file, detail: error.detail)
        }
    }

    deinit {
        // Left unfinished: the program ends with its input, and what it wrote is of no use.
        if process.isRunning {
            process.terminate()
            process.waitUntilExit()
        }
    }

    private func failure(_ said: Data? = nil) -> RenderingError {
        try? input.fileHandleForWriting.close()
        let data = said ?? (try? messages.fileHandleForReading.readToEnd()) ?? Data()
        process.waitUntilExit()
        let text = String(decoding: data, as: UTF8.self)
            .replacingOccurrences(of: output?.partial.path ?? file, with: file)
            .split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
        let reason =
            text.isEmpty ? "what it wrote is cut short" : text.suffix(2).joined(separator: "; ")
        return RenderingError(
            code: .programFailed, file: file,
            detail: "\(name) failed (\(reason)); check the folder and the free space")
    }
}
