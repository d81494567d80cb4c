#!/usr/bin/env bash
# Installs what the project builds on, and nothing twice: Debian packages by apt where that is
# allowed, MuJoCo and the robot models from their PyPI wheels (pinned by version and SHA-256) into
# .deps/. Does nothing, quickly, when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
deps=$root/.deps

packages=(libdnnl-dev libhdf5-dev zlib1g-dev libosmesa6-dev libegl-dev ffmpeg pkg-config gnuplot-nox fonts-dejavu-core)
mujoco_version=3.17.0
# MuJoCo comes from PyPI; any Python with pip fetches it.
python3 -m pip --version >/dev/null 2>&1 || packages+=(python3 python3-pip)

fail() { echo "bootstrap: $*" >&2; exit 1; }

# --- Swift and Debian packages ----------------------------------------------------------------
# All that is missing and cannot be installed here is said at once.
problems=()
command -v swift >/dev/null ||
    problems+=("Swift 6.3 is missing (no swift on the PATH): get it for Debian 12 from https://www.swift.org/install/linux, unpack it and put its usr/bin on the PATH")
missing=()
if command -v dpkg-query >/dev/null; then
    for package in "${packages[@]}"; do
        dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
else
    echo "bootstrap: not a Debian system; make sure that these are installed (Debian's names): ${packages[*]}" >&2
fi
root_by=()
if ((EUID != 0)); then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        root_by=(sudo)
    elif ((${#missing[@]})); then
        problems+=("these Debian packages are missing and apt needs root; run as root:
  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}")
    fi
fi
if ((${#problems[@]})); then
    printf 'bootstrap: %s\n' "${problems[@]}" >&2
    exit 1
fi
if ((${#missing[@]})); then
    echo "bootstrap: installing ${missing[*]}" >&2
    "${root_by[@]}" apt-get update -qq >&2
    "${root_by[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
python3 -m pip --version >/dev/null 2>&1 || fail "python3 with pip is needed to fetch MuJoCo's wheel; apt-get install python3-pip"

# --- MuJoCo and the robot models -------------------------------------------------------------
case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) platform=manylinux_2_28_x86_64 mujoco_sha=d66928d86a2d1b601bbaa4dc11db50214d17d5301bb8afd84721313b67ff0874 ;;
    Linux-aarch64) platform=manylinux_2_28_aarch64 mujoco_sha=91a70ed9979c383ff1f5c03f25cc2e1280a8254c1a8e558d5dd7f4184f01efc9 ;;
    *) fail "no MuJoCo wheel is pinned for $(uname -s) on $(uname -m); unpack MuJoCo $mujoco_version into .deps/mujoco by hand" ;;
esac
gymnasium_sha=1cb947c59e7c72d8eabb2c2274c00cd20948e69f8452a9ef4092223be24fdf0e
robotics_sha=a1743530431cb377e6b3b956d284bc96436fc68bac1648ef205054c178e7dc4b

stamp="mujoco $mujoco_version $mujoco_sha gymnasium $gymnasium_sha robotics $robotics_sha"
# The hashes of all files that were unpacked.
unpacked() { (cd "$deps" && find mujoco models pkgconfig -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum); }
if [[ "$(cat "$deps/stamp" 2>/dev/null)" != "$stamp" ]]; then
    rm -f "$deps/hashes"
    echo "bootstrap: fetching MuJoCo $mujoco_version and the robot models into .deps/" >&2
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    fetch() { # name==version, sha256, extra pip options
        echo "$1 --hash=sha256:$2" >"$work/requirements.txt"
        python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: "${@:3}" \
            --require-hashes -r "$work/requirements.txt" -d "$work" ||
            fail "could not fetch $1 from PyPI (see pip's message above)"
    }
    fetch "mujoco==$mujoco_version" "$mujoco_sha" --python-version 3.11 --platform "$platform"
    fetch gymnasium==1.4.0 "$gymnasium_sha"
    fetch gymnasium-robotics==1.4.2 "$robotics_sha"
    for wheel in "$work"/*.whl; do python3 -m zipfile -e "$wheel" "$work/unpacked"; done

    rm -rf "$deps/mujoco" "$deps/models" "$deps/pkgconfig"
    mkdir -p "$deps/mujoco/lib" "$deps/mujoco/include" "$deps/models" "$deps/pkgconfig"
    cp -r "$work/unpacked/mujoco/include/mujoco" "$deps/mujoco/include/"
    cp "$work/unpacked/mujoco/libmujoco.so.$mujoco_version" "$deps/mujoco/lib/"
    ln -s "libmujoco.so.$mujoco_version" "$deps/mujoco/lib/libmujoco.so"
    cp "$work"/unpacked/gymnasium/envs/mujoco/assets/*.xml "$deps/models/"
    cp "$work/unpacked/gymnasium_robotics/envs/assets/point/point.xml" "$deps/models/"
    cat >"$deps/pkgconfig/mujoco.pc" <<"PC"
prefix=${pcfiledir}/../mujoco

Name: mujoco
Description: MuJoCo physics
Version: MUJOCO_VERSION
Cflags: -I${prefix}/include
Libs: -L${prefix}/lib -lmujoco
PC
    sed -i "s/MUJOCO_VERSION/$mujoco_version/" "$deps/pkgconfig/mujoco.pc"
    unpacked | sha256sum >"$deps/hashes"
    echo "$stamp" >"$deps/stamp"
fi

# What lies there is what was unpacked, today as well: a library that was changed or cut short is not built with.
[[ -f $deps/hashes ]] || unpacked | sha256sum >"$deps/hashes"
unpacked | sha256sum | cmp -s - "$deps/hashes" ||
    fail "the files in .deps are not those that were unpacked there; remove .deps/stamp and run it again"