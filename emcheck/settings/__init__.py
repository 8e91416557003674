"""Settings of an installation: frozen values, one model per concern, from a TOML file and the environment.

A threshold that decides about people is policy (`config/policy`), never a setting.
"""

from emcheck.settings.loading import SettingsError, annotated_toml, explain, load_settings
from emcheck.settings.sections import (
    AlertingSettings,
    HttpSettings,
    LoggingSettings,
    LogPublisherSettings,
    MqttPublisherSettings,
    MqttSettings,
    OidcSettings,
    ServiceSettings,
    Settings,
    StoreSettings,
    WatchdogSettings,
    WebhookPublisherSettings,
    WebSettings,
)
from emcheck.shipped import shipped_config

__all__ = [
    "AlertingSettings",
    "HttpSettings",
    "LogPublisherSettings",
    "LoggingSettings",
    "MqttPublisherSettings",
    "MqttSettings",
    "OidcSettings",
    "ServiceSettings",
    "Settings",
    "SettingsError",
    "StoreSettings",
    "WatchdogSettings",
    "WebSettings",
    "WebhookPublisherSettings",
    "annotated_toml",
    "explain",
    "load_settings",
    "shipped_config",
]
