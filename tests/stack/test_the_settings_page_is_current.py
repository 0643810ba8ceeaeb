"""docs/settings.md is what the code says; `make generate` writes it anew."""

from services.stack import settings_docs


def test_the_page_is_what_the_classes_say() -> None:
    assert settings_docs.TARGET.read_text() == settings_docs.page()


def test_every_setting_says_what_it_is_for() -> None:
    rows = [line for line in settings_docs.page().splitlines() if line.startswith("| `TIPHYS_")]
    assert len(rows) > 20
    assert [row for row in rows if row.split("|")[3].strip() == ""] == []
