"""Calls that carry a file: their fields stand in the form, or in the query (vendor document, 1.8).

A file is never taken from the query: what is in an address is in the logs of whatever it passes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request

from apiops.web.envelope import Told
from apiops.web.vendor.door import Call


@dataclass(frozen=True, slots=True)
class Sent:
    """The fields of one call, and its files."""

    texts: Mapping[str, str] = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)

    def text(self, name: str) -> str:
        """A field that must be there. Raises Told."""
        if not self.texts.get(name):
            raise Told(f"{name} value can not be empty!")
        return self.texts[name]

    def file(self, name: str) -> bytes:
        """A file that must be there. Raises Told."""
        if not self.files.get(name):
            raise Told(f"{name} value can not be empty!")
        return self.files[name]

    def environments(self) -> list[str]:
        """The names of `environmentList`, which commas part. Raises Told where there is none."""
        names = [name.strip() for name in self.text("environmentList").split(",")]
        return list(dict.fromkeys(filter(None, names)))


async def sent(request: Request, _known: Call) -> Sent:
    """What the call carries, read once it is known who calls."""
    texts = dict(request.query_params)
    files: dict[str, bytes] = {}
    async with request.form() as form:
        for name, part in form.multi_items():
            if isinstance(part, str):  # a file without a name is a text
                texts[name], files[name] = part, part.encode()
            else:
                files[name] = await part.read()
    return Sent(texts, files)


Upload = Annotated[Sent, Depends(sent)]


def form(file: str, *needed: str, also: tuple[str, ...] = ()) -> dict[str, Any]:
    """How the OpenAPI document describes such a call."""
    fields = {name: {"type": "string"} for name in (*needed, *also)}
    schema = {
        "type": "object",
        "required": [file, *needed],
        "properties": {file: {"type": "string", "format": "binary"}, **fields},
    }
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    }
