"""The two-person rule: a plan is carried out when others than those who made it gave their word.

A word counts when it is a known person's, when they made none of the changes, and when they hold
every right that the changes need. One person counts once, by however many keys they speak. That
a word is for this very plan is the caller's to look at: it names the digest, which is bound to
commit, live state, permissions and engine, so a word for one plan is none for another.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from apiops.access import decide, identify
from apiops.model.access import Grants, Judgement, Key, Need
from apiops.model.approval import Approval, Approvals, Word


@dataclass(frozen=True, slots=True)
class Council:
    """Whoever may have a say in a plan: by the grants held before it and not lost in it.

    `makers` are those who answer for the changes, `needs` the rights that the changes take,
    `revoked` the keys that the range took away, `at` is now.
    """

    grants: Grants
    revoked: frozenset[str]
    at: datetime
    makers: frozenset[str]
    needs: tuple[Need, ...]

    def count(
        self, wanted: int, words: Iterable[Word], back: frozenset[str] = frozenset()
    ) -> Approvals:
        """How far the approval is. Those in `back` took theirs back, wherever it stands."""
        given: dict[str, Approval] = {}
        passed_over: list[str] = []
        for word in words:
            who = self._speaker(word)
            fault = who[1] if isinstance(who, tuple) else self._fault(who, back)
            if isinstance(who, tuple) or fault:
                passed_over.append(f"{word.where} {fault}")
            else:
                given.setdefault(who, Approval(who, word.where))
        able = decide.able(self.grants, self.needs)
        could = tuple(name for name in able if name not in self.makers and name not in given)
        return Approvals(wanted, tuple(given.values()), tuple(passed_over), could)

    def unfit(self, principal: str) -> str:
        """Why a person's word for the plan does not count; empty if it does."""
        if principal in self.makers:
            return f"is the word of {principal}, who made some of it"
        if not self.needs:
            return f"is the word of {principal} for nothing that takes a right"
        lacking = decide.lacking(self.grants, principal, self.needs)
        return "" if lacking is None else f"does not count: {lacking.explanation}"

    def _fault(self, principal: str, back: frozenset[str]) -> str:
        if principal in back:
            return f"was taken back by {principal}"
        return self.unfit(principal)

    def _speaker(self, word: Word) -> str | tuple[str, str]:
        if word.signature is None:
            return word.principal
        key = identify.signer(word.signature, self.grants, self.at, self.revoked)
        if not isinstance(key, Key):
            return key
        return ("AO515", f"is signed by {key.principal}, a forge") if key.attests else key.principal


def council(
    grants: Grants,
    revoked: frozenset[str],
    at: datetime,
    judgements: Iterable[Judgement],
    authors: Iterable[str | None] = (),
) -> Council:
    """The council on the changes that would be carried out.

    `authors` are the makers of the commits behind them, those too that others answer for.
    """
    judged = tuple(judgements)
    makers = {name for judgement in judged for name in judgement.principals}
    makers |= {name for name in authors if name is not None}
    needs = dict.fromkeys(need for judgement in judged for need in judgement.needs)
    return Council(grants, revoked, at, frozenset(makers), tuple(needs))
