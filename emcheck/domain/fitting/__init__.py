"""Fitting: how a visit shows that a tag is on a living limb (domain.md, Fitting; docs/adr/0026).

A session is a sequence of facts in the inbox: what a fitter opens, answers, marks and signs (`acts`), beside what the
base unit tells meanwhile (`heard`). What it comes to is a pure function of them (`judging`), so that it survives a lost
phone, a restart and a dead uplink, and a replay finds the same.

1. The steps stand in a table (`steps`). Every one needs positive evidence; absent, stale or unreadable evidence is a
   fail, and each fail says what to do next. Some may be answered `cannot` with a reason.
2. `pending` until every step is done, then `validated`; `overridden` by a supervisor with a reason, which is an alert
   (fitting.unvalidated, class `overridden`) for as long as the tag is worn.
3. An answer counts for the limb that was chosen before it, and for the strap as it was closed last: who changes the
   limb or opens the strap answers anew.
4. An answer belongs to one session, fitter and tag (`visits`).
5. From the beginning of a visit to its end the tag is on nobody: its alerts wait, what happens inside accuses nobody,
   and what was latched before is cleared. Where the fitter never had the tag in hand, it is as if they had not come.
6. What is signed is a record (`record`), by its hash.
"""
