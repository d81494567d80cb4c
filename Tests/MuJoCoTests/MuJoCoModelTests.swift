import Foundation
import MuJoCo
import Testing

@Suite struct MuJoCoModelTests {
    private func temporaryFolder() throws -> URL {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("mujoco-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }

    private func model(_ xml: String) throws -> MuJoCoModel {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let url = folder.appendingPathComponent("model.xml")
        try xml.write(to: url, atomically: true, encoding: .utf8)
        return try MuJoCoModel(contentsOf: url)
    }

    /// A ball that falls freely.
    private func fallingBall() throws -> MuJoCoModel {
        try model(
            """
            <mujoco><option timestep="0.001"/><worldbody><body name="ball" pos="0 0 5">
            <joint type="slide" axis="0 0 1"/><geom size="0.1"/></body></worldbody></mujoco>
            """)
    }

    @Test func `a missing file is named, with a remedy`() {
        let error = #expect(throws: SimulationError.self) {
            try MuJoCoModel(contentsOf: URL(fileURLWithPath: "/nowhere/robot.xml"))
        }
        #expect(error?.code == .invalidModel)
        #expect(error?.description.contains("/nowhere/robot.xml") == true)
        #expect(error?.description.contains("make bootstrap") == true)
    }

    @Test func `an invalid model is refused in one line that names the file`() {
        let error = #expect(throws: SimulationError.self) {
            try model("<mujoco><worldbody><geom typo=\"1\"/></worldbody></mujoco>")
        }
        #expect(error?.code == .invalidModel)
        #expect(error?.description.contains("model.xml") == true)
        #expect(error?.description.contains("typo") == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test func `the bounds hold turned boxes, and leave planes out`() throws {
        let data = try MuJoCoData(
            model: model(
                """
                <mujoco><compiler angle="degree"/><worldbody>
                <geom type="plane" size="40 40 40"/>
                <geom type="box" size="1 2 3" pos="10 0 0" euler="0 0 90"/>
                <geom type="sphere" size="0.5" pos="0 0 5"/></worldbody></mujoco>
                """))
        data.forward()
        let (low, high) = data.bounds
        for (found, expected) in zip(
            [low.x, low.y, low.z, high.x, high.y, high.z], [-0.5, -1, -3, 12, 1, 5.5])
        {
            #expect(abs(found - expected) < 1e-9)
        }
    }

    @Test func `a free fall takes the time that it should`() throws {
        let data = try MuJoCoData(model: try fallingBall())
        data.step(1000)
        #expect(abs(data.time - 1) < 1e-9)
        #expect(abs(data.velocities[0] + 9.81) < 1e-9)
        #expect(abs(data.positions[0] + 9.81 / 2) < 0.01)
        #expect(!data.hasDiverged)
        data.reset()
        #expect(data.time == 0)
        #expect(data.positions == [0])
    }

    @Test func `a state that is not finite is noticed and leaves no log file`() throws {
        // Another program, such as Gymnasium, may have left a log here before.
        let log = { try? Data(contentsOf: URL(filePath: "MUJOCO_LOG.TXT")) }
        let before = log()
        let data = try MuJoCoData(model: try fallingBall())
        data.positions = [.nan]
        data.step()
        #expect(data.hasDiverged)
        #expect(log() == before)
        data.reset()
        #expect(!data.hasDiverged)
    }

    @Test func `bodies are found by name`() throws {
        let model = try fallingBall()
        #expect(model.bodyIndex("ball") == 1)
        #expect(model.bodyIndex("cube") == nil)
        #expect(model.cameraIndex("track") == nil)
    }

    @Test func `models are found above a start folder and only in a named folder`() throws {
        let root = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: root) }
        let models = root.appendingPathComponent(".deps/models")
        let deep = root.appendingPathComponent("a/b/program")
        try FileManager.default.createDirectory(at: models, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(at: deep, withIntermediateDirectories: true)
        try Data().write(to: models.appendingPathComponent("robot.xml"))

        let found = try ModelLibrary.url(of: "robot.xml", override: nil, starts: [deep])
        #expect(found.path.hasSuffix(".deps/models/robot.xml"))
        #expect(
            try ModelLibrary.url(of: "robot.xml", override: models.path, starts: []).path
                == models.appendingPathComponent("robot.xml").path)

        let missing = #expect(throws: SimulationError.self) {
            try ModelLibrary.url(of: "other.xml", override: nil, starts: [deep])
        }
        #expect(missing?.description.contains("make bootstrap") == true)
        let misnamed = #expect(throws: SimulationError.self) {
            try ModelLibrary.url(of: "robot.xml", override: root.path, starts: [deep])
        }
        #expect(misnamed?.description.contains("TRAJECTORY_MODELS") == true)
    }
}
