"""The wheel: what is in it, how much that is, and that it works where the source is not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from hatch_build import pack
from sse_core.testing import dialects, exchanges, sessions, vectors

ROOT = Path(__file__).parents[2]
MEBIBYTE = 2**20


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


def test_it_is_small(wheel: Path) -> None:
    """With what it needs, of which the size is not ours to say, it takes less than 3 MiB."""
    with ZipFile(wheel) as files:
        assert sum(file.file_size for file in files.infolist()) < 1.2 * MEBIBYTE


def test_it_works_where_the_source_is_not(wheel: Path, tmp_path: Path) -> None:
    with ZipFile(wheel) as files:
        files.extractall(tmp_path)
    script = (
        "from sse_adapters import threads\n"
        "from sse_core.testing import dialects, vectors\n"
        "print(vectors.__file__, len(vectors.load()), len(dialects.load()))"
    )
    command = [sys.executable, "-c", script]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    said = subprocess.check_output(command, cwd=tmp_path, env=environment, text=True).split()
    assert said[0].startswith(str(tmp_path))
    assert said[1:] == [str(len(vectors.load())), str(len(dialects.load()))]


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The kit as it is where it was installed."""
    path = tmp_path / "spec.tar.gz"
    pack(ROOT / "spec", path)
    with monkeypatch.context() as patch:
        patch.setattr(vectors, "ARCHIVE", path)
        yield path


@pytest.mark.parametrize("kit", [vectors, exchanges, sessions, dialects], ids=lambda kit: kit.__name__)
def test_vectors_from_the_archive_are_those_of_the_source(kit: Any, archive: Path) -> None:
    installed = kit.load()
    assert vectors.spec_folder("decoder") != ROOT / "spec" / "decoder"
    assert installed == kit.load()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "ARCHIVE", archive.with_name("none"))
        assert installed == kit.load()


def test_the_same_files_make_the_same_archive(tmp_path: Path) -> None:
    packed = [tmp_path / "one", tmp_path / "two"]
    for path in packed:
        pack(ROOT / "spec", path)
    assert packed[0].read_bytes() == packed[1].read_bytes()


def test_it_names_the_licence_of_the_recordings_too(wheel: Path) -> None:
    """E9."""
    with ZipFile(wheel) as files:
        names = files.namelist()
        metadata = files.read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert "License-Expression: MIT AND Apache-2.0" in metadata
    assert {Path(name).name for name in names if "/licenses/" in name} == {"LICENSE", "LICENSE-APACHE"}
