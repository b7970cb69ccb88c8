"""The facilitator's notes of Watch."""

from cspsim.web.frame import Note

NOTES = (
    Note(
        "What this is for",
        """
        One run of the model, recorded and played month by month. It shows how a table works; what usually happens only many runs tell.
        - Another run has other luck: change the number of the run and watch what stays.
        - Two scenarios side by side share their luck: every difference comes from the scenario.
        """,
    ),
    Note(
        "Twenty minutes",
        """
        - Pick the scenario, and beside it what it is compared with.
        - Ask a question under Predict first. The run is held before the outcome window, and nothing later is on the page.
        - Watch the first years, stop at a meeting, and read the log: who tabled, who challenged whom and why, which doubt was not spoken.
        - Let the class commit, then play on, or show the answer.
        - Read out in how many of 100 runs it came out so. One run proves nothing.
        """,
    ),
    Note(
        "Finding a moment",
        """
        - Set the log to Challenged or Doubt not spoken and press Next event.
        - Doubts and trust stand in the log although nobody at the table could know them: you see more than the members do.
        - Space plays and pauses, the arrow keys go a month back or on.
        - Copy link brings a colleague to the same month with the same filters.
        """,
    ),
    Note(
        "What the charts hide on purpose",
        """
        Lines end at the month you have come to. They are sums of the latest twelve months, so that the season does not hide the trend.
        """,
    ),
)
