"""Mesa's own page works on the model: plots, sliders, step, reset."""

from collections.abc import Iterator
from typing import Any

import ipyvuetify as v
import ipywidgets
import pytest
import solara
from mesa.visualization import SolaraViz, make_plot_component
from mesa.visualization.utils import update_counter

from cspsim.mesa_model.partnership_model import PartnershipModel

SLIDERS = {
    "scenario": "baseline",
    "replicate": {"type": "SliderInt", "label": "Replicate", "value": 0, "min": 0, "max": 9, "step": 1},
    "levers.grant.multiplier": {"type": "SliderFloat", "label": "Grant", "value": 1.0, "min": 0.0, "max": 2.0, "step": 0.1},
    "time.last_month": "2012-03",
}


def shown(model: PartnershipModel) -> str:
    """What the page says about a model."""
    recorded = model.datacollector.model_vars["recorded_crimes"]
    return f"{model.date:%B %Y}: {recorded[-1]:.0f}" if recorded else f"{model.date:%B %Y}: nothing yet"


@solara.component
def Shown(model: PartnershipModel) -> None:
    update_counter.get()
    solara.Text(shown(model))


class Page:
    """The page in a kernel of its own, with the fingers of a reader."""

    def __init__(self) -> None:
        self.reactive: solara.Reactive[Any] = solara.reactive(PartnershipModel("baseline", **{"time.last_month": "2012-03"}))
        components = [make_plot_component("recorded_crimes"), make_plot_component(["mean_trust", "evaluated_share"]), Shown]

        @solara.component
        def Whole() -> None:
            with solara.AppLayout():
                SolaraViz(self.reactive, components=components, model_params=SLIDERS, name="Partnership")

        _, self.context = solara.render(Whole(), handle_error=False)

    @property
    def model(self) -> PartnershipModel:
        model = self.reactive.value
        assert isinstance(model, PartnershipModel)
        return model

    def click(self, label: str) -> None:
        self.context.find(v.Btn, children=[label]).widget.click()

    def slide(self, label: str, value: float) -> None:
        self.context.find(v.Slider, label=label).widget.v_model = value

    def text(self) -> str:
        return str(self.context.find(v.Html, tag="span").widgets[-1].children[0])

    def errors(self) -> list[Any]:
        return [alert.children for alert in self.context.find(v.Alert).widgets]

    def pictures(self) -> list[bytes]:
        return [bytes(image.value) for image in self.context.find(ipywidgets.Image).widgets]


@pytest.fixture
def page() -> Iterator[Page]:
    page = Page()
    yield page
    page.context.close()


def test_the_page_shows_the_model_and_draws_both_plots(page: Page) -> None:
    assert page.text() == "March 2008: nothing yet"
    assert len(page.pictures()) == 2
    assert all(picture.startswith(b"\x89PNG") for picture in page.pictures())


def test_the_step_button_runs_one_month_and_redraws(page: Page) -> None:
    before = page.pictures()
    page.click("Step")
    page.click("Step")
    assert page.model.steps == 2
    assert page.text() == shown(page.model)
    assert page.text().startswith("May 2008: ")
    assert page.context.find(v.Html, tag="span", children=["Step: 2"]).widget
    assert page.pictures()[0] != before[0]


def test_a_slider_of_a_dotted_key_changes_the_scenario_of_the_next_run(page: Page) -> None:
    page.click("Step")
    received = page.model.datacollector.get_model_vars_dataframe()["received"].sum()
    page.slide("Grant", 0.5)
    page.slide("Replicate", 3)
    page.click("Reset")
    assert (page.model.steps, page.model.replicate) == (0, 3)
    assert page.model.run.scenario.data.levers["grant"].multiplier == 0.5
    page.click("Step")
    assert page.model.datacollector.get_model_vars_dataframe()["received"].sum() == pytest.approx(received / 2)


def test_big_steps_stop_at_the_end_without_an_error(page: Page) -> None:
    page.slide("Render Interval (steps)", 47)
    page.click("Step")
    page.click("Step")
    assert (page.model.steps, page.model.running) == (48, False)
    assert page.text().startswith("March 2012")
    assert page.errors() == []
    assert page.context.find(v.Btn, children=["Step"]).widget.disabled
