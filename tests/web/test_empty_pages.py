"""Every page as somebody new meets it, with nothing on it: it says what to do next, and leads there."""

import re

import pytest
from django.test import Client

from webapp.accounts.sign_in import get_or_create_user

pytestmark = pytest.mark.django_db
NOBODYS = "00000000-0000-4000-8000-000000000000"  # No stream is called so.


@pytest.fixture
def newcomer(client: Client) -> Client:
    client.force_login(get_or_create_user("owner"))
    return client


@pytest.mark.parametrize(
    ("address", "says", "leads_to"),
    [
        ("/", "Nothing starts before you have seen", ["/searches/new?preset=demo", "/docs/getting-started"]),
        ("/data", "You have added none yet. Choose a zip above", ["#known-title", "/docs/your-data"]),
        ("/data", "You have added none yet. Choose a file above", ["/searches/new?preset=enas-recurrent-demo"]),
        ("/architectures", "You have none yet", ["/architectures/import"]),
        ("/architectures?kind=macro", "You have none yet", ["/architectures/import"]),
        ("/compare", "There is nothing to compare yet", ["/searches/new?preset=demo"]),
        ("/docs", "in the order in which one learns", ["/docs/getting-started"]),
        ("/searches/new", "see what it costs before you start", []),
    ],
)  # fmt: skip
def test_a_page_with_nothing_says_what_to_do_next(
    newcomer: Client, address: str, says: str, leads_to: list[str]
) -> None:
    html = newcomer.get(address).content.decode()
    main = html[html.index('id="main"') :]
    assert says in main
    assert [link for link in leads_to if f'href="{link}"' not in main] == []


@pytest.mark.parametrize(
    "address", ["/nowhere", f"/searches/{NOBODYS}", f"/trainings/{NOBODYS}/replay", "/docs/nowhere"]
)
def test_what_is_not_there_leads_back(newcomer: Client, address: str) -> None:
    answer = newcomer.get(address)
    html = answer.content.decode()
    assert answer.status_code == 404 and re.search(r'There is no such page.*href="/"', html, re.DOTALL)


def test_a_stranger_is_told_how_to_come_in(client: Client) -> None:
    html = client.get("/sign-in").content.decode()
    assert "manage.py sign_in_link" in html
