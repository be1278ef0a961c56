"""Spec of AI presets: rules and texts that AI policies choose from."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from apiops.model.kinds.parts import Part, about

_NEEDS = {
    "dlp": ("ruleValue", "action"),
    "prompt-guard": ("ruleValue", "action"),
    "privacy": ("patternType", "operation"),
    "prompt-decorator": ("content",),
}
"""Family → the fields that it must have (vendor document, 2.19)."""

_HAS = {
    "dlp": {"ruleValue", "action", "category"},
    "prompt-guard": {"ruleValue", "action", "category"},
    "privacy": {
        "patternType", "regexPattern", "elementName", "operation", "maskMode", "maskPattern",
        "maskVisibleCharCount",
    },
    "prompt-decorator": {"content", "role", "position", "category"},
}  # fmt: skip
"""Family → the fields that only some families have."""


class AiPresetSpec(Part):
    """A rule or text that AI policies refer to. Which fields count follows from `family`."""

    family: Literal["dlp", "prompt-guard", "privacy", "prompt-decorator"] = about(
        "What it is for: data loss, attacks by prompt, personal data, or text put into prompts. "
        "It cannot change later.",
        ...,
    )
    description: str = about("What it is for, in words.", "")
    enabled: bool = about("Whether policies may use it.", True)
    category: str | None = about("Word to find it by (not privacy).")
    ruleValue: str | None = about("Java regular expression (dlp, prompt-guard).")
    action: Literal["BLOCK", "FLAG", "MASK"] | None = about(
        "What happens to what it finds (dlp, prompt-guard)."
    )
    patternType: Literal["ELEMENT_NAME", "REGEX"] | None = about(
        "How personal data is found (privacy)."
    )
    regexPattern: str | None = about("Regular expression that finds it (REGEX).")
    elementName: str | None = about("Name of the element that holds it (ELEMENT_NAME).")
    operation: Literal["MASK", "DELETE", "ENCRYPT", "HASH", "DETECT"] | None = about(
        "What happens to it (privacy)."
    )
    maskMode: Literal["FIXED", "KEEP_FIRST", "KEEP_LAST", "MASK_FIRST"] | None = about(
        "Which part is masked (privacy)."
    )
    maskPattern: str | None = about("Text put in its place (privacy).")
    maskVisibleCharCount: Annotated[int, Field(ge=0)] | None = about(
        "Characters that stay visible (privacy)."
    )
    content: str | None = about("The text (prompt-decorator).")
    role: Literal["system", "user", "assistant"] | None = about(
        "Whose words it is put among; left out: system (prompt-decorator)."
    )
    position: Literal["PREPEND", "APPEND"] | None = about(
        "Before or after them; left out: PREPEND (prompt-decorator)."
    )

    @model_validator(mode="after")
    def _fits_its_family(self) -> Self:
        missing = [name for name in _NEEDS[self.family] if getattr(self, name) is None]
        if self.family == "privacy" and not missing:
            found = {"REGEX": "regexPattern", "ELEMENT_NAME": "elementName"}[self.patternType or ""]
            missing = [found] if getattr(self, found) is None else []
        if missing:
            raise ValueError(f"a preset of family {self.family} needs {missing[0]}")
        theirs = set().union(*_HAS.values()) - _HAS[self.family]
        strange = sorted(self.model_fields_set & theirs)
        if strange:
            raise ValueError(f"a preset of family {self.family} has no {strange[0]}")
        return self
