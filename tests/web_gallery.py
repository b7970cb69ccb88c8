"""Every part of the web view on one page, with hostile texts, served as the tab Kit: run by browser tests."""

import sys

from cspsim.web.server import apply_settings, serve

apply_settings()

import solara  # noqa: E402

import cspsim.web.kit.kit_page as kit  # noqa: E402
from cspsim.basics.formats import Scale  # noqa: E402
from cspsim.model.parameters import Levers  # noqa: E402
from cspsim.web.chart_options import Line, line_option  # noqa: E402
from cspsim.web.frame import Note, use_frame  # noqa: E402
from cspsim.web.parts import (  # noqa: E402
    Address,
    Banner,
    Button,
    Chart,
    ChoiceField,
    CopyButton,
    DataTable,
    Download,
    Export,
    Notice,
    NumberField,
    Progress,
    Table,
    TextField,
    Tick,
    Verdict,
    box,
    words,
)  # fmt: skip

HOSTILE = "<img src=x onerror=alert(1)>{{7*7}}<b>bold</b>"
GRANT = Levers._field_defaults["grant"]

grant = solara.reactive(1.0)
place = solara.reactive("a")
ticked = solara.reactive(False)
name = solara.reactive(HOSTILE)
failing = solara.reactive(False)


@solara.component
def Gallery() -> None:
    """Every part once."""
    use_frame(HOSTILE, 7, [Note("Before you start", f"Ask the class.\n- {HOSTILE}")])
    if failing.value:
        raise RuntimeError("a secret of the server")
    Address({"grant": f"{grant.value:g}"})
    years = ["2011", "2012", "2013"]
    with box("div", "csp-stack"):
        words("h1", "Gallery", "csp-h1")
        words("p", HOSTILE, "csp-lead", id_="hostile")
        Banner()
        Verdict(HOSTILE, "95% interval \N{MINUS SIGN}£8m to £14m", "bad", "Under other assumptions: £2m to £31m")
        with box("div", "csp-side"):
            with box("section", "csp-card", aria_label="Controls"):
                words("h2", "Money", "csp-h2")
                NumberField(GRANT, grant.value, grant.set)
                words("p", f"grant is {grant.value:g}", id_="grant")
                ChoiceField("Place", place.value, {"a": "First", "b": HOSTILE}, place.set, hint="Where it is.")
                words("p", f"place is {place.value}", id_="place")
                Tick("Other assumptions", ticked.value, ticked.set)
                words("p", f"ticked is {ticked.value}", id_="ticked")
                TextField("Your name", name.value, name.set, longest=60)
                words("p", name.value, id_="name")
            with box("div", "csp-stack"):
                with box("div", "csp-toolbar"):
                    Button("Fail", lambda: failing.set(True), kind="danger")
                    Button("Nothing", lambda: None, disabled=True)
                    CopyButton("Copy command", "cspsim compare a b")
                    Download("Save", "data.csv", lambda: "a,b\n1,2\n")
                    Export([("Scenario", "scenario.toml", "title = 'x'")])
                Progress(120, 200)
                with box("div", "csp-grid csp-grid--2"):
                    with box("div", "csp-card"):
                        hostile = Line(HOSTILE, [3e6, None, 4e6], band90=([2e6] * 3, [5e6] * 3))
                        lines = [Line("Baseline", [3e6, 4e6, 5e6], role="baseline"), hostile]
                        table = Table(["Year", "Baseline", HOSTILE], [["2011", 3e6, 3e6], ["2012", 4e6, None], ["=1+1", 5e6, 4e6]])
                        option = line_option(years, lines, mark=1)
                        Chart("Cost of crime", option, lambda: table, "It rises.", "£ a year", Scale("£", 1e6, "m"))
                    with box("div", "csp-card"):
                        belief = line_option(years, [Line("True", [1.0, 1.0, 1.0]), Line(HOSTILE, [3.0, 2.0, 4.0])])
                        Chart("Believed and true", belief, Table(["Name", "Value"], [["True", 1.0]]), "Belief is higher.")
                DataTable(Table(["Outcome", HOSTILE], [[HOSTILE, "£1m"], ["Crimes", 1234567]], "Main outcomes"))
                for tone in ("note", "warning", "error", "success"):
                    Notice(HOSTILE, tone)


setattr(kit, "KitPage", Gallery)  # noqa: B010

if __name__ == "__main__":
    serve(port=int(sys.argv[1]) if sys.argv[1:] else 0, open_browser=False, say=lambda text: print(text, flush=True))
