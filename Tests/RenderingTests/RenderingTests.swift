import Foundation
import MuJoCo
import Rendering
import Testing

@Suite struct RenderingTests {
    private func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("rendering-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private func small() -> SceneRenderer.Settings {
        var settings = SceneRenderer.Settings()
        settings.width = 64
        settings.height = 48
        return settings
    }

    private func hopper() throws -> (model: MuJoCoModel, start: SimulationState) {
        let model = try MuJoCoModel(contentsOf: ModelLibrary.url(of: "hopper.xml"))
        return (
            model,
            SimulationState(
                positions: model.initialPositions,
                velocities: Array(repeating: 0, count: model.velocityCount))
        )
    }

    @Test func `a standing Hopper is drawn upright in the middle and moves when it bends`() throws {
        let (model, start) = try hopper()
        let renderer = try SceneRenderer(model: model, settings: small())
        let frame = try renderer.frame(of: start)
        #expect(frame.pixels.count == 64 * 48 * 3)
        func pixel(_ x: Int, _ y: Int) -> [Int] {
            (0..<3).map { Int(frame.pixels[3 * (y * frame.width + x) + $0]) }
        }
        // The robot is sand-coloured, more red than blue; beside it are floor and sky, which are
        // not.
        let columns = (0..<64).map { x in (8..<40).count { pixel(x, $0)[0] > pixel(x, $0)[2] + 25 }
        }
        let tallest = try #require(columns.indices.max { columns[$0] < columns[$1] })
        #expect((27...36).contains(tallest), "\(columns)")
        #expect(columns[tallest] >= 15 && columns[5] < 4 && columns[58] < 4, "\(columns)")

        var bent = start
        bent.positions[3] = -1
        #expect(try renderer.frame(of: bent) != frame)
        #expect(try renderer.frame(of: start) == frame)
    }

    @Test func `a caption is written into the upper left corner`() throws {
        let (model, start) = try hopper()
        var settings = small()
        settings.width = 200
        let renderer = try SceneRenderer(model: model, settings: settings)
        let plain = try renderer.frame(of: start)
        let captioned = try renderer.frame(of: start, caption: "step 7")
        let changed = (0..<(200 * 48)).filter { plain.pixels[3 * $0] != captioned.pixels[3 * $0] }
        #expect(!changed.isEmpty)
        #expect(changed.allSatisfy { $0 % 200 < 120 && $0 / 200 < 36 })
    }

    @Test func `a ghost covers the robot it coincides with, and is seen beside it where not`()
        throws
    {
        let (model, start) = try hopper()
        let renderer = try SceneRenderer(model: model, settings: small())
        let plain = try renderer.frame(of: start)
        func changed(_ ghost: SimulationState) throws -> [Int] {
            let frame = try renderer.frame(
                of: start, ghosts: [Ghost(ghost, color: [0, 0, 1, 0.5])])
            // More blue than before.
            return (0..<(64 * 48)).filter {
                Int(frame.pixels[3 * $0 + 2]) > Int(plain.pixels[3 * $0 + 2]) + 15
            }
        }
        let same = try changed(start)
        #expect(same.count > 40 && same.allSatisfy { (24...40).contains($0 % 64) })
        var beside = start
        beside.positions[0] = 0.6
        let moved = try changed(beside)
        #expect(moved.count > 20 && moved.allSatisfy { $0 % 64 > 36 })
        #expect(try renderer.frame(of: start) == plain)
    }

    @Test func `the floor and the shadow go along with a robot that runs far`() throws {
        let (model, start) = try hopper()
        let renderer = try SceneRenderer(model: model, settings: small())
        var far = start
        // 80 tiles of 2/3 m, so that the floor's pattern is the same again.
        far.positions[0] = 160.0 / 3
        let (near, away) = (try renderer.frame(of: start), try renderer.frame(of: far))
        let different = zip(near.pixels, away.pixels).count { abs(Int($0) - Int($1)) > 12 }
        #expect(different < near.pixels.count / 20)
    }

    @Test func `a view of the whole model fits it, and does not follow a body`() throws {
        let (model, start) = try hopper()
        var settings = small()
        settings.aim = .model
        settings.distance = nil
        let renderer = try SceneRenderer(model: model, settings: settings)
        /// The rows and columns where the robot, more red than blue, is.
        func seen(_ state: SimulationState) throws -> (rows: Set<Int>, columns: Set<Int>) {
            let pixels = try renderer.frame(of: state).pixels
            let robot = (0..<(64 * 48)).filter {
                Int(pixels[3 * $0]) > Int(pixels[3 * $0 + 2]) + 25
            }
            return (Set(robot.map { $0 / 64 }), Set(robot.map { $0 % 64 }))
        }
        // 1.25 m of robot fill most of the height.
        let rows = try seen(start).rows
        #expect(rows.count > 34 && rows.count < 48, "\(rows.sorted())")
        var away = start
        away.positions[0] = 0.5
        let (here, there) = (try seen(start).columns, try seen(away).columns)
        #expect((there.min() ?? 0) > (here.min() ?? 0) + 5)
        away.positions[0] = 50
        #expect(try seen(away).rows.isEmpty)
    }

    @Test(arguments: ["mp4", "gif"])
    func `an episode becomes a video of its length`(format: String) throws {
        let (model, start) = try hopper()
        let states = (0..<20).map { step in
            var state = start
            state.positions[0] = 0.05 * Double(step)
            return state
        }
        try withFolder { folder in
            let url = folder.appendingPathComponent("episode.\(format)")
            var shares: [Double] = []
            try SceneRenderer(model: model, settings: small()).renderEpisode(
                states: states, stepDuration: 0.02, to: url, progress: { shares.append($0) })
            #expect(shares.count == 10 && shares.last == 1)
            let data = try Data(contentsOf: url)
            #expect(data.count > 500)
            let mark = format == "gif" ? data.prefix(3) : data[4..<8]
            #expect(String(decoding: mark, as: UTF8.self) == (format == "gif" ? "GIF" : "ftyp"))
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder.path)
                    == ["episode.\(format)"])
        }
    }

    @Test func `states are left out so that the video plays at the speed of the simulation`() {
        let indices = VideoWriter.indices(count: 1000, interval: 0.008, framesPerSecond: 25)
        #expect(indices.count == 200)
        #expect(indices.prefix(3) == [0, 5, 10])
        #expect(VideoWriter.indices(count: 1, interval: 0.008, framesPerSecond: 25) == [0])
    }

    @Test func `a video of an unknown kind, of nothing or into no folder is refused`() throws {
        let (model, start) = try hopper()
        let renderer = try SceneRenderer(model: model, settings: small())
        func message(_ states: [SimulationState], _ path: String) -> String? {
            #expect(throws: RenderingError.self) {
                try renderer.renderEpisode(
                    states: states, stepDuration: 0.1, to: URL(fileURLWithPath: path))
            }?.description
        }
        #expect(message([start], "/tmp/episode.txt")?.contains("'txt'") == true)
        #expect(message([], "/tmp/episode.mp4")?.contains("no states") == true)
        let missing = message([start], "/proc/nowhere/episode.mp4")
        #expect(missing?.contains("'/proc/nowhere/episode.mp4': the folder") == true)
        #expect(missing?.contains("\n") == false)
    }
}
