#!/usr/bin/env python3
"""Writes the files beside it with h5py 3.16: datasets whose data lie, or seem to lie, elsewhere."""
import pathlib

import h5py
import numpy

HERE = pathlib.Path(__file__).resolve().parent
ROWS = 8
DATA = {
    "observations": numpy.arange(3 * ROWS, dtype="f4").reshape(ROWS, 3),
    "actions": numpy.zeros((ROWS, 2), "f4"),
    "rewards": numpy.ones(ROWS, "f4"),
    "terminals": numpy.zeros(ROWS, bool),
    "timeouts": numpy.arange(ROWS) == ROWS - 1,
}


def write(name, but=None):
    file = h5py.File(HERE / f"{name}.hdf5", "w", track_order=False)
    for key, values in DATA.items():
        if key != but:
            file[key] = values
    return file


def main():
    # What the others name: 8 rows of 3 numbers, as they lie in memory.
    (HERE / "numbers.raw").write_bytes((100 + DATA["observations"]).tobytes())
    with write("other") as file:
        file["observations"][...] += 100
    with write("external-storage", "observations") as file:
        file.create_dataset(
            "observations", (ROWS, 3), "f4", external=[("numbers.raw", 0, h5py.h5f.UNLIMITED)])
    with write("external-link", "observations") as file:
        file["observations"] = h5py.ExternalLink("other.hdf5", "observations")
    with write("soft-link-to-external", "rewards") as file:
        file["away"] = h5py.ExternalLink("other.hdf5", "/")
        file["rewards"] = h5py.SoftLink("/away/rewards")
    with write("external-timeouts", "timeouts") as file:
        file["timeouts"] = h5py.ExternalLink("other.hdf5", "timeouts")
    with write("virtual-elsewhere", "observations") as file:
        layout = h5py.VirtualLayout((ROWS, 3), "f4")
        layout[:] = h5py.VirtualSource("other.hdf5", "observations", (ROWS, 3))
        file.create_virtual_dataset("observations", layout)
    with write("virtual-within", "observations") as file:
        file["parts"] = DATA["observations"]
        layout = h5py.VirtualLayout((ROWS, 3), "f4")
        layout[:] = h5py.VirtualSource(".", "parts", (ROWS, 3))
        file.create_virtual_dataset("observations", layout)
    with write("virtual-of-external", "observations") as file:
        file.create_dataset("raw", (ROWS, 3), "f4", external=[("numbers.raw", 0, h5py.h5f.UNLIMITED)])
        layout = h5py.VirtualLayout((ROWS, 3), "f4")
        layout[:] = h5py.VirtualSource(".", "raw", (ROWS, 3))
        file.create_virtual_dataset("observations", layout)
    with write("links-within", "rewards") as file:
        file["group/numbers"] = DATA["rewards"]
        file["rewards"] = h5py.SoftLink("/group/numbers")
    # A group that is a member of itself, as hard links can make it.
    with h5py.File(HERE / "circle.hdf5", "w") as file:
        episode = file.create_group("episode_0")
        group = episode.create_group("observations")
        group["a"] = group
        group["b"] = numpy.zeros((ROWS + 1, 3), "f4")
        for key in ["actions", "rewards"]:
            episode[key] = DATA[key]
        episode["terminations"] = DATA["terminals"]
        episode["truncations"] = DATA["timeouts"]


main()
