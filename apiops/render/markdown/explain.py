"""What a kind, a field or a code is, in Markdown."""

from typing import TYPE_CHECKING

from apiops.render.facts import explain as facts
from apiops.render.markdown.paper import Paper, code, marked, prose

if TYPE_CHECKING:
    from apiops.spec.explain import Explanation


def paper(told: "Explanation") -> Paper:
    """Write an explanation."""
    out = Paper()
    out.paragraph(f"### {prose(told.title)}")
    out.paragraph(f"*{prose(facts.nature(told.type, required=told.required))}*")
    out.paragraph(marked(told.description))
    for label, text in facts.bounds(told):
        out.paragraph(f"**{label}:** {marked(text)}")
    if told.remedy:
        out.paragraph(f"**What to do:** {marked(told.remedy)}")
    if told.children:
        rows = (
            (
                code(child.name),
                prose(facts.nature(child.type, required=child.required)),
                marked(child.description),
            )
            for child in told.children
        )
        out.table(("inside", "type", "meaning"), rows)
    if told.example:
        out.block(told.example, "yaml")
    return out
