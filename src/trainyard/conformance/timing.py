"""How long a check keeps things away, and how long it waits; seconds."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Timing:
    """How long things are kept away or back, and how long is waited; seconds."""

    away: float = 60
    hold: float = 4
    silence: float = 2.5  # the longest gap between calls that is still `in time` at one beat in 0.3 s
    beat: float = 0.3
    slow: float = 2
    run: float = 300  # a run that is to end by itself
    start: float = 120  # until something of a run happens
    grace: float = 30  # from a signal to the end
    pace: float = 20  # longest gap between two epochs while MLflow is away

    def patient(self, factor: float) -> "Timing":
        """So many times as long waited; what is kept away or back stays so."""
        waits = ("silence", "run", "start", "grace", "pace")
        return replace(self, **{name: getattr(self, name) * factor for name in waits})
