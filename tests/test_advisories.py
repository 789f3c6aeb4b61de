"""The audit of dependencies fails on what is known, and never says that all is well when nothing was asked."""

from tests.advisories import judged

GOOD = {"name": "good", "version": "1.0", "vulns": []}
BAD = {"name": "bad", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"], "aliases": []}]}
UNKNOWN = {"name": "ours", "skip_reason": "Dependency not found on PyPI and could not be audited: ours (1.0)"}


def test_a_finding_fails_and_says_where_it_is_mended():
    status, said = judged([GOOD, BAD, UNKNOWN])
    assert status == 1
    assert "bad 2.0: PYSEC-1 (mended in 2.1)" in said
    assert "not known to the advisory service: ours" in said


def test_what_could_not_be_asked_is_said_to_be_skipped_and_why():
    for found, reason in (([UNKNOWN], "knows none of the packages"), ("Could not connect", "Could not connect")):
        status, said = judged(found)
        assert (status, said.startswith("pip-audit skipped: "), reason in said) == (0, True, True)


def test_nothing_found_is_no_failure_and_says_how_many_were_asked():
    assert judged([GOOD]) == (0, "pip-audit: 1 packages asked about, 0 with known vulnerabilities")
