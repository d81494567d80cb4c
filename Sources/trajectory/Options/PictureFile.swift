import ArgumentParser
import Foundation

/// The kinds of files that pictures are written to, by their extensions.
enum PictureFile {
    /// What gnuplot draws.
    static let chart = ["png", "svg"]
    /// What ffmpeg writes.
    static let video = ["mp4", "gif"]
    /// A video, or a picture of several moments.
    static let scene = ["mp4", "gif", "png"]

    /// Refuses a file whose extension is none of `kinds`.
    static func require(_ kinds: [String], _ file: String?, option: String) throws {
        guard let file, !kinds.contains(URL(fileURLWithPath: file).pathExtension.lowercased())
        else { return }
        let names = kinds.map { "." + $0 }
        let list = names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
        throw ValidationError("\(option) must end in \(list), found \(file)")
    }
}

/// Where a chart goes.
struct ChartOutput: ParsableArguments {
    @Option(
        help: "Picture to write (png or svg).", completion: .file(extensions: PictureFile.chart))
    var output: String

    /// The file.
    var url: URL { URL(fileURLWithPath: output) }

    func validate() throws {
        try PictureFile.require(PictureFile.chart, output, option: "--output")
    }
}
