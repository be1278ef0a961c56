"""What nobody foresaw: a bug is told as one, and nothing of what it was."""

import pytest

from tests.web.conftest import Api


@pytest.mark.parametrize(
    ("path", "media"),
    [("/v1/bug", "application/problem+json"), ("/apiops/bug/", "application/json")],
)
def test_a_bug_is_told_as_one_in_either_shape(api: Api, path: str, media: str) -> None:
    @api.app.get(path)
    def bug() -> None:
        raise ZeroDivisionError("hunter2-plaintext")

    answer = api.get(path, as_="ayse")
    assert 500 == answer.status
    assert answer.headers["content-type"].startswith(media)
    assert "hunter2" not in answer.data.decode()
    assert "ZeroDivision" not in answer.data.decode()
    assert "nosniff" == answer.headers["x-content-type-options"]
    assert answer.headers["x-request-id"]
    if path.startswith("/v1"):
        told = answer.json()
        assert ("AO901", answer.headers["x-request-id"]) == (told["code"], told["instance"])
    else:
        assert "FAILURE" == answer.json()["status"]
