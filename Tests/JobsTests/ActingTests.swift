import Datasets
import Evaluation
import Foundation
import Jobs
import Planning
import TestSupport
import Testing
import Trajectories

@Suite struct ActingTests {
    @Test func `the same settings collect the same file, whatever the number of workers`()
        async throws
    {
        let folder = try TemporaryFolder()
        for workers in [1, 3] {
            var job = CollectionJob(
                .policy("mix:ars-medium+0.1=1,random=1", environment: "hopper"),
                output: folder.file("\(workers).hdf5"))
            job.steps = 300
            job.workers = workers
            var last: Share?
            let result = try await job.run { event in
                if case .progress(let share) = event { last = share }
            }
            #expect(result.transitions == 300 && result.environment == "hopper-v4")
            #expect(last.map { $0.done >= 300 && $0.total == 300 } == true)
        }
        #expect(
            try Data(contentsOf: folder.file("1.hdf5")) == Data(contentsOf: folder.file("3.hdf5")))
    }

    @Test func `only a dataset of a point maze ends episodes at a goal`() async throws {
        var job = CollectionJob(
            .dataset("hopper-ars-medium"), output: URL(fileURLWithPath: "/tmp/none.hdf5"))
        job.untilGoal = true
        let error = await #expect(throws: JobError.self) { try await job.run() }
        #expect(error?.code == .noGoal)
    }

    @Test func `a planner's episodes become data: what was done, and what it brought`() async throws
    {
        let hopper = try await Hopper.shared
        let folder = try TemporaryFolder()
        var job = EvaluationJob(.model(hopper.planner))
        job.episodes = 2
        job.parallel = 2
        job.seed = 3
        job.maximumSteps = 5
        job.log = folder.file("planned.hdf5")
        var steps = 0
        let report = try job.run { event in
            if case .progress(let progress) = event {
                steps += 1
                #expect(progress.episodes == 2 && progress.millisecondsPerPlan != nil)
            }
        }
        #expect(steps == 10 && report.plans == 10 && report.seeds == [3, 4])
        #expect(report.planner?.horizon == 2 && report.planner?.discount == 0.99)
        let data = try TrajectoryDataset(contentsOf: folder.file("planned.hdf5"))
        #expect(data.attributes["environment"] == "hopper-v4")
        #expect(data.trajectories.map(\.count) == [5, 5])
        #expect(data.trajectories.allSatisfy { $0.ending == .timeout })
        for (trajectory, total) in zip(data.trajectories, report.returns) {
            #expect(abs(trajectory.totalReward - total) < 1e-4)
        }
        // The same episodes again, from the logged actions' own environment.
        #expect(try job.run().returns == report.returns)
    }

    @Test func `a policy is scored where it is told to, and refused what it cannot do`() throws {
        var job = EvaluationJob(.policy("random"), in: "hopper")
        job.episodes = 2
        job.maximumSteps = 4
        let report = try job.run()
        #expect(report.lengths == [4, 4] && report.plans == 0 && report.seconds != nil)
        job.paths = URL(fileURLWithPath: "/tmp/none.png")
        var error = #expect(throws: JobError.self) { try job.run() }
        #expect(error?.code == .noMaze)
        job.paths = nil
        job.untilGoal = true
        error = #expect(throws: JobError.self) { try job.run() }
        #expect(error?.code == .noGoal)
        error = #expect(throws: JobError.self) { try EvaluationJob(.policy("random")).run() }
        #expect(error?.code == .noEnvironment)
        job.untilGoal = false
        job.log = URL(fileURLWithPath: "/proc/nowhere/log.hdf5")
        error = #expect(throws: JobError.self) { try job.run() }
        #expect(error?.code == .unwritable)
    }

    @Test func `deadlines are for those who plan`() async throws {
        let hopper = try await Hopper.shared
        var job = EvaluationJob(.model(hopper.planner))
        job.episodes = 1
        job.maximumSteps = 2
        var told: [Double] = []
        let reports = try DeadlineJob(job, deadlines: [20, 50]).run(
            report: { deadline, _ in told.append(deadline) })
        #expect(told == [20, 50])
        #expect(reports.map { $0.planner?.deadlineMilliseconds } == [20, 50])
        let error = #expect(throws: JobError.self) {
            try DeadlineJob(EvaluationJob(.policy("random")), deadlines: [20]).run()
        }
        #expect(error?.code == .invalidSetting)
    }
}
