"""A wheel for one platform and every Python: the library is found by ctypes, not by Python's own interface."""

import platform
import re
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.dist import Distribution


class Binary(Distribution):
    """Holds a shared library, so it is installed for one platform."""

    def has_ext_modules(self) -> bool:
        return True


class Wheel(bdist_wheel):
    """Of this machine's architecture, for glibc 2.35 (Ubuntu 22.04, Debian 12) and later."""

    def get_tag(self) -> "tuple[str, str, str]":
        return "py3", "none", f"manylinux_2_35_{platform.machine()}"


def version() -> str:
    """The package's, which stands in one place, beside Swift's sources."""
    text = (Path(__file__).parent / "../Sources/Release/Release.swift").read_text()
    found = re.search(r'version = "([^"]+)"', text)
    assert found, "Sources/Release/Release.swift names no version"
    return found.group(1)


setup(version=version(), distclass=Binary, cmdclass={"bdist_wheel": Wheel})
