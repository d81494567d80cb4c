import Files
public import Foundation
public import MuJoCo

/// Frames side by side as one picture.
public struct FilmStrip: Sendable {
    /// The frames, row after row, all of one size.
    public var rows: [[Frame]]
    /// Pixels of white between frames.
    public var gap = 6

    /// Creates a strip of rows.
    public init(rows: [[Frame]]) {
        self.rows = rows
    }

    /// Creates a strip of `columns` frames in a row; the last row may be shorter.
    public init(_ frames: [Frame], columns: Int) {
        precondition(columns > 0, "a strip of \(columns) columns")
        rows = stride(from: 0, to: frames.count, by: columns).map {
            Array(frames[$0..<min($0 + columns, frames.count)])
        }
    }

    /// The picture; nil where there is no frame.
    public var picture: Frame? {
        let columns = rows.map(\.count).max() ?? 0
        guard let first = rows.first(where: { !$0.isEmpty })?.first else { return nil }
        let width = columns * (first.width + gap) - gap
        let height = rows.count * (first.height + gap) - gap
        var pixels = [UInt8](repeating: 255, count: 3 * width * height)
        for (row, frames) in rows.enumerated() {
            for (column, frame) in frames.enumerated() {
                precondition(
                    frame.width == first.width && frame.height == first.height,
                    "a frame of \(frame.width) x \(frame.height) beside one of "
                        + "\(first.width) x \(first.height)")
                let (left, top) = (column * (frame.width + gap), row * (frame.height + gap))
                for line in 0..<frame.height {
                    let source = 3 * line * frame.width
                    let target = 3 * ((top + line) * width + left)
                    pixels.replaceSubrange(
                        target..<(target + 3 * frame.width),
                        with: frame.pixels[source..<(source + 3 * frame.width)])
                }
            }
        }
        return Frame(width: width, height: height, pixels: pixels)
    }

    /// Writes the picture to a PNG file.
    ///
    /// - Throws: ``RenderingError`` when there is no frame, the extension is another, or ffmpeg is
    ///   missing or fails.
    public func write(to url: URL) throws(RenderingError) {
        guard let picture else {
            throw RenderingError(
                code: .empty, file: url.path, detail: "there is no frame; draw some")
        }
        guard url.pathExtension.lowercased() == "png" else {
            throw RenderingError(
                code: .unknownFormat, file: url.path,
                detail: "'\(url.pathExtension)' is no known kind of picture; name the file .png")
        }
        let output = try ExternalProgram.output(url)
        let program = try ExternalProgram(
            "ffmpeg", package: "ffmpeg",
            arguments: [
                "-nostdin", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24",
                "-video_size", "\(picture.width)x\(picture.height)", "-i", "pipe:0", "-frames:v",
                "1", "-c:v", "png", "-f", "image2pipe", "pipe:1",
            ], making: url.path, printing: output)
        try program.write(Data(picture.pixels))
        try program.finish(.png)
    }
}
