"""Where exported manifests lie: below the folder that was named, whatever a Manager calls things."""

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiops.model.resource import LiveResource, ResourceId
from apiops.spec import export

SPEC = {"type": "REVERSE_PROXY", "clientRoute": {"relativePathList": ["/a"]}}


def places(*ids: ResourceId) -> list[str]:
    live = [LiveResource(id, SPEC, "digest", serial=1) for id in ids]
    return [one.path for one in export.manifests(live, {}, root="into")]


@pytest.mark.parametrize(
    "name", ["../../../etc/cron.d/x", "..", ".git", "/etc/passwd", "a/b", "a\\b", "a\nb", "", " "]
)
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    (path,) = places(ResourceId("ApiProxy", "payments", name))

    assert ["into", "projects", "payments", "api-proxies"] == path.split("/")[:-1]
    assert not path.split("/")[-1].startswith(".")


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_name_is_one_step_below_it(project: str, name: str) -> None:
    (path,) = places(ResourceId("ApiProxy", project or "x", name))

    assert path == posixpath.normpath(path)
    assert path.startswith("into/projects/")
    assert path.isprintable()
    assert 5 == len(path.split("/"))


def test_names_that_become_the_same_step_get_places_of_their_own() -> None:
    found = places(
        *(ResourceId("ApiProxy", "payments", name) for name in ("a/b", "a_b", "a:b", "A_B"))
    )

    assert 4 == len({path.casefold() for path in found})


def test_a_name_that_a_kind_allows_stays_as_it_is() -> None:
    assert ["into/projects/payments/api-proxies/Orders v1.2_x-y.yaml"] == places(
        ResourceId("ApiProxy", "payments", "Orders v1.2_x-y")
    )
