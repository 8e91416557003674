"""What counts prove: 95 % intervals of shares and rates, exact, and the rule of three where nothing was seen."""

from collections.abc import Callable, Sequence
from math import exp, lgamma, log, log1p

_SIDE = 0.025
_HALVINGS = 50


def share(seen: int, of: int) -> tuple[float, float]:
    """Lowest and highest true share (Clopper and Pearson 1934)."""
    low = 0.0 if seen == 0 else _solve(lambda p: 1 - _at_most(seen - 1, of, p), 1.0)
    high = 1.0 if seen == of else 1 - _solve(lambda q: 1 - _at_most(of - seen - 1, of, q), 1.0)
    return low, high


def at_most(seen: int, of: int) -> float:
    """The highest true share at 95 %, one-sided; of none seen about 3 / of (rule of three)."""
    return 1.0 if seen == of else _solve(lambda p: 1 - _at_most(seen, of, p), 1.0, reach=0.95)


def rate(seen: int, units: float) -> tuple[float, float]:
    """Lowest and highest true rate of what comes as a Poisson stream, seen so often in so many units (Garwood 1936)."""
    most = 3.0 * seen + 10
    low = 0.0 if seen == 0 else _solve(lambda m: 1 - _poisson(seen - 1, m), most)
    return low / units, _solve(lambda m: 1 - _poisson(seen, m), most, reach=1 - _SIDE) / units


def quantile(values: Sequence[float], part: float) -> tuple[float, float, float]:
    """A quantile with its interval by order statistics; what never came is infinite and counts."""
    ordered, n = sorted(values), len(values)
    below = [sum(_term(k, n, part) for k in range(i)) for i in range(n + 1)]
    low = max((i for i in range(n + 1) if below[i] <= _SIDE), default=0)
    high = min((i for i in range(n + 1) if below[i] >= 1 - _SIDE), default=n)
    return ordered[max(0, low - 1)], ordered[min(n - 1, int(part * n))], ordered[min(n - 1, high)]


def _solve(rising: Callable[[float], float], top: float, *, reach: float = _SIDE) -> float:
    """Where a rising function of 0 to `top` comes to `reach`."""
    low, high = 0.0, top
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < reach else (low, middle)
    return (low + high) / 2


def _term(k: int, n: int, p: float) -> float:
    if p in (0.0, 1.0):
        return float(k == n * p)
    return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p))


def _at_most(k: int, n: int, p: float) -> float:
    """How likely at most `k` of `n` are seen."""
    if k > n // 2:
        return 1 - _at_most(n - k - 1, n, 1 - p)
    return sum(_term(i, n, p) for i in range(k + 1))


def _poisson(k: int, mean: float) -> float:
    term = total = exp(-mean)
    for i in range(1, k + 1):
        term *= mean / i
        total += term
    return total
