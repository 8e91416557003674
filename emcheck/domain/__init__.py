"""Pure core: ids, facts, orders, windows, timeline, rules, alert life cycle, policy, engine.

No clock, no I/O, no chance.
"""
