"""Stand-ins for conda, mamba, micromamba and docker: small programs that speak the same arguments.

What they know of the real ones: the options (from their documentation), the exit codes, and where their words
go. They make environments as bare as those of Python's `venv`, and images that are a file with a digest.
"""

import sys
from pathlib import Path

__all__ = ["CONDA", "DOCKER", "install"]

#: Not that of a venv.
_PYTHON = str(Path(sys.base_prefix, "bin", "python3"))
_MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
_COMMON = f"""#!{sys.executable} -ES
import hashlib, json, os, subprocess, sys, time
from pathlib import Path
HERE, WORDS = Path(__file__).resolve().parent, sys.argv[1:]
with (HERE / "calls").open("a") as calls:
    calls.write(json.dumps([Path(__file__).name, *WORDS]) + "\\n")
def fail(code, *lines):
    print(*lines, sep="\\n", file=sys.stderr)
    sys.exit(code)
def maybe(text):
    for word, does in MOODS.items():
        if word in text:
            does()
"""

CONDA = (
    _COMMON
    + f"""
def offline():
    fail(1, "CondaHTTPError: HTTP 000 CONNECTION FAILED for url <https://me:s3cret@conda.example.org/t/t0ken/linux-64>")
def missing():
    fail(1, "ResolvePackageNotFound: ", "  - no-such-package")
def hang():
    time.sleep(300)
MOODS = {{"be-offline": offline, "no-such-package": missing, "hang": hang}}

NAME = Path(__file__).name
START = ["create", "-y"] if NAME == "micromamba" else ["env", "create"]
if WORDS[:2] != START:
    fail(2, f"{{NAME}}: error: argument COMMAND: invalid choice: {{WORDS[:1]}}")
if NAME != "micromamba" and os.environ.get("CONDA_ALWAYS_YES") != "true":
    fail(1, "Proceed ([y]/n)? EOF")
rest = WORDS[2:]
if rest[::2] != ["-p", "-f"]:
    fail(2, f"{{NAME}}: error: unrecognized arguments: {{rest}}")
prefix, spec = Path(rest[1]), Path(rest[3]).read_text()
if (HERE / "down").exists():
    offline()
if prefix.exists():
    fail(1, f"CondaValueError: prefix already exists: {{prefix}}")
maybe(spec)
(HERE / "spec.yml").write_text(spec)
library = prefix / "lib" / "python{_MINOR}" / "site-packages"
for folder in (prefix / "bin", prefix / "conda-meta", library):
    folder.mkdir(parents=True)
(prefix / "bin" / "python").symlink_to({_PYTHON!r})
(prefix / "pyvenv.cfg").write_text(
    "home = " + os.path.dirname({_PYTHON!r}) + "\\ninclude-system-site-packages = false\\n"
)
for name, version in (("python", "3.11.7"), ("libgfortran", "13.2.0")):
    about = {{"name": name, "version": version, "build": "h1_0"}}
    (prefix / "conda-meta" / f"{{name}}-{{version}}-h1_0.json").write_text(json.dumps(about))
(library / "pip").mkdir()
(library / "pip" / "__main__.py").write_text(
    "import sys, pathlib\\n"
    "about = pathlib.Path(__file__).parents[1] / 'tiny_model-1.0.dist-info'\\n"
    "about.mkdir()\\n"
    "(about / 'METADATA').write_text('Name: tiny-model\\\\nVersion: 1.0\\\\n')\\n"
    "(about / 'WORDS').write_text(' '.join(sys.argv[1:]))\\n"
)
if "with-activation" in spec:
    scripts = prefix / "etc" / "conda" / "activate.d"
    scripts.mkdir(parents=True)
    (scripts / "proj.sh").write_text("export PROJ_DATA=x")
print("done")
"""
)

DOCKER = (
    _COMMON
    + f"""
def offline():
    fail(1, "ERROR: failed to solve: python:3.11: dial tcp: lookup registry.example.org: no such host")
def broken():
    fail(1, "#6 [2/3] RUN make", "#6 0.2 make: *** No rule to make target", "ERROR: failed to solve")
def hang():
    time.sleep(300)
def down():
    fail(1, "Cannot connect to the Docker daemon at unix:///x.sock. Is the docker daemon running?")
MOODS = {{"be-offline": offline, "RUN make": broken, "hang": hang}}

if (HERE / "down").exists():
    down()
images = HERE / "images"
images.mkdir(exist_ok=True)
if WORDS[0] == "build":
    options, context = WORDS[1:-1], Path(WORDS[-1])
    given = {{}}
    while options:
        name = options.pop(0)
        if name in ("--no-cache", "--pull"):
            given[name] = True
        elif name in ("--iidfile", "--tag", "--label", "--build-arg"):
            given[name] = options.pop(0)
        else:
            fail(125, f"unknown flag: {{name}}")
    recipe = (context / "Dockerfile").read_text()
    maybe(recipe)
    content = recipe + "".join(sorted(path.name for path in context.iterdir()))
    content += str(time.time_ns()) if "--no-cache" in given else ""
    digest = "sha256:" + hashlib.sha256(content.encode()).hexdigest()
    about = {{"recipe": recipe, "tag": given["--tag"], "label": given["--label"]}}
    (images / digest).write_text(json.dumps(about))
    Path(given["--iidfile"]).write_text(digest)
    print("#1 [internal] load build definition from Dockerfile", file=sys.stderr)
elif WORDS[:4] == ["image", "inspect", "--format", "{{{{.Id}}}}"]:
    if not (images / WORDS[4]).exists():
        fail(1, "", f"Error response from daemon: No such image: {{WORDS[4]}}")
    print(WORDS[4])
elif WORDS[0] == "run" and "--entrypoint" not in WORDS:
    at = next(place for place, word in enumerate(WORDS) if (images / word).is_file())
    about = json.loads((images / WORDS[at]).read_text())
    mounts = [word.split(",")[1:3] for before, word in zip(WORDS, WORDS[1:]) if before == "--mount"]
    source = {{target: source for source, target in mounts}}["target=/app/input"]
    app = Path(source.removeprefix("source=")).parent
    own = {{"ENTRYPOINT": [], "CMD": []}}
    for line in about["recipe"].splitlines():
        if line.split(" ")[0] in own:
            own[line.split(" ")[0]] = json.loads(line.partition(" ")[2])
    # The context, as if it were copied to /app; what a run may see lies there, too.
    sys.exit(subprocess.run([*own["ENTRYPOINT"], *(WORDS[at + 1 :] or own["CMD"])], cwd=app).returncode)
elif WORDS[0] == "run":
    at = WORDS.index("--entrypoint")
    image = json.loads((images / WORDS[at + 2]).read_text())
    if "FROM python" not in image["recipe"]:
        fail(127, "docker: Error response from daemon: failed to create task for container: exec: not found")
    sys.exit(subprocess.run([{_PYTHON!r}, *WORDS[at + 3 :]]).returncode)
else:
    fail(1, f"docker: '{{WORDS[0]}}' is not a docker command.")
"""
)


def install(program: str, folder: Path, *names: str) -> None:
    """Write a stand-in under names of real programs into a folder that is, or will be, on PATH."""
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(program)
        (folder / name).chmod(0o755)
