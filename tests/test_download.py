"""Downloads from mirrors: verified, bounded, and told in one line where they fail."""

import hashlib
import io
import os
import socket
import tarfile
import threading
import time
import urllib.request
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sk_memorize.datasets import _download
from sk_memorize.datasets._sources import Source

FILES = {"a": b"the first", "b": b"the second"}


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def make_source(*mirrors, **changes):
    checksums = {name: md5(content) for name, content in FILES.items()}
    return Source("Tiny", "tiny", mirrors, checksums, (), "", **changes)


def check(folder):
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES


class Server(ThreadingHTTPServer):
    """Serves `pages`, contents by path."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.pages = {f"/full/{name}": content for name, content in FILES.items()}

    def handle_error(self, request, client_address):
        """Stay quiet when a client hangs up."""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        content = self.server.pages.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        if isinstance(content, bytes):
            self.send_header("Content-Length", str(len(content)))
            content = [content]
        self.end_headers()
        for part in content:
            self.wfile.write(part)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with Server() as server:
        serve = partial(server.serve_forever, poll_interval=0.01)
        thread = threading.Thread(target=serve)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def source(server):
    """Make a source of two mirrors, of which the first is empty."""
    return make_source(f"{server.url}/empty/", f"{server.url}/full/")


def test_files_come_from_the_mirror_that_has_them(source, tmp_path):
    _download.download_files(source, tmp_path / "new" / "tiny", ["a", "b"])
    check(tmp_path / "new" / "tiny")


def test_wrong_content_is_refused_and_nothing_is_written(source, server, tmp_path):
    server.pages["/full/b"] = b"<html>Please log in</html>"
    words = r"empty/: HTTP Error 404.*full/: The b .*its md5 is \w+ instead of \w+$"
    with pytest.raises(OSError, match=words):
        _download.download_files(source, tmp_path / "tiny", ["a", "b"])
    assert list(tmp_path.iterdir()) == []


def drip(n_bytes=1, seconds=0.01):
    while True:
        time.sleep(seconds)
        yield bytes(n_bytes)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (drip(), "no more than .* bytes within 0.3"),
        (drip(2**20, 0), "more than .* bytes are sent"),
    ],
    ids=["dripping", "endless"],
)
def test_download_is_bounded(parts, words, monkeypatch, source, server, tmp_path):
    monkeypatch.setattr(_download, "_SECONDS", 0.3)
    server.pages["/full/b"] = parts
    with pytest.raises(OSError, match=f"full/: {words}") as caught:
        _download.download_files(source, tmp_path / "tiny", ["a", "b"])
    assert str(caught.value).isprintable()
    assert list(tmp_path.iterdir()) == []


def test_a_silent_network_does_not_hang(monkeypatch, source, tmp_path):
    release = threading.Event()
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: release.wait(60))
    monkeypatch.setattr(_download, "_ANSWER_SECONDS", 0.05)
    with pytest.raises(OSError, match=r"no more than 0 bytes within 0\.05 s"):
        _download.download_files(source, tmp_path, ["a"])
    release.set()


def test_any_failure_is_told_in_one_line(monkeypatch, tmp_path):
    def forbid(*_, **__):
        raise RuntimeError("no sockets\nhere")

    monkeypatch.setattr(socket, "getaddrinfo", forbid)
    with pytest.raises(OSError, match=r"http.*no sockets here$"):
        _download.download_files(make_source("http://a.b/"), tmp_path, ["a"])


def test_a_place_that_cannot_be_written_is_told_first(monkeypatch, source, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="file"):
        _download.download_files(source, tmp_path / "file" / "tiny", ["a"])
    monkeypatch.setattr(os, "access", lambda *_: False)  # to root all is allowed
    with pytest.raises(PermissionError, match="cannot be written to"):
        _download.download_files(make_source(), tmp_path / "tiny", ["a"])
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_an_archive_is_verified_and_taken_apart(server, tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in FILES.items():
            member = tarfile.TarInfo(f"tiny/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    archive = server.pages["/tiny.tar.gz"] = buffer.getvalue()
    for checksum in ("other", md5(archive)):
        source = make_source(f"{server.url}/", archive=("tiny.tar.gz", checksum))
        if checksum == "other":
            with pytest.raises(OSError, match=r"tiny.tar.gz.*instead of other"):
                _download.download_files(source, tmp_path / "tiny", ["a", "b"])
            assert list(tmp_path.iterdir()) == []
    _download.download_files(source, tmp_path / "tiny", ["a", "b"])
    check(tmp_path / "tiny")
