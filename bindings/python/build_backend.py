"""Builds the wheel of Ordain (PEP 517). The package is plain Python beside a shared library that the
project's own build makes, so there is nothing to compile here, and nothing to download.

ORDAIN_LIBRARIES names the directory of libordain.so and, if there is one, libordain-jit.so; ORDAIN_VERSION the release.
scripts/build-wheel sets both.
"""

import base64
import hashlib
import os
import pathlib
import sysconfig
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
SUMMARY = "Embedded policy engine for software agents"


def _libraries(version):
    """(name in the package, file) of the shared libraries, by the names under which they are loaded."""
    directory = pathlib.Path(os.environ["ORDAIN_LIBRARIES"])
    series = version.rsplit(".", 1)[0]
    engine = directory / f"libordain.so.{series}"
    if not engine.exists():
        raise FileNotFoundError(f"{engine} does not exist: build Ordain with ORDAIN_SHARED first")
    native = directory / f"libordain-jit.so.{series}"
    return [(file.name, file.resolve()) for file in (engine, native) if file.exists()]


def _tag():
    """Any Python 3 of this platform: the library is called through its C interface."""
    return "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")


def _metadata(version):
    return (f"Metadata-Version: 2.1\nName: ordain\nVersion: {version}\nSummary: {SUMMARY}\nLicense: Apache-2.0\n"
            "Requires-Python: >=3.10\nDescription-Content-Type: text/markdown\n\n"
            + (HERE / "README.md").read_text(encoding="utf-8"))


def _files(version):
    """(name in the wheel, content) of everything but the list of these."""
    for file in sorted((HERE / "ordain").rglob("*")):
        if file.suffix == ".py" or file.name == "py.typed":
            yield str(file.relative_to(HERE)), file.read_bytes()
    for name, file in _libraries(version):
        yield f"ordain/_lib/{name}", file.read_bytes()
    info = f"ordain-{version}.dist-info"
    yield f"{info}/METADATA", _metadata(version).encode("utf-8")
    yield f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: ordain\nRoot-Is-Purelib: false\nTag: {_tag()}\n".encode("ascii")


def get_requires_for_build_wheel(config_settings=None):
    return []


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    version = os.environ["ORDAIN_VERSION"]
    name = f"ordain-{version}-{_tag()}.whl"
    listed = []
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as wheel:
        for path, content in _files(version):
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))  # the same files give the same wheel
            entry.external_attr = 0o644 << 16
            wheel.writestr(entry, content, zipfile.ZIP_DEFLATED, 1)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode("ascii")
            listed.append(f"{path},sha256={digest},{len(content)}\n")
        record = f"ordain-{version}.dist-info/RECORD"
        wheel.writestr(zipfile.ZipInfo(record, (1980, 1, 1, 0, 0, 0)), "".join(listed) + f"{record},,\n")
    return name
