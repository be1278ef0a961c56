"""The editor's file: private, and gone afterwards with all that lies beside it."""

import os
import stat
from pathlib import Path

import pytest

from apiops.age import scratch


def test_the_file_is_for_its_owner_alone(tmp_path):
    with scratch.private_file(b"secret", "c.yaml", root=tmp_path) as file:
        assert b"secret" == file.read_bytes()
        assert "c.yaml" == file.name
        assert 0o600 == stat.S_IMODE(file.stat().st_mode)
        assert 0o700 == stat.S_IMODE(file.parent.stat().st_mode)


def test_everything_is_gone_afterwards_even_after_a_failure(tmp_path):
    def edit():
        with scratch.private_file(b"secret", "c.yaml", root=tmp_path) as file:
            file.with_suffix(".bak").write_bytes(b"secret")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        edit()
    assert [] == list(tmp_path.iterdir())


def test_what_was_written_is_wiped_before_it_is_removed(tmp_path):
    with scratch.private_file(b"secret", "c.yaml", root=tmp_path) as file:
        other = tmp_path / "kept"
        os.link(file, other)
    assert bytes(6) == other.read_bytes()


def test_a_name_cannot_lead_out_of_the_folder(tmp_path):
    with scratch.private_file(b"x", "../../etc/passwd", root=tmp_path) as file:
        assert tmp_path == file.parent.parent


def test_memory_is_used_where_there_is_some():
    with scratch.private_file(b"x", "c.yaml") as file:
        if os.access("/dev/shm", os.W_OK):
            assert file.is_relative_to(Path("/dev/shm"))
