"""Systems of linear inequalities: solved, or proved to have no solution."""

from sk_memorize.analysis._linear._constraints import Codes, Entries, Floats
from sk_memorize.analysis._linear._coordinates import whiten
from sk_memorize.analysis._linear._decision import decide, verify
from sk_memorize.analysis._linear._problem import (
    Decision,
    Problem,
    ProofKind,
    count_distinct,
)
from sk_memorize.analysis._linear._threads import one_thread

__all__ = [
    "Codes",
    "Decision",
    "Entries",
    "Floats",
    "Problem",
    "ProofKind",
    "count_distinct",
    "decide",
    "one_thread",
    "verify",
    "whiten",
]
