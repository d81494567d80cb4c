import Environments
import Evaluation
import Testing
import Trajectories

/// What environment data are of, by Gymnasium's description in them.
@Suite struct RecordedEnvironmentTests {
    private func recorded(
        _ id: String, _ more: String = #""kwargs": {}"#, evaluation: String? = nil
    ) -> RecordedEnvironment {
        var attributes = [
            "environment": id, "env_spec": "{\"id\": \"\(id)\", \(more)}",
        ]
        attributes["eval_env_spec"] = evaluation
        return RecordedEnvironment(attributes, file: "data")
    }

    @Test func `an environment as its name stands for it needs no word`() {
        for more in [
            #""kwargs": {}, "max_episode_steps": 1000, "additional_wrappers": []"#,
            #""kwargs": {"render_mode": "rgb_array", "width": 64}, "max_episode_steps": null"#,
        ] {
            let plain = recorded("Hopper-v5", more)
            #expect(plain.name == "Hopper-v5" && plain.notes == [])
        }
        let own = RecordedEnvironment(["environment": "hopper-v4"], file: "data")
        #expect(own.name == "hopper-v4" && own.notes == [])
        #expect(RecordedEnvironment([:], file: "data").name == nil)
        #expect(recorded("CartPole-v1", #""kwargs": {"a": 1}"#).name == "CartPole-v1")
        // A name that was given anew counts.
        let renamed = RecordedEnvironment(
            ["environment": "ant", "env_spec": #"{"id": "Hopper-v5", "kwargs": {"a": 1}}"#],
            file: "data")
        #expect(renamed.name == "ant" && renamed.notes == [])
    }

    @Test func `other settings make another environment, which there is not`() {
        let changed = recorded(
            "Hopper-v5",
            #""kwargs": {"forward_reward_weight": 10, "healthy_reward": 0}, "max_episode_steps": 15"#
        )
        #expect(
            changed.name == "Hopper-v5(forward_reward_weight=10, healthy_reward=0, "
                + "max_episode_steps=15)")
        #expect(changed.notes.count == 1)
        #expect(changed.notes[0].contains("it is not hopper-v5"))
        let error = #expect(throws: EnvironmentError.self) {
            try EnvironmentRegistry.make(changed.name ?? "")
        }
        #expect(error?.code == .unknownName && error?.detail.contains("settings") == true)
        let wrapped = recorded(
            "Hopper-v5", #""kwargs": {}, "additional_wrappers": [{"name": "ClipReward"}]"#)
        #expect(wrapped.name == #"Hopper-v5(additional_wrappers=["ClipReward"])"#)
    }

    @Test func `a maze's own map and reward are built`() throws {
        let usual = recorded(
            "PointMaze_UMaze-v3",
            #""kwargs": {"maze_map": [[1,1,1,1,1],[1,0,0,0,1],[1,1,1,0,1],[1,0,0,0,1],[1,1,1,1,1]], "#
                + #""reward_type": "sparse", "continuing_task": true, "reset_target": false}, "#
                + #""max_episode_steps": 1000000"#)
        #expect(usual.name == "PointMaze_UMaze-v3" && usual.notes == [], "\(usual.notes)")
        let map = #""kwargs": {"maze_map": [[1,1,1,1,1],[1,"r",0,"g",1],[1,1,1,1,1]]"#
        let other = recorded("PointMaze_UMaze-v3", map + "}")
        #expect(other.name == "pointmaze:11111;1r0g1;11111" && other.notes.count == 1)
        let maze = try EnvironmentRegistry.make(other.name ?? "") as? any MazeSimulation
        #expect(maze?.map == (try MazeMap("11111\n1r0g1\n11111", name: "own")))
        #expect(maze?.rules.reward == .sparse)
        let dense = recorded(
            "PointMaze_UMaze-v3", map + #", "reward_type": "dense", "reset_target": true}"#)
        #expect(dense.name == "pointmaze-dense:11111;1r0g1;11111")
        #expect(dense.notes.count == 2 && dense.notes[1].contains("reset_target=true"))
    }

    @Test func `an evaluation elsewhere is told of`() {
        let spec = #"{"id": "Hopper-v5", "kwargs": {}}"#
        #expect(recorded("Hopper-v5", evaluation: spec).notes == [])
        let other = recorded(
            "Hopper-v5", evaluation: #"{"id": "Hopper-v4", "kwargs": {"healthy_reward": 2}}"#)
        #expect(
            other.notes == [
                "'data' is meant to be evaluated in another environment than its own: Hopper-v4 "
                    + "with healthy_reward=2"
            ])
        let fewer = recorded(
            "PointMaze_UMaze-v3", #""kwargs": {"reset_target": true}"#,
            evaluation: #"{"id": "PointMaze_UMaze-v3", "kwargs": {}}"#)
        #expect(fewer.notes.last?.hasSuffix("PointMaze_UMaze-v3 without reset_target") == true)
        #expect(recorded("Hopper-v5", evaluation: "{").notes == [])
    }

    @Test func `data with goals among their observations are told which entry to read`() throws {
        func check(_ width: Int, _ name: String?) throws -> String? {
            try DatasetEnvironment.check(
                name, recorded: "pointmaze-umaze",
                layout: TransitionLayout(observationDimension: width, actionDimension: 2),
                keepsPart: false, file: "data")
        }
        #expect(try check(4, "pointmaze-umaze") == nil)
        let joined = #expect(throws: DatasetMismatch.self) { try check(8, "pointmaze-umaze") }
        #expect(joined?.code == .joinedGoals && joined?.detail.contains("'observation'") == true)
        let other = #expect(throws: DatasetMismatch.self) { try check(11, "pointmaze-umaze") }
        #expect(other?.code == .otherEnvironment)
        #expect(try check(8, nil)?.contains("goals are joined") == true)
        #expect(try check(4, nil) == nil)
    }
}
