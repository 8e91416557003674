"""Settings: defaults, file, environment, and one line of help for each mistake."""

import os
import tomllib
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from emcheck.settings import Settings, SettingsError, annotated_toml, explain, load_settings, shipped_config


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in os.environ:
        if variable.upper().startswith("EMCHECK_"):
            monkeypatch.delenv(variable)


def _file(folder: Path, text: str) -> Path:
    path = folder / "emcheck.toml"
    path.write_text(text)
    return path


def test_the_shipped_file_is_complete_and_equal_to_the_defaults() -> None:
    shipped = shipped_config() / "emcheck.toml"
    assert shipped.read_text() == annotated_toml(), (
        "write config/emcheck.toml anew from emcheck.settings.annotated_toml()"
    )
    assert load_settings(shipped).model_dump() == Settings().model_dump()


def test_the_shipped_file_with_every_comment_opened_still_loads(tmp_path: Path) -> None:
    lines = [
        line.removeprefix("# ") if line.startswith("# ") and " = " in line and line.endswith(('"', "}")) else line
        for line in annotated_toml().splitlines()
    ]
    opened = tomllib.loads("\n".join(lines).replace("tls = false", "tls = true"))
    settings = load_settings(_file(tmp_path, "\n".join(lines).replace("tls = false", "tls = true")))
    assert settings.mqtt.key_file == Path("/etc/emcheck/emcheck.key")
    assert settings.web.oidc.roles == {"control room": "operator", "duty leads": "supervisor"}
    assert sum(len(section) for section in opened.values()) > 20


def test_every_setting_has_a_reason() -> None:
    said = annotated_toml()
    for item in explain(Settings()):
        name = item.key.rpartition(".")[2]
        before = said.split(f"\n{name} = ")[0] if f"\n{name} = " in said else said.split(f"\n# {name} = ")[0]
        assert before.rstrip().splitlines()[-1].startswith("# "), item.key


def test_the_environment_wins_over_the_file_and_the_file_over_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _file(tmp_path, '[mqtt]\nhost = "broker.example"\nport = 8883\n\n[alerting.webhook]\ntimeout_s = 3\n')
    monkeypatch.setenv("EMCHECK_MQTT__PORT", "1884")
    monkeypatch.setenv("EMCHECK_ALERTING__WEBHOOK__URL", "https://centre.example/alerts")
    monkeypatch.setenv("EMCHECK_STORE__URL", "")
    settings = load_settings(path)
    assert (settings.mqtt.host, settings.mqtt.port, settings.mqtt.keepalive_s) == ("broker.example", 1884, 30)
    assert settings.alerting.webhook.timeout_s == 3
    sources = {item.key: item.source for item in explain(settings)}
    assert sources["mqtt.host"] == f"{path}:2"
    assert sources["mqtt.port"] == "environment"
    assert sources["alerting.webhook.timeout_s"] == f"{path}:6"
    assert sources["alerting.webhook.url"] == "environment"
    assert sources["store.url"] == "default"


def test_secrets_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMCHECK_MQTT__PASSWORD", "correct horse")
    monkeypatch.setenv("EMCHECK_STORE__URL", "postgresql://emcheck:battery@db.example/emcheck")
    settings = load_settings(None)
    assert settings.mqtt.password == SecretStr("correct horse")
    shown = {item.key: item.value for item in explain(settings)}
    assert shown["mqtt.password"] == "********"
    assert shown["store.url"] == "postgresql://emcheck:********@db.example/emcheck"
    assert settings.store.async_url == "postgresql+asyncpg://emcheck:battery@db.example/emcheck"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().mqtt.port = 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[mqtt]\nprot = 1\n", ":2: mqtt.prot: no such setting; did you mean mqtt.port?"),
        ("[mqqt]\nport = 1\n", "mqqt"),
        (
            "[mqtt]\n\nport = 99999\n",
            ":3: mqtt.port: 99999 cannot be used: input should be less than or equal to 65535",
        ),
        ('[store]\nurl = "mysql://x"\n', ":2: store.url: 'mysql://x' cannot be used: a database is sqlite:///FILE or"),
        ('[mqtt]\nkey_file = "a.key"\n', ":1: mqtt: certificate_file and key_file belong together"),
        ('[mqtt]\npassword = ["hunter2"]\n', ":2: mqtt.password: the secret cannot be used"),
        ("[mqtt\n", ": not TOML: "),
        ("mqtt.port = 0\n[store]\nurl = 1\n", ":1: mqtt.port: 0 cannot be used"),
    ],
)
def test_a_wrong_file_gives_one_line_with_place_key_fault_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    path = _file(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    line = str(caught.value)
    assert line.startswith(str(path))
    assert said in line
    assert "\n" not in line
    assert "hunter2" not in line


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "EMCHECK_MQTT__PROT",
            "1",
            "environment: EMCHECK_MQTT__PROT: no such setting; did you mean EMCHECK_MQTT__PORT?",
        ),
        ("EMCHECK_PORT", "1", "environment: EMCHECK_PORT: no such setting; did you mean EMCHECK_WEB__PORT?"),
        ("EMCHECK_MQTT", "{}", "environment: EMCHECK_MQTT: no such setting"),
        ("EMCHECK_MQTT__PORT", "x", "environment: EMCHECK_MQTT__PORT: mqtt.port: 'x' cannot be used: input should be"),
        (
            "EMCHECK_WATCHDOG__URL",
            "ftp://x",
            "environment: EMCHECK_WATCHDOG__URL: watchdog.url: 'ftp://x' cannot be used",
        ),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings(None)
    assert str(caught.value).startswith(said)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read: No such file or directory"):
        load_settings(tmp_path / "none.toml")
