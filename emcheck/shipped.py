"""Where the files that come with emcheck lie: policies, scenarios, the annotated settings."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped_config() -> Path:
    """The `config` folder: inside an installed wheel, or beside the package in a checkout."""
    inside = _PACKAGE / "_config"
    return inside if inside.is_dir() else _PACKAGE.parent / "config"


def shipped_policies(config: Path | None = None) -> dict[str, Path]:
    """The policies that come with emcheck, by name."""
    folder = (config or shipped_config()) / "policy"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}
