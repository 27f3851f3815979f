"""Settings are read once and refuse an unsafe production."""

from pathlib import Path

import pytest

from core.settings import DEVELOPMENT_KEY, Settings, SettingsError

SAFE = {
    "HEJIE_ENV": "production",
    "HEJIE_DATABASE_URL": "postgresql://hejie@db/hejie",
    "HEJIE_SECRET_KEY": "s" * 40,
    "HEJIE_DATA_KEYS": f"{'a' * 40},{'b' * 40}",
    "HEJIE_BASE_URL": "https://hejie.example/",
}


def test_nothing_set_gives_a_machine_of_ones_own() -> None:
    settings = Settings.from_environment({})
    assert not settings.production
    assert settings.database_url == "sqlite:///var/hejie.db"
    assert settings.secret_key == DEVELOPMENT_KEY


def test_a_safe_production_is_accepted() -> None:
    settings = Settings.from_environment(SAFE)
    assert settings.production
    assert settings.data_keys == ("a" * 40, "b" * 40)
    assert settings.base_url == "https://hejie.example"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HEJIE_DATABASE_URL", ""),
        ("HEJIE_SECRET_KEY", ""),
        ("HEJIE_SECRET_KEY", DEVELOPMENT_KEY),
        ("HEJIE_SECRET_KEY", "short"),
        ("HEJIE_DATA_KEYS", ""),
        ("HEJIE_DATA_KEYS", f"{'a' * 40},{DEVELOPMENT_KEY}"),
        ("HEJIE_DATA_KEYS", ","),
        ("HEJIE_BASE_URL", "http://hejie.example"),
        ("HEJIE_MAX_BODY", "20 MB"),
        ("HEJIE_PROXIES", "-1"),
        ("HEJIE_ENV", "prod"),
    ],
)
def test_an_unsafe_production_is_refused_by_the_name_of_the_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        Settings.from_environment({**SAFE, variable: value})


def test_folders_of_fonts_must_be_there(tmp_path: Path) -> None:
    given = {"HEJIE_FONTS": f"{tmp_path}:{tmp_path.parent}"}
    assert Settings.from_environment(given).fonts == (tmp_path.resolve(), tmp_path.parent.resolve())
    assert Settings.from_environment({}).fonts == ()
    with pytest.raises(SettingsError, match="HEJIE_FONTS"):
        Settings.from_environment({"HEJIE_FONTS": str(tmp_path / "none")})
