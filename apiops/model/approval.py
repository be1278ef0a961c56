"""The two-person rule's values: who gave their word for a plan, and who is still wanted."""

from dataclasses import dataclass

from apiops.model.revision import Signature


@dataclass(frozen=True, slots=True)
class Word:
    """A word for a plan, and where it stands.

    It is signed, or (in the Manager's log) a `principal` proved who they are when they gave it.
    """

    where: str
    signature: Signature | None = None
    principal: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """A word that counts: whose it is, and where it stands."""

    principal: str
    where: str


@dataclass(frozen=True, slots=True)
class Approvals:
    """How far the approval of a plan is.

    `wanted` is how many people it takes, `given` are the words that count, one per person,
    `passed_over` those that do not, with the reason; `could` are the people who still may;
    `environment` is the one that asks for so many; `part` that not all of the plan was seen or
    compared, so that it has a digest of its own, which is not the one to approve.
    """

    wanted: int
    given: tuple[Approval, ...] = ()
    passed_over: tuple[str, ...] = ()
    could: tuple[str, ...] = ()
    environment: str = ""
    part: bool = False

    @property
    def missing(self) -> int:
        """How many people are still wanted."""
        return max(0, self.wanted - len(self.given))

    @property
    def people(self) -> tuple[str, ...]:
        """Who approved."""
        return tuple(approval.principal for approval in self.given)

    @property
    def told(self) -> str:
        """How far it is, in a sentence."""
        given = ", ".join(f"{one.principal} ({one.where})" for one in self.given)
        if not self.missing:
            return f"approved by {given}"
        more = " more" if given else ""
        people = "person who" if self.missing == 1 else "people who each"
        by = f"; approved by {given}" if given else ""
        passed = "".join(f"; {one}" for one in self.passed_over)
        asks = f"needs the approval of {self.missing}{more} {people} made none of it"
        return f"for {self.environment} it {asks}{by}{passed}"

    def way(self, digest: str) -> str:
        """What to do while anybody is missing."""
        if not self.could:
            return (
                "nobody else holds every right that it takes: give somebody the right first, or "
                "apply an earlier commit that takes fewer (apiops explain AO614)"
            )
        who = ", ".join(self.could)
        if self.part:
            return (
                f"{who} could, but not by this digest, for not all of the plan was seen or "
                "compared here: take the digest that the pipeline's plan has (apiops explain AO614)"
            )
        return f"{who} could: apiops approve {digest} (or a signed tag: apiops explain AO614)"
