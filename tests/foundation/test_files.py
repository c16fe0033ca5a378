"""Reading and writing files, and names of files."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibic_fidelity.errors import FileError, UsageError
from ibic_fidelity.foundation.files import bundled, claim_folder, file_stem, read_bytes, sha256, write_file


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("stage", ["replace", "fsync"])
@pytest.mark.parametrize("trouble", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_stops_midway_leaves_the_old_file_whole_and_no_other(tmp_path, monkeypatch, stage, trouble):
    target = tmp_path / "scores.json"
    target.write_text("old", encoding="utf-8")

    def stop(*arguments):
        raise trouble

    monkeypatch.setattr(*((Path, "replace") if stage == "replace" else (os, "fsync")), stop)
    with pytest.raises((FileError, KeyboardInterrupt)) as caught:
        write_file(target, "new" * 100_000, force=True)
    monkeypatch.undo()
    assert isinstance(caught.value, FileError) == isinstance(trouble, OSError)
    assert target.read_text(encoding="utf-8") == "old"
    assert _names(tmp_path) == ["scores.json"]


def test_a_first_write_that_stops_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(FileError, match="No space left"):
        write_file(tmp_path / "new.json", "x")
    assert _names(tmp_path) == []


def test_a_file_that_exists_stays_unless_told_otherwise(tmp_path):
    target = write_file(tmp_path / "a.txt", "old")
    with pytest.raises(FileError) as caught:
        write_file(target, "new")
    assert caught.value.code == "files.exists"
    assert target.read_text(encoding="utf-8") == "old"
    assert write_file(target, "new", force=True).read_text(encoding="utf-8") == "new"


def test_folders_on_the_way_are_made(tmp_path):
    assert write_file(tmp_path / "a" / "b" / "c.txt", "x").is_file()


def test_text_is_written_as_utf_8_with_its_line_ends_as_they_are(tmp_path):
    assert write_file(tmp_path / "a.txt", "å\r\nb\n").read_bytes() == b"\xc3\xa5\r\nb\n"
    assert write_file(tmp_path / "b.bin", b"\xff\x00").read_bytes() == b"\xff\x00"


def test_what_is_written_can_be_read_by_others(tmp_path):
    old = os.umask(0o022)
    try:
        assert stat.S_IMODE(write_file(tmp_path / "a.txt", "x").stat().st_mode) == 0o644
    finally:
        os.umask(old)


@pytest.mark.parametrize("target", ["file/out.txt", "file/sub/out.txt", "x" * 300, "folder"])
def test_a_place_that_cannot_be_written_is_an_error_with_exit_code_4(tmp_path, target):
    (tmp_path / "file").write_text("x", encoding="utf-8")  # a path under a file: closed to root too
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError) as caught:
        write_file(tmp_path / target, "x", force=True)
    assert caught.value.code == "files.unwritable"
    assert caught.value.exit_code == 4
    assert _names(tmp_path) == ["file", "folder"]


@pytest.mark.parametrize(
    ("name", "code"), [("none.csv", "files.not_found"), (".", "files.is_folder"), ("file/x", "files.unreadable")]
)
def test_what_cannot_be_read_is_an_error_with_exit_code_4(tmp_path, name, code):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(FileError) as caught:
        read_bytes(tmp_path / name)
    assert (caught.value.code, caught.value.exit_code) == (code, 4)


def test_a_file_over_its_limit_is_not_read(tmp_path):
    path = write_file(tmp_path / "a.bin", b"x" * 11)
    assert len(read_bytes(path, limit=11)) == 11
    with pytest.raises(FileError) as caught:
        read_bytes(path, limit=10)
    assert caught.value.code == "files.too_large"


def test_a_folder_is_claimed_before_any_work(tmp_path):
    assert claim_folder(tmp_path / "new", ("a", "b"), force=False) == tmp_path / "new"
    assert not (tmp_path / "new").exists()
    (tmp_path / "b").write_text("x", encoding="utf-8")
    with pytest.raises(FileError) as caught:
        claim_folder(tmp_path, ("a", "b"), force=False)
    assert caught.value.code == "files.exists"
    claim_folder(tmp_path, ("a", "b"), force=True)
    with pytest.raises(UsageError):
        claim_folder(tmp_path / "b", ("a",), force=True)


def test_an_unknown_bundle_is_an_error():
    with pytest.raises(FileError) as caught:
        bundled("no/such/folder")
    assert caught.value.code == "files.not_bundled"


def test_sha256_is_that_of_the_standard():
    """FIPS 180-4's example: the digest of "abc"."""
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Håbo kommun", "habo-kommun"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\Windows\\system32", "c-windows-system32"),
        ("..", "utan-namn"),
        ("", "utan-namn"),
        ("日本", "utan-namn"),
        ("NUL", "nul-"),
        ("com1", "com1-"),
        ("COM¹", "com1-"),
        ("con.txt", "con-txt"),
        ("a\x00b\nc", "a-b-c"),
        ("<script>", "script"),
        (" - ", "utan-namn"),
        (".hidden", "hidden"),
    ],
)
def test_any_name_becomes_a_safe_file_name(name, stem):
    assert file_stem(name) == stem


@given(st.text(max_size=300))
def test_a_file_name_has_only_safe_characters_and_a_length_that_every_system_takes(name):
    stem = file_stem(name)
    assert 1 <= len(stem) <= 81
    assert set(stem) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert not stem.startswith("-")
    assert stem not in {"con", "prn", "aux", "nul", "com1", "lpt9"}
