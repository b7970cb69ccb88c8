"""What people are told about the data kept on them, for how long, and how it is deleted: the same on every page."""

from cspsim.web.play.rooms import Rooms


def days_words(days: float) -> str:
    """A number of days in words."""
    return "1 day" if days == 1 else f"{days:g} days"


def told_to_players(rooms: Rooms) -> str:
    """For a person about to type a name."""
    ends = "until the server ends" if rooms.kept_days is None else f"until {days_words(rooms.kept_days)} after the room's last change"
    return (
        "The name you type and what you decide are kept on the machine that runs this session, "
        f"{ends} or until the facilitator closes the room. Everybody in the room can save them as a file when the game is over, "
        "the facilitator at any time. You need not give your real name."
    )


def told_to_facilitators(rooms: Rooms) -> str:
    """For the person responsible for the data."""
    if rooms.kept_days is None:
        ends = "This server keeps nothing: names and decisions go when it ends"
    else:
        ends = (
            f"Names and decisions are kept on the machine that runs this session until {days_words(rooms.kept_days)} after the last change"
        )
    return (
        f"{ends}, or when you close the room. The session log holds times, names as typed and decisions, and no addresses of machines; "
        "files that were saved are yours to look after. For somebody who wants to be forgotten close the room; "
        "whoever runs the server can also delete it with cspsim rooms."
    )
