"""A fleet of agents that never ran: seeded runs as OTLP bytes, and the truth about what was put into them.

fleet (who there is) -> rhythm and schedule (when what runs) -> incidents (what goes wrong) -> behaviour (what one
run does) -> spans over wire (its bytes) -> requests, with truth counting along -> delivery (HTTP or files).
"""
