import Dispatch
import Foundation
import Planning
import Synchronization

/// Paces a ``LiveSession``: takes what pages ask for, steps at the speed of the simulation or as
/// fast as plans come, and tells what happened.
///
/// ``run()`` does the work on the thread that calls it; everything else returns at once, on any
/// thread. While nobody watches, nothing moves.
public final class LiveLoop: Sendable {
    private struct State {
        var commands: [LiveCommand] = []
        var watchers = 0
        var isEnded = false
        /// What a page is told when it comes: the scene, controls, the episode so far.
        var scene = ""
        var controls = ""
        var episode: [String] = []
    }

    /// How a run goes on; the running thread's own.
    private struct Motion {
        var isRunning = true
        var speed = 1.0
        /// Steps that were asked for one by one.
        var steps = 0
        /// When the next step is due.
        var next = ContinuousClock.now
    }

    /// Orders that may wait.
    private static let mostWaiting = 1000
    /// For how long the end of an episode is looked at.
    private static let pause = Duration.milliseconds(1200)

    private let session: Mutex<LiveSession>
    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)
    private let tell: @Sendable (String) -> Void

    /// A loop over a session, which runs when somebody watches.
    ///
    /// - Parameters:
    ///   - session: The session, from now on the loop's own.
    ///   - isRunning: Whether it moves by itself at first.
    ///   - tell: Given every message for all pages, on the running thread.
    public init(
        _ session: sending LiveSession, isRunning: Bool = true,
        tell: @escaping @Sendable (String) -> Void
    ) {
        let controls = LiveControls(isRunning: isRunning, speed: 1, search: session.options)
        state.withLock {
            $0.scene = Self.text(session.scene)
            $0.controls = Self.text(controls)
            $0.episode = [Self.text(session.start)]
        }
        self.session = Mutex(session)
        self.tell = tell
        self.startsRunning = isRunning
    }

    private let startsRunning: Bool

    // MARK: - From any thread

    /// Somebody watches from now on; returns what they must know first.
    ///
    /// Steps that are told meanwhile may be among it: a page knows them by their number.
    public func join() -> [String] {
        let known = state.withLock { state in
            state.watchers += 1
            return [state.scene, state.controls] + state.episode
        }
        wake.signal()
        return known
    }

    /// Somebody watches no longer.
    public func leave() {
        state.withLock { $0.watchers = max(0, $0.watchers - 1) }
    }

    /// Does what a page asks for, soon.
    ///
    /// - Returns: Nil, or the message for that page that says why nothing is done.
    public func receive(_ text: String) -> String? {
        do throws(LiveError) {
            let command = try LiveCommand(text)
            try state.withLock { state throws(LiveError) in
                guard state.commands.count < Self.mostWaiting else {
                    throw LiveError("\(Self.mostWaiting) orders wait already")
                }
                state.commands.append(command)
            }
            wake.signal()
            return nil
        } catch {
            return Self.text(LiveNotice(text: error.description))
        }
    }

    /// Lets ``run()`` return, also from the middle of a search.
    public func end() {
        state.withLock { $0.isEnded = true }
        wake.signal()
    }

    /// A message as it is sent.
    package static func text(_ message: some Encodable) -> String {
        let encoder = JSONEncoder()
        // A diverged simulation pays what is no number.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        guard let data = try? encoder.encode(message) else {
            preconditionFailure("a message that cannot be JSON: \(message)")
        }
        return String(decoding: data, as: UTF8.self)
    }

    // MARK: - On the running thread

    /// Runs until ``end()``.
    public func run() {
        session.withLock { session in
            var motion = Motion()
            motion.isRunning = startsRunning
            while true {
                let (commands, isWatched, isEnded) = state.withLock { state in
                    defer { state.commands = [] }
                    return (state.commands, state.watchers > 0, state.isEnded)
                }
                guard !isEnded else { return }
                for command in commands { obey(command, session, &motion) }
                guard isWatched, motion.isRunning || motion.steps > 0 else {
                    wake.wait()
                    motion.next = .now
                    continue
                }
                let early = motion.next - .now
                if motion.steps == 0, early > .zero {
                    _ = wake.wait(timeout: .now() + .nanoseconds(Int(early / .nanoseconds(1))))
                    continue
                }
                advance(session, &motion)
            }
        }
    }

    private func advance(_ session: LiveSession, _ motion: inout Motion) {
        guard !session.isOver else {
            motion.steps = max(0, motion.steps - 1)
            return reset(session, seed: nil)
        }
        do throws(PlanningError) {
            let begin = ContinuousClock.now
            let step = try interruptible { () throws(PlanningError) in try session.advance() }
            let duration = Duration.seconds(session.scene.stepDuration / motion.speed)
            motion.steps = max(0, motion.steps - 1)
            // What is late is not caught up with.
            motion.next = max(motion.next, begin) + duration
            if session.isOver { motion.next = .now + Self.pause }
            told(step)
        } catch {
            guard error.code != .cancelled else { return }
            motion.isRunning = false
            motion.steps = 0
            tell(Self.text(LiveNotice(text: "\(error)")))
            showControls(session, motion)
        }
    }

    /// Ends a search in which an order comes: it is for another moment then.
    private func interruptible<Result>(
        _ body: () throws(PlanningError) -> Result
    ) throws(PlanningError) -> Result {
        do {
            return try SearchInterruption.watching({ [self] in
                state.withLock { !$0.commands.isEmpty || $0.isEnded }
            }) { try body() }
        } catch let error as PlanningError {
            throw error
        } catch {
            preconditionFailure("planning throws its own errors, not \(error)")
        }
    }

    private func obey(_ command: LiveCommand, _ session: LiveSession, _ motion: inout Motion) {
        do {
            switch command {
            case .run: motion.isRunning = true
            case .pause:
                motion.isRunning = false
                motion.steps = 0
            case .step(let count):
                motion.isRunning = false
                motion.steps += count
            case .reset(let seed):
                motion.next = .now
                reset(session, seed: seed)
            case .search(let search): try session.change(search)
            case .speed(let speed): motion.speed = speed
            case .push(let force, let steps):
                session.push(SIMD3(force[0], force[1], force[2]), steps: steps)
            case .goal(let goal): try session.setGoal(goal)
            }
        } catch {
            tell(Self.text(LiveNotice(text: "\(error)")))
        }
        showControls(session, motion)
    }

    private func reset(_ session: LiveSession, seed: UInt64?) {
        session.reset(seed: seed)
        let text = Self.text(session.start)
        state.withLock { $0.episode = [text] }
        tell(text)
    }

    private func told(_ step: LiveStep) {
        tell(Self.text(step))
        var past = step
        // Who comes later has no use for old plans, which are most of the bytes.
        past.plan = nil
        let text = Self.text(past)
        state.withLock { $0.episode.append(text) }
    }

    private func showControls(_ session: LiveSession, _ motion: Motion) {
        let text = Self.text(
            LiveControls(
                isRunning: motion.isRunning, speed: motion.speed, search: session.options))
        state.withLock { $0.controls = text }
        tell(text)
    }
}
