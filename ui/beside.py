"""What stands beside a score: the applicant's month, similar applicants, what changed since last time, what other models say."""

import streamlit as st

import ui
from creditrisk import affordability, attribution, charts, comparison, neighbours, scoring
from creditrisk.scoring import Prediction
from creditrisk.store import Store
from ui import case

ANSWERS = {True: "bad", False: "good", None: "not known"}


def month(prediction: Prediction, person: dict[str, object]) -> None:
    """Show what the applicant's month leaves, before and after the loan asked for."""
    rate = ui.store().settings.loan.yearly_rate
    declared = scoring.declared(ui.store(), prediction)
    found = affordability.budget(declared, prediction.inputs, person["amount"], person["term_months"], rate)
    if found is None:
        ui.empty(
            "What a month leaves is not known",
            "It takes half a year of statements with income in them."
            if person["n_statements"]
            else "The lender's table does not say what the applicants spend.",
            ("statements", "Upload statements"),
            icon="account_balance_wallet",
        )
        return
    currency = person["currency"] if isinstance(person["currency"], str) else None
    after = found.left if found.left_after is None else found.left_after
    share = found.debt_share if found.debt_share_after is None else found.debt_share_after
    asked = "no loan asked for" if found.instalment is None else f"instalment {ui.money(found.instalment, currency)}"
    ui.figures(
        ("Left now", ui.money(found.left, currency), "Income less essentials less repayments, in a typical month of the last half year."),
        ("Left with the loan", ui.money(after, currency), f"With equal instalments at {ui.percent(rate)} a year (a setting).", asked),
        ("Repayments", ui.percent(share, 0), "Repayments with this loan, as a share of income.", f"now {ui.percent(found.debt_share, 0)}"),
    )
    ui.figure(
        charts.month(found.account()), key=f"month-{prediction.prediction_id}", param="feature", help="Click a bar for its movements."
    )
    st.caption(
        "Shares of the last 180 days, taken of a typical month's income. Shown beside the score, not scored: essentials hold figures that "
        "the law protects. Debts that the loan would replace are not taken off."
    )


def similar(prediction: Prediction) -> None:
    """Show the applicants most like this one and how they turned out."""
    found = ui.seen(_similar, prediction.prediction_id)
    kind = "turned out bad" if found.is_observed else "are called risky by the proxy label"
    if not found.n:
        st.info("Of the most similar applicants nobody knows how they turned out.", icon=":material/help:")
        return
    ui.figures(
        (
            "Of the most similar",
            ui.percent(found.share, 0),
            f"{found.n_bad} of {found.n} {kind}; 95 % interval (Wilson).",
            f"{ui.percent(found.low, 0)} to {ui.percent(found.high, 0)}, n = {found.n}",
        ),
        ("Of all", ui.percent(found.share_all, 0), f"Of all {ui.count(found.n_all)} they were taken from.", f"n = {ui.count(found.n_all)}"),
        (
            ui.sentence(ui.risk_word(prediction.is_proxy)),
            case.chance(prediction),
            "What the model says of this applicant.",
        ),
    )
    st.markdown(
        f"**{found.n_bad} of the {found.n} most similar applicants {kind}.** :gray[Similar is to whom the model gives the same reasons "
        "with the same weight; they are of its test applicants, from whom it never learned.]"
    )
    ui.table(
        [{**row, "turned": ANSWERS[None if ui.missing(row["bad"]) else bool(row["bad"])]} for row in ui.rows(found.nearest)],
        {
            "applicant_id": ui.text_column("Applicant"),
            "turned": ui.text_column("Turned out" if found.is_observed else "Proxy label"),
            "pd": ui.share_column("Risk", "What the model foresaw of them"),
            "distance": ui.number_column("Distance", "In log-odds: 0 is the same in every figure", "%.2f"),
        },
        key="similar",
        alt="Most similar applicants",
        opens="applicant_id",
        param="applicant",
        height=ui.fitting(len(found.nearest), most=9),
        prediction=None,
        feature=None,
    )


def _similar(store: Store, prediction_id: str) -> neighbours.Company:
    prediction = scoring.get(store, prediction_id)
    return neighbours.of(store, prediction, case.pipeline(prediction))


def since(prediction: Prediction, before_id: str | None) -> None:
    """Say what moved the score since the one before: the model, the figures, the scale."""
    if before_id is None:
        st.markdown(":gray[This is the first score: there is nothing to hold it against.]")
        return
    change = ui.seen(_change, before_id, prediction.prediction_id)
    st.markdown(f"**{ui.literal(attribution.in_words(change))}**")
    steps = attribution.steps(change)
    if len(steps):
        drawn = charts.waterfall(steps, change.before.score, change.after.score, start_name="Then", end_name="Now", against="then")
        ui.figure(drawn, key=f"since-{prediction.prediction_id}", help="The old figures were scored with the new model; the parts add up.")


def _change(store: Store, before_id: str, after_id: str) -> attribution.Change:
    before, after = scoring.get(store, before_id), scoring.get(store, after_id)
    return attribution.between(store, before, after, case.pipeline(after))


def versions(prediction: Prediction) -> None:
    """Show what every model that can score makes of this case, once it is asked for: each has to be loaded."""
    if not st.toggle("What other models say of this case", key=f"versions-{prediction.prediction_id}"):
        return
    found = ui.seen(_versions, prediction.prediction_id)
    ui.table(
        found,
        {
            "model_id": ui.text_column("Model", width=80),
            "algorithm": ui.text_column("Algorithm"),
            "status": ui.text_column("Standing", width=100),
            "score": ui.score_column(),
            "band": ui.text_column("Band", width=90),
            "pd": ui.share_column("Risk", width=80),
            "recommendation": ui.text_column("Would recommend"),
            "reason": ui.text_column("First reason", width="large"),
        },
        key="versions",
        alt="What other models say of this case",
    )


def _versions(store: Store, prediction_id: str) -> object:
    return comparison.of_case(store, scoring.get(store, prediction_id))
