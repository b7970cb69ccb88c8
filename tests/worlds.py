"""Small worlds for tests: complete, quick to read, with figures that are made up and easy to reckon with."""

from pathlib import Path


def _crime_type(name: str, unit_cost: int, severity: int) -> str:
    return f"""
[crime_types.{name}]
title = "{name.capitalize()}"
unit_cost = {{ value = {unit_cost}, low = {unit_cost // 2}, high = {unit_cost * 2}, unit = "£", source = "made up for tests" }}
severity = {severity}
reporting = {{ value = 0.5, low = 0.4, high = 0.6, unit = "share" }}
recording = 0.9
season = [1.02, 0.98, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
dispersion = 0.02
annual_sd_common = 0.06
annual_sd_local = 0.05
police_elasticity = {{ value = -0.3, low = -0.6, high = 0, unit = "elasticity" }}
targeted = 0.8
exogenous = {{ path = {{ "2010-04" = 1.0, "2012-04" = 0.9 }}, shape = "linear" }}
"""


def _authority(name: str, roles: str, hours: int, remit: str) -> str:
    return f"""
[authorities.{name}]
title = "{name.replace("_", " ").capitalize()}"
roles = [{roles}]
hours = {hours}
hourly_cost = {{ value = 35, low = 25, high = 45, unit = "£ an hour" }}
match_funds = 20000
remit = {{ {remit} }}
influence = 1.0
commitment = 0.6
assertiveness = 0.5
openness = 0.5
evaluation_mindedness = 0.3
dependence = 0.2

[authorities.{name}.mainstream.path]
"2010-04" = 1.0
"2012-04" = 0.85
"""


def _intervention(name: str, lead: str, effect: float, profile: str) -> str:
    return f"""
[interventions.{name}]
title = "{name.replace("_", " ").capitalize()}"
lead = "{lead}"
cost = {{ value = 60000, low = 40000, high = 90000, unit = "£ a year", source = "made up for tests" }}
hours = 400
effect = {{ value = {effect}, low = 0, high = 0.6, unit = "share", status = "assumption", source = "made up for tests" }}
reach = 0.1
profile = {{ {profile} }}
popularity = 0.5
evidence_grade = 2
build_up = 6
half_life = 6
threshold = 0.2
most_units = 3
match_share = 0.2
spill_over = 0.05
"""


def tiny_world() -> str:
    """The TOML text of a whole scenario: 2 partnerships, 3 authorities, 2 crime types, 3 interventions, 4 years."""
    return (
        """title = "Tiny world"
question = "Does anything happen?"
context = "Made up for tests."
primary_outcome = "cost_of_crime"

[time]
first_month = "2010-04"
last_month = "2014-03"
warm_up_months = 12
window_from = "2011-04"

[area]
title = "Tiny force area"
partnerships = 5
population = { value = 1000000, unit = "persons" }
recorded = 40000
rest_bid_skill = 0.5

[area.deflator]
path = { "2010-04" = 0.92, "2012-04" = 0.96, "2014-03" = 1.0 }
shape = "linear"

[commissioner]
title = "Commissioner"
priorities = { burglary = 0.5, violence = 0.5 }
effect = 0.1
reach = 0.05
unit_cost = 50000
"""
        + _crime_type("burglary", 5000, 400)
        + _crime_type("violence", 10000, 200)
        + _authority("police", '"enforcement", "police_strength"', 3000, "burglary = 0.5, violence = 0.5")
        + _authority("local_authority", '"coordinator", "environment"', 4000, "burglary = 0.4, violence = 0.4")
        + _authority("health", '"health_data"', 800, "violence = 0.9")
        + """
[partnerships.inner]
title = "Inner borough"
population = 300000
recorded = { burglary = 4000, violence = 6000 }
staffing = 1.2
bid_skill = 0.6
neighbours = { outer = 0.3 }

[partnerships.outer]
title = "Outer borough"
population = 200000
recorded = { burglary = 1500, violence = 2000 }
staffing = 0.9
bid_skill = 0.4
neighbours = { inner = 0.3 }

[grants.safety_fund]
title = "Community safety fund"
paid_to = "partnerships"
prices = "nominal"
amount = { path = { "2010-04" = 1000000, "2011-04" = 800000, "2012-04" = 400000 }, unit = "£ a year" }
returns_hours = 40

[grants.pot]
title = "Commissioner's pot"
paid_to = "commissioner"
prices = "nominal"
amount = { path = { "2010-04" = 0, "2013-04" = 900000 } }
returns_hours = 60
"""
        + _intervention("hot_spots", "enforcement", 0.2, "burglary = 0.6, violence = 0.4")
        + _intervention("cctv", "coordinator", 0.13, "burglary = 1.0")
        + _intervention("injury_data", "health_data", 0.3, "violence = 1.0")
        + """
[events.health_change]
month = "2013-04"
kind = "reorganisation"
title = "Health reorganised"
authority = "health"

[levers]
grant.path = { "2010-04" = 1.0 }
engagement.path = { "2010-04" = 0.2 }

[switches]
gaming = true
"""
    )


def write_tiny_world(folder: Path, name: str = "tiny") -> Path:
    """The tiny world as a file in a folder, to load or to extend."""
    path = folder / f"{name}.toml"
    path.write_text(tiny_world(), encoding="utf-8")
    return path
