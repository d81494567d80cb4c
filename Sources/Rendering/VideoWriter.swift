import Files
public import Foundation
public import MuJoCo

/// Turns frames into a video: MP4 (H.264) or GIF, by the file's extension.
public final class VideoWriter {
    private let program: ExternalProgram
    private let format: PictureFormat
    private let width: Int
    private let height: Int

    /// Begins a video of frames of `width` × `height` pixels (even numbers for MP4).
    ///
    /// - Throws: ``RenderingError`` when ffmpeg is missing or the extension is neither mp4 nor gif.
    public init(to url: URL, width: Int, height: Int, framesPerSecond: Double)
        throws(RenderingError)
    {
        let encoding: [String]
        switch url.pathExtension.lowercased() {
        case "mp4":
            // yuv420p and faststart are what browsers play.
            encoding = [
                "-c:v", "libx264", "-crf", "20", "-preset", "fast", "-pix_fmt", "yuv420p",
                "-movflags", "+faststart", "-f", "mp4",
            ]
            format = .mp4
        case "gif":
            // One palette for the whole video, made from the video itself.
            encoding = [
                "-filter_complex",
                "[0:v]split[a][b];[a]palettegen=max_colors=128:stats_mode=diff[p];"
                    + "[b][p]paletteuse=dither=bayer:bayer_scale=4:diff_mode=rectangle",
                "-f", "gif",
            ]
            format = .gif
        case let other:
            throw RenderingError(
                code: .unknownFormat, file: url.path,
                detail: "'\(other)' is no known kind of video; name the file .mp4 or .gif")
        }
        self.width = width
        self.height = height
        let output = try ExternalProgram.output(url)
        program = try ExternalProgram(
            "ffmpeg", package: "ffmpeg",
            arguments: [
                "-nostdin", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24",
                "-video_size", "\(width)x\(height)", "-framerate", "\(framesPerSecond)", "-i",
                "pipe:0",
            ] + encoding + [output.partial.path], making: url.path, writing: output)
    }

    /// Makes sure before long work that ffmpeg, which writes videos and pictures, is there.
    ///
    /// - Throws: ``RenderingError`` when it is not.
    public static func requireProgram(for url: URL) throws(RenderingError) {
        try ExternalProgram.path(of: "ffmpeg", package: "ffmpeg", making: url.path)
    }

    /// Adds a frame.
    ///
    /// - Throws: ``RenderingError`` when ffmpeg has failed.
    public func append(_ frame: Frame) throws(RenderingError) {
        precondition(
            frame.width == width && frame.height == height,
            "a frame of \(frame.width) x \(frame.height) in a video of \(width) x \(height)")
        try program.write(Data(frame.pixels))
    }

    /// Completes the file; nothing can be added afterwards.
    ///
    /// - Throws: ``RenderingError`` when ffmpeg has failed.
    public func finish() throws(RenderingError) {
        try program.finish(format)
    }

    /// Writes a whole video of pictures that are `interval` seconds apart.
    ///
    /// As many are left out, or shown for longer, as the frame rate asks for. `picture` is asked
    /// for each of the `count` that is shown, all of one size, and `progress` told the share done
    /// so far.
    ///
    /// - Returns: Number of frames.
    /// - Throws: ``RenderingError`` when there are none, one cannot be drawn or the file not be
    ///   written.
    @discardableResult
    public static func write(
        _ count: Int, picturesEvery interval: Double, to url: URL, framesPerSecond: Double = 25,
        progress: (Double) -> Void = { _ in },
        picture: (Int) throws(SimulationError) -> Frame
    ) throws(RenderingError) -> Int {
        guard count > 0 else {
            throw RenderingError(
                code: .empty, file: url.path, detail: "the episode has no states; run it first")
        }
        let indices = indices(count: count, interval: interval, framesPerSecond: framesPerSecond)
        var writer: VideoWriter?
        var last: (index: Int, frame: Frame)?
        for (drawn, index) in indices.enumerated() {
            let frame: Frame
            if let last, last.index == index {
                frame = last.frame
            } else {
                do {
                    frame = try picture(index)
                } catch {
                    throw RenderingError(code: .simulation, file: url.path, detail: "\(error)")
                }
                last = (index, frame)
            }
            if writer == nil {
                writer = try VideoWriter(
                    to: url, width: frame.width, height: frame.height,
                    framesPerSecond: framesPerSecond)
            }
            try writer?.append(frame)
            progress(Double(drawn + 1) / Double(indices.count))
        }
        try writer?.finish()
        return indices.count
    }

    /// Which pictures to show so that a video of `count` that are `interval` seconds apart takes as
    /// long as they do.
    package static func indices(count: Int, interval: Double, framesPerSecond: Double) -> [Int] {
        let duration = Double(count) * interval
        let frames = max(1, Int((duration * framesPerSecond).rounded()))
        return (0..<frames).map { min(count - 1, $0 * count / frames) }
    }
}
