"""Findings and alerts come back from JSON exactly as they were."""

from hypothesis import given
from hypothesis import strategies as st

from emcheck.domain.alerts import Alert, AlertState, Disposition
from emcheck.domain.findings import FactRef, Finding, Span
from emcheck.store.rows import alert_body, alert_from, finding_body, finding_from, storable

words = st.text(st.characters(exclude_categories=()), max_size=12)  # lone surrogates and NUL with the rest
maybe_words = st.none() | words
instants = st.integers(min_value=-(1 << 62), max_value=1 << 62)
maybe_instants = st.none() | instants
spans = st.builds(Span, instants, instants)

findings = st.builds(
    Finding,
    rule=words, start=instants, end=maybe_instants, priority=words, class_=maybe_words, wearer_id=maybe_words,
    order_id=maybe_words, unit=maybe_words, window=st.none() | spans, absent_ms=maybe_instants,
    excluded_ms=maybe_instants, raised_at=maybe_instants,
    evidence=st.lists(st.builds(FactRef, words, words, instants), max_size=3).map(tuple),
    doubts=st.lists(words, max_size=3).map(tuple),
    detail=st.lists(st.tuples(words, words | instants), max_size=3).map(tuple),
    zone=words, policy=words, register=words,
)  # fmt: skip
alerts = st.builds(
    Alert,
    alert_id=words, rule=words, subject=words, priority=words, state=st.sampled_from(AlertState), happened_at=instants,
    raised_at=instants, text=words, class_=maybe_words, wearer_id=maybe_words, order_id=maybe_words, unit=maybe_words,
    window=st.none() | spans, ended_at=maybe_instants, withdrawn=st.booleans(), revision=instants,
    lease_until=maybe_instants, disposition=st.none() | st.sampled_from(Disposition).map(str), late=maybe_words,
)  # fmt: skip


@given(findings)
def test_a_finding_is_restored_exactly(finding: Finding) -> None:
    restored = finding_from(finding_body(finding))
    assert restored == finding
    assert repr(restored) == repr(finding)  # tuples stay tuples, and named ones keep their names
    assert hash(restored) == hash(finding)


@given(alerts)
def test_an_alert_is_restored_exactly(alert: Alert) -> None:
    restored = alert_from(alert_body(alert))
    assert restored == alert
    assert repr(restored) == repr(alert)


@given(words)
def test_any_text_becomes_storable_and_stays_what_it_was_where_it_can(text: str) -> None:
    kept = storable(text)
    assert "\x00" not in kept
    kept.encode("utf-8")
    assert storable(kept) == kept
    if "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text):
        assert kept == text
