"""What facilitators of a game are told in the notes drawer."""

from cspsim.web.frame import Note

HOW_TO_OPEN = [
    Note(
        "Before the session",
        """
        - Open a room, show its code, and let people type it into the tab Play.
        - For people at other machines start the server with --host 0.0.0.0: the room then shows a QR code and a link that let them in.
        - A first game: the baseline, four quarters from a January, steps that end by themselves. It takes about thirty minutes.
        - People who share a telephone may share a seat: allow two or three on each seat under More settings.
        """,
    ),
    Note("If something breaks", "The room is kept on disk. Start the server again and reload: every seat is as it was."),
]

IN_THE_ROOM = [
    Note(
        "Running a quarter",
        """
        - Step 1, about three minutes: everybody says in one sentence what they table and why.
        - Step 2, about four minutes: let people challenge each other aloud before they hand in.
        - Read the minutes together. Ask: what did we take on trust? What would have changed our mind?
        - In January the table plans the next year and most of the money is spent; in other quarters there is little.
        - End the step yourself when you have waited long enough; the computer decides for whoever has not handed in.
        """,
    ),
    Note(
        "Stirring things up",
        """
        - A cut of the grant is felt from the next April; tell it in the autumn and see whether the plan changes.
        - A reorganisation replaces the people at the table, and with them their trust.
        - A serious incident makes one kind of crime rise for some months, whatever the table does.
        """,
    ),
    Note(
        "The debrief",
        """
        - Ask first what people expect: better or worse than the computer, and which decision mattered most?
        - One game is luck. Look at how the same decisions do under other luck before you praise or blame anybody.
        - Then belief against truth: where was the table most wrong, and who could have known?
        - The model is illustrative. What counts is why people decided as they did.
        """,
    ),
    Note("Your key", "Whoever has the facilitator's key can lead this room from another browser. Keep it from the players."),
]
