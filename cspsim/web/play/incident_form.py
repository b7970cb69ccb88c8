"""What a facilitator may let happen: a cut of the grant, a reorganisation, a serious incident, with their sizes."""

from typing import Any

import solara

from cspsim.web.parts import Button, ChoiceField, box, words
from cspsim.web.play.door import Door
from cspsim.web.play.incidents import GRANT_CUT, REORGANISATION, SERIOUS_INCIDENT
from cspsim.web.shown_scenarios import known_names, scenario_of

KINDS = {
    GRANT_CUT: "The grant is cut",
    REORGANISATION: "An authority is reorganised",
    SERIOUS_INCIDENT: "A serious incident",
}
CUTS = {"10": "by 10%", "20": "by 20%", "30": "by 30%", "50": "by 50%", "80": "by 80%"}
RISES = {"20": "20% more", "50": "50% more", "100": "twice as much", "200": "three times as much"}
MONTHS = {"3": "3 months", "6": "6 months", "12": "12 months", "24": "24 months"}
NEWS = {
    GRANT_CUT: "Every grant falls from the next April on.",
    REORGANISATION: "Whoever sits for it is replaced next month; trust and knowledge go with them.",
    SERIOUS_INCIDENT: "This kind of crime runs higher from next month, whatever the table does.",
}


@solara.component
def IncidentForm(door: Door, scenario: str) -> None:
    """Choose what happens and let it happen; everybody is told at once."""
    kind, set_kind = solara.use_state(GRANT_CUT)
    chosen, set_chosen = solara.use_state({"cut": "30", "rise": "50", "months": "6", "authority": "", "crime_type": ""})
    authorities, crimes = solara.use_memo(lambda: names_of(scenario), [scenario])
    settings = {
        **chosen,
        "authority": chosen["authority"] or next(iter(authorities), ""),
        "crime_type": chosen["crime_type"] or next(iter(crimes), ""),
    }

    def put(name: str, value: str) -> None:
        set_chosen({**chosen, name: value})

    with box("section", "csp-card", aria_labelledby="incident"):
        words("h2", "Let something happen", "csp-h2", id_="incident")
        ChoiceField("What happens", kind, KINDS, set_kind, hint=NEWS[kind])
        if kind == GRANT_CUT:
            ChoiceField("How much", settings["cut"], CUTS, lambda value: put("cut", value))
        elif kind == REORGANISATION:
            ChoiceField("Which authority", settings["authority"], authorities, lambda value: put("authority", value))
        else:
            ChoiceField("Which crime", settings["crime_type"], crimes, lambda value: put("crime_type", value))
            with box("div", "csp-grid"):
                ChoiceField("How much more", settings["rise"], RISES, lambda value: put("rise", value))
                ChoiceField("For how long", settings["months"], MONTHS, lambda value: put("months", value))
        with box("div", "csp-cluster"):
            Button("Let it happen", lambda: inject(door, incident_of(kind, settings)), kind="plain")


def names_of(scenario: str) -> tuple[dict[str, str], dict[str, str]]:
    """Authorities and kinds of crime of a scenario; none where the server does not know it any more."""
    if scenario not in known_names():
        return {}, {}
    data = scenario_of(scenario).data
    return ({name: one.title for name, one in data.authorities.items()}, {name: one.title for name, one in data.crime_types.items()})


def incident_of(kind: str, settings: dict[str, str]) -> dict[str, Any]:
    """An incident as ``Rooms.inject`` takes it."""
    if kind == GRANT_CUT:
        return {"kind": kind, "share": int(settings["cut"]) / 100}
    if kind == REORGANISATION:
        return {"kind": kind, "authority": settings["authority"]}
    return {
        "kind": kind,
        "crime_type": settings["crime_type"],
        "share": int(settings["rise"]) / 100,
        "months": int(settings["months"]),
    }


def inject(door: Door, incident: dict[str, Any]) -> None:
    """Let it happen."""
    door.ask(door.rooms.inject, incident)
