"""The web app: pages, API, live sockets and workers around the search engine."""
