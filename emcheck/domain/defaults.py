"""What younger thresholds are where a policy does not name them: one that was written before they came judges on.

The shipped policy for England and Wales holds the same numbers, each with its reason and source.
"""

from typing import NamedTuple


class Default(NamedTuple):
    """A threshold as a policy would write it; all rest on the domain model, `sign_off` on our proposal only."""

    value: float | str
    unit: str
    sign_off: bool = False


RULES: dict[str, Default] = {
    "unit.power.alert_after_s": Default(1800, "s"),
    "unit.power.priority": Default("P3", "priority"),
    "unit.power.critical_after_s": Default(72000, "s"),
    "unit.power.priority_critical": Default("P2", "priority"),
    "unit.power.full_battery_s": Default(72000, "s", sign_off=True),
    "unit.battery.low_pct": Default(20, "%", sign_off=True),
    "unit.battery.clear_pct": Default(30, "%", sign_off=True),
    "unit.battery.charge_s": Default(21600, "s", sign_off=True),
    "unit.battery.visit_within_s": Default(604800, "s"),
    "unit.battery.priority": Default("P4", "priority"),
    "tag.battery.low_pct": Default(20, "%", sign_off=True),
    "tag.battery.clear_pct": Default(30, "%", sign_off=True),
    "tag.battery.doubt_pct": Default(5, "%"),
    "tag.battery.visit_within_s": Default(604800, "s"),
    "tag.battery.priority": Default("P4", "priority"),
    "tag.case.priority": Default("P1", "priority"),
    "unit.case.priority": Default("P2", "priority"),
    "unit.clock.critical_s": Default(900, "s"),
    "unit.clock.priority": Default("P3", "priority"),
    "unit.clock.priority_critical": Default("P2", "priority", sign_off=True),
    "rf.interference.noise_max_dbm": Default(-95, "dBm", sign_off=True),
    "rf.interference.heard_min_pct": Default(50, "%", sign_off=True),
    "rf.interference.priority": Default("P2", "priority"),
    "unit.moved.corroborated_within_s": Default(120, "s"),
    "unit.moved.repeat_count": Default(3, "times"),
    "unit.moved.repeat_within_s": Default(86400, "s"),
    "unit.moved.buffered_min": Default(20, "events", sign_off=True),
    "unit.moved.priority": Default("P2", "priority"),
    "body.not_attached.alert_after_s": Default(300, "s", sign_off=True),
    "body.not_attached.priority": Default("P1", "priority"),
    "body.not_attached.cool_after_s": Default(1800, "s", sign_off=True),
    "body.not_attached.priority_cool": Default("P2", "priority", sign_off=True),
    "body.not_attached.unsure_after_s": Default(7200, "s", sign_off=True),
    "body.not_attached.priority_unsure": Default("P3", "priority", sign_off=True),
    "body.not_attached.unusable_after_s": Default(3600, "s", sign_off=True),
    "body.not_attached.silent_after_s": Default(1800, "s", sign_off=True),
    "body.not_attached.priority_unusable": Default("P4", "priority", sign_off=True),
    "body.no_motion.after_s": Default(43200, "s"),
    "body.no_motion.night_from_h": Default(22, "h of the day", sign_off=True),
    "body.no_motion.night_until_h": Default(8, "h of the day", sign_off=True),
    "body.no_motion.room_after_s": Default(14400, "s", sign_off=True),
    "body.no_motion.room_within_c": Default(0.3, "degC", sign_off=True),
    "body.no_motion.room_max_c": Default(28, "degC", sign_off=True),
    "body.no_motion.priority": Default("P2", "priority"),
    "evidence.replayed.priority": Default("P2", "priority"),
    "fitting.overdue.due_after_s": Default(259200, "s"),
    "fitting.overdue.priority": Default("P2", "priority"),
    "fitting.unvalidated.priority": Default("P2", "priority"),
    "fitting.fresh_s": Default(60, "s"),
    "fitting.strap.gap_max_mm": Default(13, "mm"),
    "fitting.body.rise_min_c": Default(0.7, "degC", sign_off=True),
    "fitting.body.contact_min": Default(0.85, "of 1", sign_off=True),
    "fitting.body.covered_max_pct": Default(1, "%", sign_off=True),
    "fitting.body.decide_s": Default(120, "s", sign_off=True),
    "fitting.body.settle_s": Default(60, "s", sign_off=True),
    "fitting.body.motion_within_s": Default(60, "s", sign_off=True),
    "fitting.lift.wait_s": Default(45, "s", sign_off=True),
    "fitting.unit.battery_min_pct": Default(30, "%", sign_off=True),
    "fitting.unit.tilt_max_deg": Default(10, "deg", sign_off=True),
    "fitting.unit.signal_min_dbm": Default(-105, "dBm", sign_off=True),
    "fitting.unit.status_fresh_s": Default(660, "s"),
    "fitting.session.most_s": Default(7200, "s", sign_off=True),
    "fitting.session.report_s": Default(1, "s"),
    "fitting.session.sign_within_s": Default(600, "s", sign_off=True),
    "fitting.overdue.attempts_max": Default(2, "visits"),
    "fitting.unvalidated.priority_overridden": Default("P2", "priority", sign_off=True),
    "fitting.unvalidated.revalidate_within_s": Default(259200, "s", sign_off=True),
    "fitting.unvalidated.priority_revalidate": Default("P3", "priority", sign_off=True),
    "monitoring.not_producing.every_s": Default(3600, "s"),
    "monitoring.not_producing.after_s": Default(3600, "s", sign_off=True),
    "monitoring.not_producing.silent_after_s": Default(86400, "s", sign_off=True),
    "monitoring.not_producing.priority": Default("P2", "priority"),
    "service.clock.step_max_s": Default(1, "s", sign_off=True),
    "service.clock.unsynchronised_after_s": Default(900, "s", sign_off=True),
    "service.clock.priority": Default("P1", "priority"),
    "monitoring.removal_due.priority": Default("P4", "priority"),
    "fleet.batch.within_s": Default(7776000, "s", sign_off=True),
    "fleet.batch.ratio": Default(3, "times"),
    "fleet.batch.tampers_min": Default(5, "fittings", sign_off=True),
    "fleet.batch.priority": Default("P1", "priority"),
    "service.audit.grace_s": Default(60, "s", sign_off=True),
    "service.audit.priority": Default("P1", "priority"),
    "alert.target.P1_soon_s": Default(30, "s"),
    "alert.target.P1_s": Default(60, "s"),
    "alert.target.P2_s": Default(180, "s"),
    "alert.target.P3_s": Default(28800, "s"),
    "alert.receipt.P1_s": Default(60, "s", sign_off=True),
    "alert.receipt.P2_s": Default(180, "s", sign_off=True),
    "alert.receipt.P3_s": Default(28800, "s", sign_off=True),
    "alert.notify.every_s": Default(60, "s", sign_off=True),
    "incident.within_s": Default(60, "s", sign_off=True),
    "incident.all.units_min": Default(10, "units", sign_off=True),
    "incident.all.share_pct": Default(1, "%", sign_off=True),
    "incident.uplink.units_min": Default(5, "units", sign_off=True),
    "incident.uplink.share_pct": Default(10, "%", sign_off=True),
    "incident.firmware.units_min": Default(5, "units", sign_off=True),
    "incident.firmware.share_pct": Default(10, "%", sign_off=True),
    "incident.postcode.units_min": Default(3, "units", sign_off=True),
    "incident.postcode.share_pct": Default(50, "%", sign_off=True),
    "incident.settle_s": Default(15, "s", sign_off=True),
    "incident.over_pct": Default(10, "%", sign_off=True),
    "incident.grace_s": Default(300, "s", sign_off=True),
    "incident.silent.priority": Default("P1", "priority", sign_off=True),
    "incident.power.priority": Default("P2", "priority", sign_off=True),
}


HOLIDAYS = (
    "2026-01-01 2026-01-02 2026-04-03 2026-05-04 2026-05-25 2026-08-03 2026-11-30 2026-12-25 2026-12-28 "
    "2027-01-01 2027-01-04 2027-03-26 2027-05-03 2027-05-31 2027-08-02 2027-11-30 2027-12-27 2027-12-28"
)
"""Bank holidays in Scotland: Banking and Financial Dealings Act 1971, Schedule 1, and St Andrew's Day."""
