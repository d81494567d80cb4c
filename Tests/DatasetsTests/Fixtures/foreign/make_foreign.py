"""Makes the HDF5 files beside this script with h5py 3.16 (HDF5 2.0) and hdf5plugin 6."""

import h5py
import hdf5plugin
import numpy as np

ROWS = 40
OBSERVATIONS = 1 + np.arange(ROWS * 2).reshape(ROWS, 2).astype("f4") // 20


def write(name, observations=True, flags="i1", compression=None, **options):
    file = h5py.File(f"{name}.hdf5", "w", **options)
    if observations:
        file.create_dataset("observations", data=OBSERVATIONS, **(compression or {}))
    file["actions"] = np.ones((ROWS, 1), "f4")
    file["rewards"] = np.ones(ROWS, "f4")
    file["terminals"] = np.zeros(ROWS, flags)
    file["timeouts"] = (np.arange(ROWS) == ROWS - 1).astype(flags)
    return file


def virtual(name, source, dataset="observations", rows=ROWS, own=False):
    with write(name, observations=False) as file:
        if own:
            file["copy"] = OBSERVATIONS
        layout = h5py.VirtualLayout((ROWS, 2), "f4")
        layout[:rows] = h5py.VirtualSource(source, dataset, shape=(ROWS, 2))[:rows]
        file.create_virtual_dataset("observations", layout)


write("lzf", compression={"compression": "lzf"}).close()
write("blosc", compression=hdf5plugin.Blosc()).close()
write("zstd", compression=hdf5plugin.Zstd()).close()
write("newer", flags="?", libver=("v112", "latest")).close()
with h5py.File("short.hdf5", "w") as short:
    short["observations"] = OBSERVATIONS[: ROWS // 2]
virtual("virtual-own", ".", "copy", own=True)
virtual("virtual-own-missing", ".", "copy")
virtual("virtual-missing", "nowhere.hdf5")
virtual("virtual-name", "short.hdf5", "none")
virtual("virtual-short", "short.hdf5")
virtual("virtual-part", ".", "copy", rows=30, own=True)
