import Foundation
import Jobs
import Learning
import Training

/// A line on standard error that is overwritten as work goes on, with a bar where there is room.
///
/// Where standard error is no terminal, a plain line now and then instead.
final class ProgressLine {
    private let isTerminal = isatty(FileHandle.standardError.fileDescriptor) != 0
    private var lastShown = ContinuousClock.now - .seconds(60)
    private var isOpen = false

    /// Shows what a job says: notes stay on the screen, and so do milestones.
    func show<Progress>(
        _ event: JobEvent<Progress>, isMilestone: (Progress) -> Bool = { _ in false },
        text: (Progress) -> String
    ) {
        switch event {
        case .note(let line):
            finish()
            Console.progress(line)
        case .progress(let progress):
            let stays = isMilestone(progress)
            guard stays || isDue else { return }
            lastShown = .now
            let line = text(progress)
            guard isTerminal else { return write(line + "\n") }
            let share = (progress as? any PartDone)?.share
            let shown = stays ? line + "\n" : Self.fitted(line, share, width: Self.width)
            write("\r\u{1B}[K" + shown)
            isOpen = !stays
        }
    }

    /// Ends the line, if one is open.
    func finish() {
        if isOpen { write("\n") }
        isOpen = false
    }

    /// A line for a terminal of so many columns, never longer than these, as a longer one could not
    /// be overwritten.
    ///
    /// Parts between two spaces go where they do not fit, the last but one first: how far it is and
    /// how long it takes stay. A bar takes what is left over.
    static func fitted(_ line: String, _ share: Double?, width: Int) -> String {
        // The last column is left free: some terminals wrap when it is written.
        let room = max(width - 1, 1)
        var parts = line.split(separator: "  ").map(String.init)
        while parts.count > 2, parts.joined(separator: "  ").count > room {
            parts.remove(at: parts.count - 2)
        }
        let text = String(parts.joined(separator: "  ").prefix(room))
        let left = min(room - text.count - 4, 30)
        guard let share, left >= 8 else { return text }
        let bar = TextTable.bar(min(max(share, 0), 1), width: left)
        return "▕" + bar + String(repeating: " ", count: left - bar.count) + "▏ " + text
    }

    /// The terminal's columns; 80 where it does not say.
    private static var width: Int {
        var size = winsize()
        let isKnown = ioctl(FileHandle.standardError.fileDescriptor, UInt(TIOCGWINSZ), &size) == 0
        return isKnown && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    private var isDue: Bool {
        ContinuousClock.now - lastShown > (isTerminal ? .milliseconds(100) : .seconds(15))
    }

    private func write(_ text: String) {
        if Together.isFirst { Console.write(text) }
    }
}

/// What can say how much of it is done.
protocol PartDone {
    /// From 0 to 1.
    var share: Double { get }
}

extension TrainingProgress: PartDone {
    var share: Double { Double(step) / Double(max(steps, 1)) }
}

extension LearningProgress: PartDone {
    var share: Double { Double(step) / Double(max(steps, 1)) }
}

extension Share: PartDone {
    var share: Double { Double(done) / Double(max(total, 1)) }
}
