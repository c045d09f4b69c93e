"""The queues that Arboris' own is compared with, on the same work (``tests.bench.work``)."""

from tests.bench.peers.names import PEERS, Figures
from tests.bench.peers.rounds import RoundFailed, run, run_once

__all__ = ["PEERS", "Figures", "RoundFailed", "run", "run_once"]
