"""Packs `spec` into the wheel as one archive: 135 KB in place of 570 files and 1.3 MB."""

from __future__ import annotations

import gzip
import json
import tarfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SpecArchive(BuildHookInterface[Any]):
    """An editable install reads `spec` itself."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the archive to what goes into the wheel."""
        if version != "editable":
            self._folder = TemporaryDirectory()
            archive = Path(self._folder.name, "spec.tar.gz")
            pack(Path(self.root, "spec"), archive)
            build_data["force_include"][str(archive)] = "sse_core/testing/spec.tar.gz"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the archive, which is in the wheel by now."""
        if version != "editable":
            self._folder.cleanup()


def pack(folder: Path, archive: Path) -> None:
    """Pack the files of a folder: the same files give the same bytes, whenever and by whomever it is done."""
    with (
        archive.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name not in FOR_READERS:
                content = compact(path.read_bytes()) if path.suffix == ".json" else path.read_bytes()
                member = tarfile.TarInfo(path.relative_to(folder).as_posix())
                member.size = len(content)
                tar.addfile(member, BytesIO(content))


def compact(text: bytes) -> bytes:
    """Return JSON without the white space that it has for readers of the source."""
    return json.dumps(json.loads(text), separators=(",", ":")).encode()


FOR_READERS = ("README.md", "schema.json")
"""Files that nothing in the package reads."""
