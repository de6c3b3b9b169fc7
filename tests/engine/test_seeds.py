import itertools

from search_engine.seeds import derive


def test_a_seed_is_the_same_in_every_process():
    # The first 63 bits of SHA-256 of "1:ask:3:7".
    assert derive(1, "ask", 3, 7) == 4237740202384144252


def test_seeds_of_different_places_differ():
    places = [
        (seed, purpose, *place)
        for seed in (0, 1, 11, 2**53)
        for purpose in ("ask", "weights", "order")
        for length in range(4)
        for place in itertools.product((0, 1, 11), repeat=length)
    ]
    assert len({derive(*place) for place in places}) == len(places)


def test_a_seed_fits_what_generators_take():
    assert all(0 <= derive(seed, "ask") < 2**63 for seed in range(1000))
