"""A label set as its page tells it: the verdict, what it rests on, its clusters, whom it marks, another set beside it, a new one."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

import ui
from creditrisk import charts, cohorts, features, labels, profiles
from creditrisk.labels import LabelSet
from creditrisk.labels.shelf import cohorts_of, risky_segments
from ui import lab

ABOUT = {
    "kmeans": "Clusters by a few signed features; the riskiest is called bad. A proxy for credit risk.",
    "rfm": "Clusters by recency, frequency and sum of movements. A proxy for engagement, not for credit.",
    "observed": "What really happened to loans. Nothing is better, where enough of it is known.",
    "reviewed": "What reviewers said of labels, once an inspector has accepted it.",
    "combined": "Several sets together: what is verified beats every proxy of the same applicant.",
}
APART = {None: "Everybody once, on the newest day", 365: "Once a year", 180: "Every 180 days", 90: "Every 90 days"}
SAME_DAYS = "The same days as the predictors (circular)"


# --- the verdict ----------------------------------------------------------------------------------------------------------


def verdict(found: LabelSet) -> None:
    """Say in a line and a colour whether these labels can be worked with, then what a reader must know of them."""
    gates = found.report["gates"]
    failed = [lab.gate_name(gate) for gate in gates if not gate["passed"]]
    if failed:
        st.error(
            f"**Not to be relied on.** These labels fail {len(failed)} of {len(gates)} checks: {ui.literal('; '.join(failed))}. "
            "A model learned from them can be studied; it cannot be promoted.",
            icon=":material/gpp_bad:",
        )
    else:
        worth = "They are a proxy all the same: a test, not a repayment, stands behind them." if found.is_proxy else "They are verified."
        st.success(f"**They can be worked with.** These labels pass all {len(gates)} checks. {worth}", icon=":material/verified_user:")
    warning = labels.banner(found)
    if warning:
        ui.banner(ui.literal(warning), alarm=found.circular)


def beware(found: LabelSet) -> None:
    """Say whether a model could only learn the label again, and which groups are marked more often than chance explains."""
    tree, shared = found.report.get("tree"), found.report.get("shared_columns", [])
    if tree is not None:
        mark = ":red[:material/sync_problem:]" if found.circular else ":green[:material/check_circle:]"
        read = f"{len(shared)} columns made the label and are predictors too." if shared else "No predictor made the label."
        st.markdown(f"{mark} **Circularity.** {read} :gray[{ui.literal(tree['sentence'])}]")
    others = [sentence for sentence in labels.warnings(found) if tree is None or sentence != tree["sentence"]]
    if others:
        ui.bullets(others, ":orange[:material/warning:]")


def n_labelled(report: dict[str, Any]) -> int:
    """How many have a label; a combination counts them by their source."""
    return int(sum(report["by_source"].values()) if "by_source" in report else report["n_bad"] + report["n_good"])


# --- what it rests on -------------------------------------------------------------------------------------------------------


def foundations(found: LabelSet) -> None:
    """Show which days the label and the predictors read, what the label is made of, and who chose what for which reason."""
    report = found.report
    if found.method in ("kmeans", "rfm") and not ui.of_table():
        seen = max((feature.window_days or 0 for feature in ui.store().schema.predictors), default=0)
        ui.figure(
            charts.windows(cohorts_of(found), seen, report.get("gap_days", 0), report.get("performance_days")),
            key="windows",
            help="The longest predictors look back as far as the bar reaches; none reads a day after it.",
        )
    made_of = [feature.title for feature in labels.label_features(ui.store(), found)] if found.k else []
    ui.facts(
        {
            "Method": f"{lab.METHODS.get(found.method, found.method)}. {ABOUT.get(found.method, '')}",
            "Reads": "One row of the table per applicant, the same that the predictors read." if found.k and ui.of_table() else None,
            "Made of": made_of,
            "Left out": [ui.store().schema[name].title for name in report.get("left_out", [])] if found.method == "kmeans" else None,
            "Put together from": report.get("sets"),
            "Proxies beside verified labels": report.get("proxy_said"),
            "Without a label": unlabelled(report),
        },
        alt="What the labels rest on",
    )


def unlabelled(report: dict[str, Any]) -> str | None:
    """Who has no label, and why."""
    if not report.get("n_unlabelled"):
        return None
    thin = report.get("n_thin", 0)
    return f"{ui.count(report['n_unlabelled'] - thin)} near the border (grey zone), {ui.count(thin)} with too little known"


# --- clusters ---------------------------------------------------------------------------------------------------------------


def name_of(segment: int, k: int) -> str:
    """A cluster as people call it, counted from 1, the safest."""
    return f"Cluster {segment + 1}{' (safest)' if segment == 0 else ' (riskiest)' if segment == k - 1 else ''}"


def another_number(found: LabelSet) -> None:
    """Say what the number of clusters in the URL would give, and offer to make a set with it."""
    if found.report["rule"] != labels.RULE:
        st.markdown(f":gray[**Why {found.k}?** {ui.literal(found.report['rule'])}.]")
    asked = ui.asked("k")
    row = next((row for row in found.report["scan"] if str(row["k"]) == asked), None)
    if row is None:
        st.caption("Click a number of clusters to see what it gives, and to make a set with it.")
        return
    words, action = st.columns([3, 1], vertical_alignment="center")
    words.markdown(
        f"**{row['k']} clusters:** the riskiest lies {ui.plain(row['index_gap'], 2)} standard deviations above the next and holds "
        f"{ui.percent(row['share_risky'])}; found again in resamples at {ui.plain(row['stability'], 2)}."
    )
    if row["k"] == found.k:
        action.markdown(":gray[This set has them.]")
    else:
        name = f"Make a set with {row['k']}"
        action.button(name, icon=":material/new_label:", width="stretch", key="make-k", on_click=begin, args=(row["k"],))


def cards(found: LabelSet) -> None:
    """Show what makes each cluster that cluster, in sentences: its strongest deviations from everybody."""
    rows, used = found.report["profiles"], labels.label_features(ui.store(), found)
    traits = ui.rows(profiles.traits(rows, found.report["centres"], used))
    with st.grid(min(len(rows), 4), min_column_width=300, gap="small", border=True) as grid:
        for row in rows:
            with grid.cell():
                segment, mine = row["segment"], [trait for trait in traits if trait["segment"] == row["segment"]]
                mark = " :red-badge[called bad]" if segment in risky_segments(found) else ""
                st.markdown(
                    f"**{name_of(segment, len(rows))}**{mark}  \n:gray[{ui.plural(row['n'], 'applicant')}, {ui.percent(row['share'])}]"
                )
                lines = [
                    f"{':red[:material/arrow_upward:]' if trait['deviation'] > 0 else ':green[:material/arrow_downward:]'} "
                    f"{ui.literal(trait['title'])}: **{ui.literal(trait['value'])}** :gray[({ui.literal(trait['everybody'])} over all)]"
                    for trait in mine[:3]
                ]
                st.markdown("  \n".join(lines) or ":gray[Like everybody.]")


def examples(found: LabelSet) -> None:
    """Offer applicants of one cluster to open: the most typical of it, and those nearest to the border."""
    numbers = [str(number) for number in range(found.k or 0)]
    default = [str(risky_segments(found)[-1])]
    first = default + [number for number in numbers if number not in default]
    chosen = ui.pick("Cluster", first, "segment", say=lambda text: name_of(int(text), found.k or 0), first=True)
    frame = ui.seen(labels.examples, found.label_set_id, ui.number(chosen or ""), 5)
    columns = {
        "kind": ui.text_column("Which"),
        "applicant_id": ui.text_column("Applicant"),
        "as_of": ui.day_column("As of"),
        "bad": ui.text_column("Label"),
        "risk_index": ui.number_column("Risk index", "The plain signed index, in standard deviations; higher is riskier", "%.2f"),
    }
    ui.table(
        frame,
        columns,
        key="examples",
        alt="Applicants of this cluster",
        opens="applicant_id",
        param="applicant",
        page="applicants",
        placeholder="no label",
    )
    st.caption("Typical ones lie at the middle of the cluster, border ones where risky and not risky meet. Pick a row to open one.")


# --- beside another set -----------------------------------------------------------------------------------------------------


def compare(found: LabelSet, others: Sequence[str], say: Callable[[str], str]) -> None:
    """Hold this set against another: how often they agree, beyond chance, and who is labelled differently."""
    other = ui.pick("Compare with", list(others), "with", say=say)
    if other is None:
        st.caption("Choose a set to see who is labelled differently.")
        return
    seen = ui.seen(labels.compare, found.label_set_id, other)
    if not seen.n_both:
        st.info("The two sets label nobody in common.", icon=":material/join_inner:")
        return
    ui.figures(
        ("Labelled by both", ui.count(seen.n_both), "Applicants whom both sets call good or bad."),
        ("Agree", ui.percent(seen.agreement), f"{ui.count(seen.n_agree)} of them have the same label in both."),
        (
            "Cohen’s kappa",
            ui.plain(seen.kappa, 2),
            "Agreement beyond chance: 0 is chance, 1 is the same. Below, its 95 % interval.",
            ui.interval({"low": seen.kappa_low, "high": seen.kappa_high}, 2),
        ),
    )
    left, right = st.columns(2, gap="large")
    with left:
        ui.figure(charts.agreement(seen.table, found.label_set_id, other), key="agreement")
    with right:
        st.markdown(f"**{ui.plural(len(seen.moved), 'applicant is', 'applicants are')} labelled differently**")
        if len(seen.moved):
            columns = {
                "applicant_id": ui.text_column("Applicant"),
                "one": ui.text_column(found.label_set_id),
                "other": ui.text_column(other),
                "risk_index": ui.number_column("Risk index", "The plain signed index; higher is riskier", "%.2f"),
            }
            ui.table(
                seen.moved,
                columns,
                key="moved",
                alt="Applicants labelled differently",
                opens="applicant_id",
                param="applicant",
                page="applicants",
                height=ui.fitting(len(seen.moved), 6),
            )


# --- a new set --------------------------------------------------------------------------------------------------------------


def begin(k: int | None = None) -> None:
    """Open the dialog at the next run, and keep it open: a rerun of the page must not close it."""
    st.session_state["labelling"] = {"k": k}


def stop() -> None:
    """Let go of the dialog."""
    st.session_state.pop("labelling", None)


def going_on() -> None:
    """Show the dialog where somebody has opened it."""
    if "labelling" in st.session_state:
        _make(st.session_state["labelling"]["k"])


@st.dialog("New label set", icon=":material/new_label:", width="medium", on_dismiss=stop)
def _make(k: int | None) -> None:
    """Ask how good and bad are told apart, and make the set."""
    methods = [method for method in lab.METHODS if not (ui.of_table() and method == "rfm")]
    how = st.selectbox("From", methods, format_func=lab.METHODS.get, key="how")
    st.caption(ABOUT[how])
    work = {"kmeans": _kmeans, "rfm": _rfm, "observed": _observed, "reviewed": _reviewed, "combined": _combined}[how](k)
    anew = how in ("kmeans", "observed") and not ui.of_table()
    anew = anew and st.toggle("Compute features first", value=True, key="anew", help="So that the newest statements count. Takes seconds.")
    if st.button("Make the label set", type="primary", width="stretch", key="make-labels", disabled=work is None) and work is not None:
        with ui.guard():
            bar = st.progress(0.0, text="Looking at the applicants …")
            if anew:
                features.build(ui.store(), user=ui.user())
            made = work(lambda share, what: bar.progress(min(share, 1.0), text=f"{ui.sentence(what)} …"))
            stop()
            ui.go("labels", labels=made.label_set_id)


Work = Callable[[Callable[[float, str], None]], LabelSet]


def _choices(k: int | None) -> dict[str, Any]:
    """Ask how many clusters there are to be and which of them are risky; who chooses says why."""
    limits = ui.store().settings.labels
    numbers = [None, *range(limits.k_min, limits.k_max + 1)]
    chosen = st.selectbox(
        "Number of clusters",
        numbers,
        index=numbers.index(k) if k in numbers else 0,
        format_func=lambda number: "chosen from the data" if number is None else f"{number} clusters",
        key="k",
        help=labels.RULE,
    )
    if chosen is None:
        return {}
    risky = st.multiselect(
        "Clusters called risky",
        list(range(chosen)),
        default=[chosen - 1],
        format_func=lambda segment: name_of(segment, chosen),
        key=f"risky-{chosen}",
        help="Clusters are numbered by the plain risk index, the safest first.",
    )
    why = st.text_area("Why this choice?", key="why", placeholder="Kept with the set for whoever reads it next year", height=80)
    return {"k": chosen, "risky": None if risky == [chosen - 1] else risky, "reason": why}


def _windows(days: Sequence[int]) -> tuple[int | None, int]:
    """Ask which days the label looks at, and how many lie idle before them."""
    one, two = st.columns([3, 1])
    performance = one.selectbox(
        "The label looks at",
        [*days, 0],
        format_func=lambda number: f"The {number} days after the predictors end" if number else SAME_DAYS,
        key="days",
        help="In two windows a model has to foresee. In one window it can only re-learn the label, and everything learned from the set "
        "says so.",
    )
    gap = two.number_input("Gap (days)", 0, 365, 0, key="gap", disabled=not performance, help="Days that nobody reads, between both.")
    return (performance, int(gap)) if performance else (None, 0)


def _kmeans(k: int | None) -> Work | None:
    store, performance, gap, apart = ui.store(), None, 0, None
    if not ui.of_table():
        days = sorted({feature.window_days for feature in store.schema.index_features if feature.window_days})
        performance, gap = _windows(days)
        if performance is not None:
            apart = st.selectbox(
                "Applicants are looked at",
                list(APART),
                format_func=APART.get,
                key="cohorts",
                help="Several dates make several cohorts: more rows to learn from, and a look at whether the label holds over time.",
            )
    given = _choices(k)

    def work(say: Callable[[float, str], None]) -> LabelSet:
        windows = cohorts.Windows(performance, gap)
        dates = cohorts.every(store, apart, windows) if apart else None
        return labels.kmeans(store, user=ui.user(), performance_days=performance, gap_days=gap, cohorts=dates, progress=say, **given)

    return work


def _rfm(k: int | None) -> Work | None:
    performance, gap = _windows([90, 180])
    given = _choices(k)
    return lambda say: labels.rfm(ui.store(), user=ui.user(), performance_days=performance, gap_days=gap, progress=say, **given)


def _observed(_k: int | None) -> Work | None:
    rule = st.selectbox(
        "A loan went bad",
        [None, 30, 60, 90, 180],
        format_func=lambda days: "as it was recorded" if days is None else f"when it was {days} days past due",
        key="rule",
        help="A rule needs outcomes that say how many days a loan was past due; 90 is what supervisors call a default.",
    )
    return lambda _say: labels.observed(ui.store(), user=ui.user(), rule=rule)


def _reviewed(_k: int | None) -> Work | None:
    return lambda _say: labels.reviewed(ui.store(), user=ui.user())


def _combined(_k: int | None) -> Work | None:
    sets = {row["label_set_id"]: row for row in ui.rows(labels.sets(ui.store()))}
    chosen = st.multiselect(
        "Label sets",
        list(sets),
        format_func=lambda name: lab.said_set(sets[name]),
        key="sets",
        help="Of several proxies for one applicant the set named first counts.",
    )
    mass = lab.proxy_mass("mass")
    if len(chosen) < 2:
        st.caption("Choose two sets at least.")
        return None
    return lambda _say: labels.combine(ui.store(), chosen, user=ui.user(), proxy_mass=mass)
