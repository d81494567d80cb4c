import CKernels
import RandomNumbers

extension Dropout {
    /// What the kernels take.
    var kernel: tt_dropout {
        tt_dropout(key0: key0, key1: key1, threshold: threshold, scale: scale)
    }
}
