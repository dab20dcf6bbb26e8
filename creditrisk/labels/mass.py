"""How much all proxy labels weigh beside verified ones: what was asked for, what the proxies' own checks leave of it, and why.

Nobody may break this: a label set says the weight its proxies really have, and the sentence why, wherever it says what was asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from creditrisk import quality
from creditrisk.errors import InvalidInput
from creditrisk.labels.shelf import PROXIES, LabelSet, against_outcomes, members
from creditrisk.store import Store

PROXY_MASS, MOST = 10.0, 100.0  # verified labels that all proxies together weigh unless somebody says otherwise, and at most
STEP = quality.VERIFIED  # verified labels for which so much is meant: from then on proxies keep their share, a quarter
DOUBTED = 0.1  # what is left of it where the proxies fail a check
COUNTS = ("outcomes", "bad outcomes")  # checks of how much is verified, which say nothing about a proxy


@dataclass(frozen=True)
class Mass:
    """What all proxies together weigh beside `n_verified` labels, where `asked` was asked for and they fail the checks `doubts`.

    Raises InvalidInput for a mass outside 0 to 100.

    >>> Mass(10, 12).weight, Mass(10, 240).weight, Mass(10, 240, ("index gap",)).weight, Mass(10, 9_000).weight
    (10.0, 80.0, 8.0, 100.0)
    """

    asked: float
    n_verified: int
    doubts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.asked <= MOST:
            raise InvalidInput(f"All proxy labels together weigh between 0 and {MOST:g} verified ones, not {self.asked:g}.")

    @property
    def weight(self) -> float:
        """How many verified labels they weigh."""
        return min(MOST, self.asked * max(1.0, self.n_verified / STEP)) * (DOUBTED if self.doubts else 1.0)

    @property
    def sentence(self) -> str:
        """Say what they weigh and why."""
        if not self.asked:
            return "Proxy labels are left out: only what is verified is learned from."
        said = f"All proxy labels together weigh {self.weight:.3g} verified ones: {self.asked:g} for every {STEP} verified, "
        said += f"of which there are {self.n_verified:,}, {self.asked:g} at least and {MOST:g} at most"
        return said + (f"; a tenth of that, since checks of theirs fail: {', '.join(self.doubts)}." if self.doubts else ".")


def doubts(store: Store, made: LabelSet) -> tuple[str, ...]:
    """Return the names of the checks that the proxies of a set fail: when it was made, or against the outcomes known by now."""
    if not made.is_proxy:
        return ()
    rows = members(store, made.label_set_id)
    since = [] if made.is_foreign else against_outcomes(store, rows[rows["source"].isin(PROXIES)]).gates()
    wrong = quality.failed([*made.report.get("gates", []), *since])
    return tuple(dict.fromkeys(name for name in wrong if name not in COUNTS))


def of_all(store: Store, sets: Sequence[LabelSet]) -> tuple[str, ...]:
    """Return the names of the checks that the proxies of any of several sets fail."""
    return tuple(dict.fromkeys(name for each in sets for name in doubts(store, each)))
