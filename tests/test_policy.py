"""The content security policy of pages: scripts by their hashes, and none beside them."""

import re
import urllib.request

import pytest
from browser import Visit, needs_browser, site, visitor_cookie

from cspsim.web.policy import hash_of, policy, scripts_in

PLANTED = """() => {
  const box = document.createElement("div");
  box.innerHTML = '<img src="x" onerror="window.planted = 1"><a href="javascript:window.planted = 2" id="link">x</a>';
  document.body.appendChild(box);
  const script = document.createElement("script");
  script.textContent = "window.planted = 3";
  document.body.appendChild(script);
  document.getElementById("link").click();
}"""


def page(**headers: str) -> tuple[str, str]:
    """Explore as it is served, and its policy for scripts."""
    asked = urllib.request.Request(f"{site().address}/explore", headers={"Cookie": visitor_cookie(site()), **headers})
    with urllib.request.urlopen(asked, timeout=20) as answer:
        (rule,) = answer.headers.get_all("content-security-policy")
        return answer.read().decode(), next(part for part in rule.split("; ") if part.startswith("script-src "))


def test_a_page_names_each_of_its_scripts_and_allows_no_other() -> None:
    text, rule = page()
    scripts = scripts_in(text)
    assert len(scripts) == len(re.findall(r"<script(?![^>]*(?:src=|type=))", text)) > 5
    assert rule.split()[1:] == ["'self'", "'unsafe-eval'", *(f"'{hash_of(script)}'" for script in scripts)]
    assert hash_of(scripts[0] + " ") not in rule


def test_what_a_request_says_gives_no_script_a_name() -> None:
    planted = "/x</script><script>alert(1)//"
    _, rule = page()
    assert page(**dict.fromkeys(("X-Script-Name", "Script-Name", "X-Forwarded-Host", "X-Forwarded-Prefix"), planted))[1] == rule


def test_answers_that_are_no_pages_allow_no_script_at_all() -> None:
    asked = urllib.request.Request(f"{site().address}/theme.css", headers={"Cookie": visitor_cookie(site())})
    with urllib.request.urlopen(asked, timeout=20) as answer:
        assert answer.headers["content-security-policy"] == policy()
    assert "unsafe-inline" not in next(part for part in policy().split("; ") if part.startswith("script-src "))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<script>a</script>", ["a"]),
        ("<script>a < b && '<b>'</script><p>c</p>", ["a < b && '<b>'"]),
        ('<script type="module">a</script><script src="b.js"></script><script type="x-template">c</script>', ["a"]),
        ('<script type="application/json">{}</script><script></script>', [""]),
    ],
)
def test_scripts_that_would_run_are_found(text: str, found: list[str]) -> None:
    assert scripts_in(text) == found


@needs_browser
def test_a_script_that_got_into_a_page_does_not_run(visit: Visit) -> None:
    shown = visit("/kit")
    shown.evaluate(PLANTED)
    shown.get_by_role("button", name="Notes").click()
    shown.get_by_role("heading", name="Facilitator's notes").wait_for()
    assert shown.evaluate("window.planted") is None
    said = [complaint for complaint in visit.complaints if "Content Security Policy" in complaint]
    assert len(said) == 3
    visit.complaints.clear()
