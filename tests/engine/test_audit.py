"""The scan of what is committed finds secrets where there are some."""

from pathlib import Path

from tests import audit


def test_a_secret_is_found_by_its_form_and_by_its_name(tmp_path: Path) -> None:
    key = "-----BEGIN RSA PRIVATE" + " KEY-----"
    (tmp_path / "one.py").write_text(f'text = """{key}"""\n')
    (tmp_path / "two.py").write_text("x = 1\npass" + 'word = "Tr0ub4dor&3x9"\n')
    found = audit.scanned(["one.py", "two.py"], (*audit.PLUGINS, audit.BY_NAME), tmp_path)
    assert found == [("one.py", 1, "Private Key"), ("two.py", 2, "Secret Keyword")]
    (tmp_path / "three.py").write_text("x = 1\n")
    assert audit.scanned(["three.py"], audit.PLUGINS, tmp_path) == []


def test_what_could_not_be_audited_is_not_called_sound(monkeypatch) -> None:
    class Done:
        stdout, stderr = '{"dependencies": [{"name": "django", "skip_reason": "not found"}]}', ""

    monkeypatch.setattr(audit.subprocess, "run", lambda *args, **kwargs: Done())
    (told,) = audit.flaws()
    assert told.startswith("NOT AUDITED") and "django" in told
    Done.stdout = ""
    assert audit.flaws()[0].startswith("NOT AUDITED")
    flaw = '{"id": "CVE-1", "fix_versions": ["2.0"]}'
    Done.stdout = '{"dependencies": [{"name": "django", "version": "1.0", "vulns": [' + flaw + "]}]}"
    assert audit.flaws() == ["django 1.0: CVE-1, mended in 2.0."]
