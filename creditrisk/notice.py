"""A draft of what the applicant is told: the decision and its principal reasons, which are those of what decided.

A person sends it or not. It names no model figure, no column and nothing that was not decided on.
"""

from creditrisk import decisions, scoring
from creditrisk.errors import InvalidInput, NothingYet
from creditrisk.store import Store

FROM = {
    "model": "These come from an automated assessment of your figures, which a person looked at before deciding.",
    "policy": "This is a rule of our lending policy that applies to every applicant alike.",
    "person": "These are the reasons of the person who decided.",
}
RIGHTS = (
    "You may ask for the decision to be looked at again by a person, say what speaks for you, ask what data about you was used, and have "
    "data that is wrong put right. Write to [address of the lender] within [number] days."
)


def draft(store: Store, prediction_id: str) -> str:
    """Return the text of a notice about the decision that stands.

    Raises UnknownThing; NothingYet where nobody has decided; InvalidInput where the case was referred, which is told to nobody.
    """
    prediction, made = scoring.get(store, prediction_id), decisions.current(store, prediction_id)
    if made is None:
        raise NothingYet("There is nothing to tell the applicant before somebody has decided.")
    if made.outcome == "refer":
        raise InvalidInput("The case was referred, so nothing is decided: a notice follows the decision.")
    name = store.value("select name from application where applicant_id = $id order by applied_on desc limit 1", id=prediction.applicant_id)
    said = {"decline": _declined, "approve": _approved, "ask": _asked}[made.outcome](made)
    doubt = " The model learned from a proxy label, not from repayments." if made.component == "model" and prediction.is_proxy else ""
    head = [
        f"DRAFT. A person checks and sends this notice.{doubt}",
        "",
        f"{made.decided_at:%-d %B %Y}",
        f"Reference: {prediction.applicant_id}",
        "",
    ]
    return "\n".join([*head, f"Dear {name or '[name]'},", "", *said, "", "[Name of the lender]", ""])


def _declined(made: decisions.Decision) -> list[str]:
    several = len(made.reasons) > 1
    return [
        "we cannot grant the loan that you asked for.",
        "",
        f"The principal reason{'s are' if several else ' is'}:",
        "",
        *(f"{place}. {reason.rstrip('.')}." for place, reason in enumerate(made.reasons, 1)),
        "",
        *(["“Reference” is what is usual among comparable applicants."] if any("(reference " in reason for reason in made.reasons) else []),
        FROM[made.component],
        "",
        RIGHTS,
    ]


def _approved(_made: decisions.Decision) -> list[str]:
    return ["we are glad to grant the loan that you asked for. The terms follow with the contract."]


def _asked(made: decisions.Decision) -> list[str]:
    return [
        "before we can decide on the loan that you asked for, we need from you:",
        "",
        *(f"{place}. {what.rstrip('.')}." for place, what in enumerate(made.asked, 1)),
        "",
        "Nothing has been decided yet.",
    ]
