"""Where good and bad come from: proxy labels from clusters, observed outcomes, accepted verdicts, and these together.

A label set is immutable and carries its quality report. A cluster is never called a default: it gives a segment (0 = safest)
and a proxy label.
"""

from creditrisk.clusters import RULE
from creditrisk.labels.clustered import kmeans, of_clusters, rfm
from creditrisk.labels.lessons import training_set
from creditrisk.labels.mass import PROXY_MASS, Mass
from creditrisk.labels.shelf import (
    MEMBERS,
    PROXIES,
    LabelSet,
    banner,
    get,
    known,
    label_features,
    members,
    named,
    newest,
    receive,
    resealed,
    risk_index,
    rows_of,
    sets,
    to_json,
    warnings,
)
from creditrisk.labels.verified import by_source, combine, judged, observed, reviewed, taught, together, verified, weighing
from creditrisk.labels.views import axes, by_cohort, by_group, compare, examples, points
from creditrisk.quality import Comparison

__all__ = [
    "MEMBERS",
    "PROXIES",
    "PROXY_MASS",
    "RULE",
    "Comparison",
    "LabelSet",
    "Mass",
    "axes",
    "banner",
    "by_cohort",
    "by_group",
    "by_source",
    "combine",
    "compare",
    "examples",
    "get",
    "judged",
    "kmeans",
    "known",
    "label_features",
    "members",
    "named",
    "newest",
    "observed",
    "of_clusters",
    "points",
    "receive",
    "resealed",
    "reviewed",
    "rfm",
    "risk_index",
    "rows_of",
    "sets",
    "taught",
    "to_json",
    "together",
    "training_set",
    "verified",
    "warnings",
    "weighing",
]
