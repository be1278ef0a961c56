"""What one load works with, and a document on its way to becoming a resource."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from apiops.model.diagnostic import Severity
from apiops.model.resource import File, Target
from apiops.model.revision import Snapshot
from apiops.spec import read
from apiops.spec.documents import Documents
from apiops.spec.findings import Findings
from apiops.spec.parameters import Parameters
from apiops.spec.paths import Path
from apiops.spec.positions import Source


@dataclass(frozen=True, slots=True)
class Context:
    """The inputs of a load, and what it collects.

    `referred` has the files that manifests refer to, by path; `used` those that the document in
    hand was made from.
    """

    snapshot: Snapshot
    target: Target
    documents: Documents
    findings: Findings
    parameters: Parameters = field(default_factory=Parameters)
    referred: set[str] = field(default_factory=set)
    used: list[File] = field(default_factory=list)

    def given(self, parameters: Parameters) -> "Context":
        """The same load with the target's parameters."""
        return replace(self, parameters=parameters)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A document with parameters put in and patches applied, and where its fields come from.

    `secretive` is False when nothing in its text can be a secret or refer to one.
    """

    source: Source
    tree: Mapping[str, Any]
    patches: tuple[Source, ...] = ()
    secretive: bool = True

    @property
    def unit(self) -> str | None:
        """The unit that an error in this document stops (None: it cannot be told)."""
        return read.unit_of(self.tree)

    def origin(self, path: Path) -> Source:
        """The document that wrote the field: the last patch that sets it, or the manifest."""
        for patch in reversed(self.patches):
            if _sets(patch.tree, path):
                return patch
        return self.source

    def report(
        self,
        context: Context,
        path: Path,
        code: str,
        message: str,
        hint: str = "",
        *,
        on_key: bool = False,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Note what is wrong with a field, where it was written."""
        context.findings.at(
            self.origin(path),
            path,
            code,
            message,
            unit=self.unit,
            hint=hint,
            on_key=on_key,
            severity=severity,
        )


def _sets(tree: Any, path: Path) -> bool:
    """Whether a merge patch gives the field at `path` its value."""
    for step in path:
        if not isinstance(tree, Mapping):
            return True
        if step not in tree:
            return False
        tree = tree[step]
    return bool(path) and path[0] in ("spec", "metadata") and not isinstance(tree, Mapping)
