"""What a password is: at least 15 characters of any kind, and not what many others would choose.

NIST SP 800-63B-4, 3.1.1.2. There is no list of breached passwords here: it would have to be asked of somebody else.
What stands on such lists at this length are names, words of the trade, runs of keys and things said twice, and those
are refused (`WORDS`, `_RUNS`).
"""

PASSWORD_LEAST, PASSWORD_MOST = 15, 200
WORDS = (
    "administrator", "password", "passwort", "supervisor", "monitoring", "probation", "operator", "auditor", "emcheck",
    "console", "officer", "welcome", "iloveyou", "princess", "football", "baseball", "sunshine", "letmein", "dragon",
    "monkey", "curfew", "fitter", "secret", "admin", "login", "test", "tag",
)  # fmt: skip
"""Words of this house and of everybody's list: they count for nothing."""
_RUNS = ("1234567890", "0987654321", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm")
_RUN_LEAST = 4
_LEFT_LEAST = 6


def wrong_with(password: str, again: str, name: str) -> str | None:
    """What keeps it from being a password, in words; None where nothing does."""
    if len(password) < PASSWORD_LEAST:
        return (
            f"It has {len(password)} characters; at least {PASSWORD_LEAST} are wanted. Four words that you make up do."
        )
    if len(password) > PASSWORD_MOST:
        return f"It has {len(password)} characters; at most {PASSWORD_MOST} are read."
    if _is_guessed(password.lower(), name):
        return "It is easily guessed: leave out your name, words of this work, and what is said again and again."
    return None if password == again else "The two are not the same; write it twice alike."


def _is_guessed(password: str, name: str) -> bool:
    if name in password or len(set(password)) < 5 or (password + password).find(password, 1) < len(password):
        return True
    left = password
    for word in WORDS:
        left = left.replace(word, "")
    for run in _RUNS:
        for length in range(len(run), _RUN_LEAST - 1, -1):
            for start in range(len(run) - length + 1):
                left = left.replace(run[start : start + length], "")
    return len(left) < _LEFT_LEAST
