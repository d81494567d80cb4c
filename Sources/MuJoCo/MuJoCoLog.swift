import CMuJoCo
import Foundation

/// What becomes of MuJoCo's own messages.
///
/// By default MuJoCo appends warnings to `MUJOCO_LOG.TXT` in the current folder. Here warnings are
/// dropped: what matters of them (a diverged state) can be asked of ``MuJoCoData``. An error, after
/// which MuJoCo ends the process, goes to standard error.
enum MuJoCoLog {
    private static let handler: Void = {
        _ = mju_setLogHandler { message in
            guard let message, message.pointee.level == Int32(mjLOG_ERROR.rawValue) else { return }
            let text = withUnsafeBytes(of: message.pointee.subject) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            try? FileHandle.standardError.write(
                contentsOf: Data("error: MuJoCo: \(text)\n".utf8))
        }
    }()

    /// Replaces MuJoCo's handler; only the first call does anything.
    static func install() { handler }
}
