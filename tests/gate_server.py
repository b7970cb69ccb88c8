"""A server that the whole network can reach, and a proxy on this machine is believed; without the rules, so that it starts at once."""

from cspsim.web import server

server.warm_up = lambda: None
server.serve("0.0.0.0", 0, open_browser=False, admission=server.Admission(names=("course.example.org",), proxy="127.0.0.1"))
