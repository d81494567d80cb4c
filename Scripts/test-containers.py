#!/usr/bin/env python3
"""Runs the steps of the Dockerfile and of the workflow as they are written, without Docker.

    Scripts/test-containers.py dockerfile|workflow [--keep FOLDER] [--then COMMAND]

A container is here a bare root of Debian made by debootstrap; on it, where the image has it, lies this machine's Swift
with the packages that the image installs, and what the steps write, each in a layer of its own (overlayfs). Needs root,
debootstrap and Swift; says so and does nothing where one is missing. What this machine is told of mirrors (git's
`insteadOf`, variables of pip) holds in the roots too.

    --keep FOLDER   roots that are there already, and are left there, instead of a temporary folder
    --then COMMAND  instead of what is done at the end: the Dockerfile's image is asked to plan; the workflow's last
                    step, .ci/run, which takes hours, is only named
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# What Swift's own Dockerfile for Debian 12 installs, with recommended packages.
SWIFT_PACKAGES = (
    "binutils libicu-dev libcurl4-openssl-dev libedit-dev libsqlite3-dev libncurses-dev libpython3-dev libxml2-dev"
    " pkg-config uuid-dev tzdata git gcc libstdc++-12-dev"
)
# Image: Debian's release, and whether Swift is in it.
IMAGES = {"swift:6.3-bookworm": ("bookworm", True), "debian:bookworm-slim": ("bookworm", False)}
# Where files of this machine lie in a root: not where a package of Debian would put its own.
MACHINE = "/mnt/machine"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# In namespaces of their own, which end with the step, so that no mount and no process is left.
STEP = r"""
set -e
merged=$1 options=$2 script=$3 machine=$1$4
shift 4
mount -t overlay overlay -o "$options" "$merged"
mount -t proc proc "$merged/proc"
mount -t sysfs -o ro sysfs "$merged/sys"
mount -t devpts devpts "$merged/dev/pts"
mount -t tmpfs tmpfs "$merged/dev/shm"
cp -L /etc/resolv.conf "$merged/etc/resolv.conf"
while [ "$1" != -- ]; do
    target=$machine$1
    if [ -d "$1" ]; then mkdir -p "$target"; else mkdir -p "${target%/*}" && touch "$target"; fi
    mount --bind -o ro "$1" "$target"
    shift
done
shift
eval "$script"
"""


def fail(text):
    sys.exit(f"test-containers: {text}")


def mirrors():
    """Variables that tell git and pip what they are told here, and the local files and folders that these name."""
    listed = subprocess.run(
        ["git", "config", "--get-regexp", r"^url\..*\.insteadof$"], capture_output=True, text=True
    ).stdout.splitlines()
    local = set()

    def inside(path):
        if not (path.startswith("/") and os.path.exists(path)):
            return path
        local.add(path)
        return f"{MACHINE}{path}"

    variables = {name: inside(value) for name, value in os.environ.items() if name.startswith("PIP_")}
    for number, line in enumerate(listed):
        key, value = line.split(" ", 1)
        path = key.removeprefix("url.").removesuffix(".insteadof")
        variables |= {f"GIT_CONFIG_KEY_{number}": f"url.{inside(path)}.insteadof", f"GIT_CONFIG_VALUE_{number}": value}
    return variables | {"GIT_CONFIG_COUNT": str(len(listed))}, sorted(local)


class Stage:
    """A root: layers that are not written to, below one that is."""

    def __init__(self, image, folder, toolchain):
        if image not in IMAGES:
            fail(f"how to make {image} is not known; name it in IMAGES of Scripts/test-containers.py")
        release, has_swift = IMAGES[image]
        self.lower = [debian(release, folder)]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="stage.", dir=folder))
        self.environment, self.cwd, self.entrypoint = {"PATH": PATH, "HOME": "/root"}, "/", []
        self.mirrors, self.bound = mirrors()
        if has_swift:
            packages = folder / f"{release}-swift"
            if not packages.exists():
                self.upper = folder / f"{release}-swift.part"
                shutil.rmtree(self.upper, ignore_errors=True)
                say(f"installing the packages of {image}")
                self.run(
                    "export DEBIAN_FRONTEND=noninteractive; apt-get -q update && apt-get -q install -y "
                    f"{SWIFT_PACKAGES} && rm -r /var/lib/apt/lists/*", quiet=True)
                self.upper.rename(packages)
            self.lower = [toolchain, packages, *self.lower]
        self.upper = self.folder / "upper"

    def run(self, command, shell=("/bin/sh", "-c"), quiet=False, outside=None):
        for each in (self.upper, self.folder / "merged", self.folder / "work"):
            each.mkdir(exist_ok=True)
        options = f"lowerdir={':'.join(map(str, self.lower))},upperdir={self.upper},workdir={self.folder / 'work'}"
        merged = self.folder / "merged"
        settings = [f"{name}={value}" for name, value in (self.environment | self.mirrors).items()]
        script = outside or 'exec chroot "$merged" /usr/bin/env -i -C "$@"'
        started = time.monotonic()
        result = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "/bin/sh", "-c", STEP, "sh",
             merged, options, script, MACHINE, *self.bound, "--", self.cwd, *settings, *shell, command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.STDOUT if quiet else None)
        if result.returncode:
            if quiet:
                print(result.stdout.decode(errors="replace")[-2000:])
            fail(f"exit {result.returncode} of: {command}")
        return time.monotonic() - started

    def copy(self, source, target):
        """As COPY does: what is in a folder, into a folder, all root's."""
        inside = f'"$merged{target}/"'
        self.run("copy", outside=f'mkdir -p {inside} && cp -a --no-preserve=ownership "{source}/." {inside}')

    def size(self):
        return int(subprocess.check_output(["du", "-sm", self.upper]).split()[0])


def debian(release, folder):
    base = folder / release
    if not base.exists():
        say(f"making a root of Debian ({release})")
        shutil.rmtree(f"{base}.part", ignore_errors=True)
        made = subprocess.run(
            ["debootstrap", "--variant=minbase", release, f"{base}.part"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if made.returncode:
            print(made.stdout.decode(errors="replace")[-2000:])
            fail("debootstrap failed")
        sources = pathlib.Path(f"{base}.part/etc/apt/sources.list")
        mirror = sources.read_text().split()[1]
        # As the image has them.
        security = f"{mirror.rstrip('/')}-security"
        suites = [(mirror, release), (mirror, f"{release}-updates"), (security, f"{release}-security")]
        sources.write_text("".join(f"deb {where} {suite} main\n" for where, suite in suites))
        os.rename(f"{base}.part", base)
    return base


def say(text):
    print(f"test-containers: {text}", flush=True)


def context(folder):
    """A copy of this tree without what .dockerignore names."""
    patterns = []
    for line in (ROOT / ".dockerignore").read_text().split("\n"):
        line = line.strip().strip("/")
        if line.startswith("!"):
            fail(".dockerignore: exceptions are not read here")
        if line and not line.startswith("#"):
            escaped = re.escape(line).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
            patterns.append(re.compile(escaped))

    def ignored(directory, names):
        below = pathlib.Path(directory).relative_to(ROOT)
        return [name for name in names if any(each.fullmatch(str(below / name)) for each in patterns)]

    target = folder / "context"
    shutil.copytree(ROOT, target, symlinks=True, ignore=ignored)
    return target


def instructions(text):
    """The Dockerfile's instructions, a line each."""
    lines = [line for line in text.split("\n") if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").split("\n"):
        if line.strip():
            name, rest = line.strip().split(None, 1)
            yield name.upper(), rest.strip()


def test_dockerfile(folder, toolchain, then):
    stages, stage = {}, None
    tree = context(folder)
    say(f"the context is {int(subprocess.check_output(['du', '-sm', tree]).split()[0])} MB")
    for name, rest in instructions((ROOT / "Dockerfile").read_text()):
        say(f"{name} {rest}")
        if name == "FROM":
            image, _, label = re.fullmatch(r"(\S+)(\s+AS\s+(\S+))?", rest, re.I).groups()
            stage = Stage(image, folder, toolchain)
            stages[label or str(len(stages))] = stage
        elif name == "WORKDIR":
            stage.run(f"mkdir -p '{rest}'")
            stage.cwd = rest
        elif name == "COPY":
            matched = re.fullmatch(r"(?:--from=(\S+) )?(\S+) (\S+)", rest)
            origin, source, target = matched.groups()
            # What this Dockerfile copies is what a step has written: it lies whole in the layer.
            stage.copy(stages[origin].upper / source.lstrip("/") if origin else tree / source, target)
        elif name == "RUN":
            say(f"took {stage.run(rest):.0f} s")
        elif name == "ENTRYPOINT":
            stage.entrypoint = json.loads(rest)
        else:
            fail(f"the Dockerfile's {name} is not known here")
    say(f"the image has {stage.size()} MB above Debian's")
    program = stage.entrypoint[0]
    commands = [then] if then else [
        f"{program} --version", f"{program} --help", f"{program} dataset --help",
        f"{program} evaluate --checkpoint hopper --episodes 1",
        f"{program} collect --env hopper --policy expert --steps 1000 --output data.hdf5",
        f"{program} train --dataset data.hdf5 --output run --steps 20 --layers 1 --width 16 --heads 2 --batch-size 8",
    ]
    for command in commands:
        say(command)
        stage.run(command)


def test_workflow(folder, toolchain, then):
    text = (ROOT / ".github/workflows/ci.yml").read_text()
    stage = Stage(re.search(r"^    container: (\S+)$", text, re.M).group(1), folder, toolchain)
    # As the runner has it: the folder is another user's, and the home is not root's.
    workspace = "/__w/trajectory-transformer/trajectory-transformer"
    stage.environment |= {"CI": "true", "GITHUB_WORKSPACE": workspace, "HOME": "/github/home"}
    stage.run(f"mkdir -p {workspace} /github/home && chown -R 1001:1001 /__w /github")
    shell = ("/bin/bash", "-e", "-c")
    for uses, run in re.findall(r"^      (?:- |  )(?:uses: (\S+)|run: (.+))$", text, re.M):
        say(uses or run)
        if uses.startswith("actions/checkout@"):
            clone = folder / "clone"
            subprocess.run(["git", "clone", "-q", "--no-hardlinks", ROOT, clone], check=True)
            inside = f'"$merged{workspace}/"'
            stage.run("checkout", outside=f'cp -a "{clone}/." {inside} && chown -R 1001:1001 {inside}')
            stage.cwd = workspace
        elif uses:
            fail(f"what {uses} does is not known here")
        elif run == ".ci/run":
            if then:
                say(f"instead: {then}")
                say(f"took {stage.run(then, shell):.0f} s")
        else:
            say(f"took {stage.run(run, shell):.0f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["dockerfile", "workflow"])
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--then")
    arguments = parser.parse_args()
    swift = shutil.which("swift")
    missing = [name for name, there in [
        ("root", os.geteuid() == 0), ("debootstrap", shutil.which("debootstrap")), ("swift", swift),
        ("leave to mount", subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL).returncode == 0),
    ] if not there]
    toolchain = pathlib.Path(swift).resolve().parents[2] if swift else None
    if toolchain == pathlib.Path("/"):
        missing.append("a Swift in a folder of its own")
    if missing:
        say(f"skipped: needs {' and '.join(missing)}")
        return
    test = {"dockerfile": test_dockerfile, "workflow": test_workflow}[arguments.what]
    with tempfile.TemporaryDirectory(dir=arguments.keep and arguments.keep.parent) as temporary:
        folder = arguments.keep or pathlib.Path(temporary)
        folder.mkdir(exist_ok=True)
        for each in ("context", "clone"):
            shutil.rmtree(folder / each, ignore_errors=True)
        test(folder.resolve(), toolchain, arguments.then)
    say(f"the {arguments.what}'s steps work in bare roots of Debian")


main()
