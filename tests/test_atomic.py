"""Files that are replaced as a whole: targets, modes, remains, readers."""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sk_memorize import _atomic
from sk_memorize._atomic import open_file, replacing


def write(path, content=b"new"):
    with replacing(path) as temporary:
        temporary.write_bytes(content)


@pytest.mark.parametrize("name", ["m" * 255, "\udcff\n", "ä" * 127, " "])
def test_every_name_that_a_file_can_have(name, tmp_path):
    path = tmp_path / name
    for content in (b"old", b"new"):
        write(path, content)
        with open_file(path) as file:
            assert file.read() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_and_its_target_is_written(exists, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/target")
    if exists:
        (tmp_path / "folder/target").write_bytes(b"longer than it will be")
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder/target").read_bytes() == b"new"


def test_modes_are_those_of_open(tmp_path):
    old = tmp_path / "old"
    old.touch()
    old.chmod(0o604)
    before = os.umask(0o027)
    try:
        (tmp_path / "plain").touch()
        for name in ("old", "new"):
            write(tmp_path / name)
    finally:
        os.umask(before)
    assert stat.S_IMODE(old.stat().st_mode) == 0o604
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_devices_are_written_and_pipes_refused(tmp_path):
    write(Path("/dev/null"))
    assert Path("/dev/null").is_char_device()
    with pytest.raises(OSError, match="No space left"):
        write(Path("/dev/full"))
    os.mkfifo(pipe := tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for use in (write, open_file):
        with pytest.raises(OSError, match=r"no ordinary file: .*pipe"):
            use(pipe)
        with pytest.raises(OSError, match="Too many levels of symbolic links"):
            use(tmp_path / "loop")
    with pytest.raises(OSError, match="no ordinary file: '/dev/zero'"):
        open_file(Path("/dev/zero"))
    assert sorted(tmp_path.iterdir()) == [tmp_path / "loop", pipe]


def test_a_protected_file_is_left_alone(tmp_path, monkeypatch):
    write(path := tmp_path / "m", b"old")
    # The superuser, who may run the tests, can write to all files.
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(PermissionError, match=r"protected: .*m'"):
        write(path)
    assert path.read_bytes() == b"old"
    write(tmp_path / "new")


KILLED = """
import os, pathlib, runpy, sys
replacing = runpy.run_path(sys.argv[1])["replacing"]
with replacing(pathlib.Path(sys.argv[2])) as temporary:
    temporary.write_bytes(b"half")
    os.kill(os.getpid(), 9)
"""


def test_files_of_killed_runs_are_removed(tmp_path):
    path = tmp_path / "m"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", KILLED, _atomic.__file__, path])
        assert len(list(tmp_path.iterdir())) == 1  # the first one is removed
    with replacing(path) as temporary:
        write(tmp_path / "other")  # removes what nobody writes to
        temporary.write_bytes(b"new")
    assert sorted(tmp_path.iterdir()) == [path, tmp_path / "other"]
    assert path.read_bytes() == b"new"


def test_readers_beside_writers_see_whole_files(tmp_path):
    path = tmp_path / "m"
    contents = [bytes([value]) * 100_000 for value in range(4)]
    write(path, contents[0])

    def read(_):
        with open_file(path) as file:
            return file.read()

    with ThreadPoolExecutor(8) as pool:
        writing = pool.map(write, [path] * 100, contents * 25)
        assert set(pool.map(read, range(200))) <= set(contents)
        list(writing)
    assert list(tmp_path.iterdir()) == [path]
