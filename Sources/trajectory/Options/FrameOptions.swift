import ArgumentParser
import Bounds
import Foundation
import Jobs

/// How many frames an episode is drawn in, and how large.
struct FrameOptions: ParsableArguments {
    private static let defaults = RenderJob(
        .dataset(URL(fileURLWithPath: ""), episode: 0), output: URL(fileURLWithPath: ""))

    @Option(help: "Steps from one plan shown to the next; the horizon if not given.")
    var planInterval: Int?

    @Option(help: "Plans in a picture.")
    var planCount = defaults.planCount

    @Option(help: "Frames of a picture; with --plans, of each plan. 8 and 5 if not given.")
    var frames: Int?

    @Option(help: "Frames side by side in a picture without plans.")
    var columns = defaults.columns

    @Option(help: "Speed of a video, 1 as the simulation; with --plans 0.2 if not given.")
    var speed: Double?

    @Option(help: "Width of a frame in pixels; 480, in pictures 320, if not given.")
    var width: Int?

    @Option(help: "Height of a frame in pixels; three quarters of the width if not given.")
    var height: Int?

    func validate() throws {
        try require(
            .episodes,
            [
                "--plan-interval": planInterval, "--plan-count": planCount, "--frames": frames,
                "--columns": columns,
            ])
        for (name, value) in [("--width", width), ("--height", height)] {
            if let value, !(16...4096).contains(value) || !value.isMultiple(of: 2) {
                throw ValidationError(
                    "\(name) must be an even number from 16 to 4096, found \(value)")
            }
        }
        try requirePositive(["--speed": speed])
    }

    /// Refuses options that such a drawing has no use for.
    func refuseUnused(picture: Bool, plans: Bool, of given: GivenOptions = .here) throws {
        try given.refuse(["--plan-interval"], unless: plans, "is for --plans")
        try given.refuse(
            ["--plan-count"], unless: picture && plans, "is for a picture (png) with --plans")
        try given.refuse(["--frames"], unless: picture, "is for a picture (png)")
        try given.refuse(
            ["--columns"], unless: picture && !plans, "is for a picture (png) without --plans")
        try given.refuse(["--speed"], unless: !picture, "is for a video (mp4, gif)")
    }

    /// Sets what the options say.
    func apply(to job: inout RenderJob) {
        job.planInterval = planInterval
        job.planCount = planCount
        job.frames = frames
        job.columns = columns
        job.speed = speed
        job.width = width
        job.height = height
    }
}
