"""The facilitator's notes of Explore."""

from cspsim.web.frame import Note

NOTES = (
    Note(
        "What is shown",
        "Both scenarios are run on the same luck, so the difference is the policy and not the dice.\n"
        "- The verdict weighs the 95% interval against the smallest difference anybody should care about.\n"
        "- The range over other sets of assumptions says how far the answer moves with what nobody knows. Read it first.\n"
        "- A lever that is moved holds from the month above the levers to the end.",
    ),
    Note(
        "Ask before you show",
        "- Which way will it go, and by how much would it have to move to matter?\n"
        "- Who would notice: the public, the police figures, or nobody?\n"
        "- Which of the five definitions of effective would you be judged by?",
    ),
    Note(
        "Try",
        "- Halve the grant. Then halve mainstream budgets instead, and press Why.\n"
        "- Turn recorded-crime targets up and compare recorded with true crime.\n"
        "- Change an assumption you doubt and see whether the verdict survives.",
    ),
)
