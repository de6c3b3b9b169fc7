"""`make bench`: every figure the program promises, measured in one run on this machine.

Prints a table (figure, wanted, measured), writes docs/benchmarks.md, and exits 1 when a figure is missed. Ratios are
taken side by side in one process; single times depend on the machine and on what else it does.

With names of parts ("child_step", "controller_speed", "large_search", "viewers", ...) only those run.
"""

import statistics
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.table import Table

from benchmarks.page import Figure, Title, keep, write


def child_step() -> Iterator[Figure]:
    from benchmarks.child_step import measure

    found = measure()
    for way, network, least in (("plain", "a plain network", 2.0), ("same_plan", "our plan in contiguous layout", 1.6)):
        rounds = found["ratios"][way]
        ratio = statistics.median(rounds)
        yield Figure(f"child step against {network}, CPU time", f">= {least} x", f"{ratio:.2f} x ({_spread(rounds)})",
                     ratio >= least)  # fmt: skip
    ours, plain = found["peak_megabytes"]["ours"], found["peak_megabytes"]["plain"]
    yield Figure("child step, peak memory", "half of a plain network's", f"{ours:,.0f} MB, plain {plain:,.0f} MB",
                 ours <= plain / 2)  # fmt: skip


def small_child() -> Iterator[Figure]:
    from benchmarks.small_child import measure

    for filters, found in measure().items():
        middle = {name: statistics.median(each) for name, each in found.items()}
        shares = [100 * share for share in found["kernels"]]
        text = (
            f"{100 * middle['kernels']:.0f} % ({min(shares):.0f} to {max(shares):.0f} of {len(shares)} children; "
            f"{1000 * middle['seconds']:,.0f} ms in all, {100 * middle['before']:.1f} % before the first step, "
            f"{100 * middle['optimizer']:.1f} % in the optimizer; {middle['microseconds']:.0f} µs an operation)"
        )
        yield Figure(f"small child, F = {filters}, CPU time in kernels", ">= 90 %", text, middle["kernels"] >= 0.9)


def _spread(rounds: list[float]) -> str:
    return f"{min(rounds):.2f} to {max(rounds):.2f} in {len(rounds)} rounds"


def controller_speed() -> Iterator[Figure]:
    from benchmarks.controller_speed import measure

    found = measure()
    wanted = {"nasnet": 1000, "enas-micro": 1000, "enas-macro": 2000, "enas-recurrent": 2000}
    for kind, speeds in found["drawn"].items():
        yield _speed(f"{kind} architectures drawn per CPU-second, batches of 20", wanted[kind], speeds)
    yield _speed("nasnet architectures drawn per CPU-second, 200 at once", 3000, found["drawn_at_once"])
    first, last = (statistics.median(found["update_ms"][part]) for part in ("first", "last"))
    yield Figure("PPO update on 20 nasnet architectures, four epochs, and the next draw", "< 100 ms", f"{last:.0f} ms",
                 last < 100)  # fmt: skip
    yield Figure("the hundredth PPO update against the first", "<= 1.2 x", f"{last / first:.2f} x", last <= 1.2 * first)


def _speed(name: str, least: int, speeds: list[float]) -> Figure:
    speed = statistics.median(speeds)
    text = f"{speed:,.0f} ({min(speeds):,.0f} to {max(speeds):,.0f} in {len(speeds)} rounds)"
    return Figure(name, f">= {least:,}", text, speed >= least)


def image_supernets() -> Iterator[Figure]:
    from benchmarks.supernet_step import measure

    # Of layout alone: what was measured when the layout was chosen. Of all paths: that what is left out is saved.
    wanted = {"micro": {"train": 1.3, "reward": 1.3}, "macro": {"train": 1.4, "reward": 1.8}}
    for kind in ("micro", "macro"):
        found = measure(kind)
        for what, title in (("train", "a training step"), ("reward", "a reward pass")):
            images = f"{found['images_per_cpu_second'][what]:,.0f} images per CPU-second"
            yield _ratio(f"ENAS {kind}, {title} against contiguous layout, CPU time", wanted[kind][what],
                         found[what]["contiguous"], images)  # fmt: skip
            yield _ratio(f"ENAS {kind}, {title} against all paths computed, CPU time", 2, found[what]["all_paths"])
        peak = found["peak_megabytes"]
        text = ", ".join(f"{way.replace('_', ' ')} {megabytes:,.0f} MB" for way, megabytes in peak.items())
        yield Figure(f"ENAS {kind}, peak memory of a training step", "half of all paths", text,
                     peak["ours"] <= peak["all_paths"] / 2)  # fmt: skip


def _ratio(name: str, least: float, rounds: list[float], more: str = "") -> Figure:
    ratio = statistics.median(rounds)
    text = f"{ratio:.2f} x ({_spread(rounds)}{'; ' if more else ''}{more})"
    return Figure(name, f">= {least:g} x", text, ratio >= least)


def recurrent_supernet() -> Iterator[Figure]:
    from benchmarks.recurrent_supernet_step import measure

    found = measure()
    for part, name in (("train", "training step"), ("reward", "reward pass")):
        words = f"{found['words_per_cpu_second'][part]:,.0f} words a CPU-second"
        yield _ratio(f"ENAS recurrent, {name} against all paths, CPU time", 3, found[part], words)
    peak = found["peak_megabytes"]
    yield Figure("ENAS recurrent, peak memory of a training step", "half of all paths",
                 f"{peak['ours']:,.0f} MB, all paths {peak['all_paths']:,.0f} MB",
                 peak["ours"] <= peak["all_paths"] / 2)  # fmt: skip


def tabular() -> Iterator[Figure]:
    from benchmarks.tabular import SEEDS, NoTable, measure

    # Of one configuration each: at least so much at 150 and at 500 proposals. Random search is what is to be beaten.
    wanted = {"random": (0.0, 0.0), "evolution": (94.0, 94.25), "local": (94.2, 94.35), "ppo-replay": (94.04, 94.29)}
    try:
        found = measure(list(wanted))
    except NoTable as error:
        yield Figure("strategies on NAS-Bench-201", "a table", f"not measured: {error}", True)
        return
    for one in found:
        name = one["strategy"]
        for budget, bound in zip((150, 500), wanted[name], strict=True):
            mean, deviation = one["by_proposals"][budget]
            told = f"{mean:.3f} % (standard error {deviation / SEEDS**0.5:.3f})"
            yield Figure(f"{name} on NAS-Bench-201, mean score over {SEEDS} seeds at {budget}",
                         f">= {bound} %" if bound else "no bound", told, mean >= bound)  # fmt: skip
        used = one["cpu_seconds"]
        yield Figure(f"{name} on NAS-Bench-201, a thousand evaluations", "<= 1.5 CPU-seconds",
                     f"{used:.2f} CPU-seconds", used <= 1.5)  # fmt: skip


def web() -> Iterator[Figure]:
    from benchmarks.web_figures import measure

    found = measure()
    yield Figure("first page", "< 1 s", f"{found['first_page_seconds']:.2f} s", found["first_page_seconds"] < 1)
    yield Figure(
        "an event on the page after its commit, 99 %",
        "< 250 ms",
        f"{found['event_ms_p99']:.0f} ms (median {found['event_ms_p50']:.0f}, {found['events']} events)",
        found["event_ms_p99"] < 250,
    )
    first = found["first_reward_seconds"]
    yield Figure("from start to the first reward", "< 30 s", f"{first:.1f} s", first < 30)
    yield Figure("the demo, from start to finished", "< 180 s", f"{found['demo_seconds']:.0f} s",
                 found["demo_seconds"] < 180)  # fmt: skip


def editor() -> Iterator[Figure]:
    from benchmarks.editor_figures import measure

    for name, milliseconds in measure().items():
        yield Figure(f"picture and counts behind an edit of {name}", "< 200 ms", f"{milliseconds:.0f} ms",
                     milliseconds < 200)  # fmt: skip


def large_search() -> Iterator[Figure]:
    from benchmarks.large_search import measure

    found = measure()
    for key, what in (("page", "a search of 50,000 children"), ("replay", "its replay")):
        one = found[key]
        seconds, megabytes = one["seconds"], one["bytes"] / 1e6
        used = f"{seconds:.2f} s ({one['cpu_seconds']:.2f} CPU-seconds of the server)"
        yield Figure(f"{what}, until its curve is drawn", "< 2 s", used, seconds < 2)
        sent = f"{megabytes:.2f} MB in {one['requests']} answers"
        yield Figure(f"{what}, sent with all that it asks for", "< 1 MB", sent, megabytes < 1)
    for key, doing in (("zoom_ms", "zoomed"), ("scroll_ms", "scrolled"), ("table_ms", "its table paged")):
        yield Figure(f"frames while it is {doing}, 95 %", "< 50 ms", f"{found[key]:.0f} ms", found[key] < 50)
    requests, messages, used = (found[f"idle_{name}"] for name in ("requests", "messages", "cpu_seconds"))
    yield Figure("one page at rest, in a minute", "no request, <= 5 messages, < 1 CPU-second of the server",
                 f"{requests} requests, {messages} messages, {used:.2f} CPU-seconds",
                 not requests and messages <= 5 and used < 1)  # fmt: skip


def viewers() -> Iterator[Figure]:
    from benchmarks.viewers import PER_SECOND, VIEWERS, measure

    found = measure()
    title = f"{VIEWERS} viewers on one core, {PER_SECOND} events a second"
    wrong = f"for {found['wrong']} of {VIEWERS} ({found['deliveries']:,} deliveries)"
    yield Figure(f"{title}: lost, doubled or out of order", "for nobody", wrong, not found["wrong"])
    more = f"median {found['ms_p50']:.0f}, worst {found['ms_worst']:.0f}, {100 * found['core']:.0f} % of the core"
    yield Figure(f"{title}: from commit to receipt, 99 %", "< 250 ms", f"{found['ms_p99']:.0f} ms ({more})",
                 found["ms_p99"] < 250)  # fmt: skip
    used, messages = found["idle_cpu_seconds"], found["idle_messages"]
    yield Figure(f"{VIEWERS} viewers at rest, in a minute", "< 3 CPU-seconds, <= 5 messages to each",
                 f"{used:.2f} CPU-seconds, {messages:.1f} messages", used < 3 and messages <= 5)  # fmt: skip


def training_estimate() -> Iterator[Figure]:
    from benchmarks.training_estimate import mean, measure

    for layout, ratios in measure().items():
        text = f"{mean(ratios):.2f} x ({min(ratios):.2f} to {max(ratios):.2f} of {len(ratios)} networks)"
        yield Figure(f"step of random cells told, over taken: {layout}", "0.8 to 1.25 x", text,
                     0.8 <= mean(ratios) <= 1.25)  # fmt: skip


def time_left() -> Iterator[Figure]:
    from benchmarks.time_left import TOLD_AFTER, measure

    found = measure()
    errors = sorted(abs(one.error) for one in found)
    good = sum(error < 0.15 for error in errors)
    title = f"time left of real searches, told after {TOLD_AFTER} children"
    yield Figure(f"{title}: error under 15 %", "in 9 of 10", f"in {good} of {len(errors)}", good >= 0.9 * len(errors))
    yield Figure(f"{title}: median error", "< 15 %", f"{100 * statistics.median(errors):.1f} % "
                 f"(worst {100 * errors[-1]:.0f} %)", statistics.median(errors) < 0.15)  # fmt: skip


def platform_cost() -> Iterator[Figure]:
    from benchmarks.platform_cost import POINTS, measure

    found = measure()
    first, again, between = found["first_page_seconds"], found["next_page_seconds"], found["between_ms"]
    yield Figure(
        "from `manage.py up` to the first page", "< 5 s", f"{first:.1f} s (the next time {again:.1f} s)", first < 5
    )
    text = f"{between:.0f} ms (behind the last child of a step {found['learn_ms']:.0f} ms)"
    yield Figure("from a child's verdict to the next one's, without its training", "< 50 ms", text, between < 50)
    wrote, rows, events, all_of_them = (
        found[name] for name in ("write_transactions", "rows_written", "events", "transactions")
    )
    text = f"{wrote:.1f}, {rows:.1f} rows, {events:.1f} events ({all_of_them:.0f} transactions with those that read)"
    yield Figure("transactions that write, a child", "< 12", text, wrote < 12)
    worked = found["page_ms"]
    title = f"work of the live page for each event, {POINTS:,} points"
    yield Figure(title, "< 10 ms", f"{worked:.1f} ms", worked < 10)


def two_workers() -> Iterator[Figure]:
    from benchmarks.two_workers import measure

    found = measure()
    text = f"{found['bulk']:.1%} ({found['whole']:.1%} to the last verdict)"
    yield Figure("two workers, steps of 20, lookahead 1: time in training while a child is left to begin", ">= 95 %",
                 text, found["bulk"] >= 0.95)  # fmt: skip
    yield Figure("the longest time that one of them trained nothing, updates included", "no bound",
                 f"{found['longest_gap']:.2f} s", True)  # fmt: skip


def cluster() -> Iterator[Figure]:
    from benchmarks.simulated_cluster import measure

    for workers, searches, children, step, least in (
        (64, 8, 200, 20, 0.95), (10, 1, 400, 20, 0.95), (500, 1, 1500, 500, 0.0),
    ):  # fmt: skip
        found = measure(workers=workers, searches=searches, children=children, step=step)
        what = f"{searches} searches" if searches > 1 else "one search"
        text = (
            f"{found['bulk']:.1%} ({found['whole']:.1%} to the last verdict, no gap over {found['longest_gap']:.1f} s)"
        )
        yield Figure(f"{workers} workers on {what}, steps of {step}: time in training while a child is left to begin",
                     f">= {least:.0%}" if least else "no bound", text, found["bulk"] >= least)  # fmt: skip


def claims() -> Iterator[Figure]:
    from benchmarks.claim_speed import PROCESSES, measure

    found = measure()
    for way, what in (("alone", "one process"), ("workers", f"each of {PROCESSES} with children of half a second")):
        one = found[way]
        text = f"{one['p99']:.1f} ms (median {one['median']:.1f}, {one['cpu_ms']:.1f} ms of its computing)"
        yield Figure(f"a claim with 10,000 due jobs on PostgreSQL, 99 %, {what}", "< 10 ms", text, one["p99"] < 10)
    for way, what in (("pressed", "claims"), ("many_searches", "children of no length of many searches"),
                      ("one_search", "children of no length of one search")):  # fmt: skip
        yield Figure(f"{what} a second, {PROCESSES} processes without a pause", "no bound",
                     f"{found[way]['per_second']:.0f}", True)  # fmt: skip


def load() -> Iterator[Figure]:
    from benchmarks.child_load import measure

    found = measure()
    for way, what, wanted in (("child", "a child asks", 10.0), ("worker", "a worker at rest asks in a second", 1.0)):
        one = found[way]
        text = ", ".join(f"{one[name]:.{1 if one[name] < 100 else 0}f} {name.replace('_', ' ')}"
                         for name in ("transactions", "write_transactions", "statements", "rows_written",
                                      "database_ms", "commands", "published"))  # fmt: skip
        yield Figure(f"{what} of database and broker", f"<= {wanted:.0f} transactions that write", text,
                     one["write_transactions"] <= wanted)  # fmt: skip


def optuna_dashboard() -> Iterator[Figure]:
    from benchmarks.optuna_dashboard import TRIALS, CannotInstall, measure

    title = f"for scale: Optuna's dashboard with {TRIALS:,} trials"
    try:
        found = measure()
    except CannotInstall as error:
        yield Figure(title, "no bound", f"not measured: {error}", True)
        return
    yield Figure(f"{title}, first answer", "no bound", f"{found['bytes'] / 1e6:.1f} MB, {found['seconds']:.1f} s, "
                 f"{found['cpu_seconds']:.1f} CPU-seconds of its server", True)  # fmt: skip
    yield Figure(f"{title}, each question at rest", "no bound",
                 f"{found['poll_bytes'] / 1e6:.2f} MB, {found['poll_cpu_seconds']:.2f} CPU-seconds", True)  # fmt: skip


def demo_learns() -> Iterator[Figure]:
    from benchmarks.demo_learns import measure

    gains = measure()["seeds"]
    for seed in gains:
        text = (
            f"{seed['first_quarter']:.3f} to {seed['last_quarter']:.3f}, {seed['standard_errors']:.1f} standard errors"
        )
        yield Figure(f"demo, seed {seed['seed']}", ">= 3 standard errors", text, seed["standard_errors"] >= 3)
    good = sum(seed["standard_errors"] >= 3 for seed in gains)
    yield Figure("demo learns", "4 of 5 seeds", f"{good} of {len(gains)}", good >= 4 * len(gains) / 5)


PARTS: dict[str, Callable[[], Iterator[Figure]]] = {
    "child_step": child_step,
    "small_child": small_child,
    "controller_speed": controller_speed,
    "image_supernets": image_supernets,
    "recurrent_supernet": recurrent_supernet,
    "tabular": tabular,
    "web": web,
    "editor": editor,
    "large_search": large_search,
    "viewers": viewers,
    "training_estimate": training_estimate,
    "time_left": time_left,
    "platform_cost": platform_cost,
    "two_workers": two_workers,
    "cluster": cluster,
    "claims": claims,
    "load": load,
    "optuna_dashboard": optuna_dashboard,
    "demo_learns": demo_learns,
}
TITLES = {
    "child_step": Title("Training a child", "NASNet-A in a small size: forward, backward, clipping and the optimizer's "
                        "step, on one thread, beside the plain contiguous network in one process."),
    "small_child": Title("A small child", "A child of the two-minute demo, from the request to the verdict: what the "
                         "network's own operations take, and what all else takes."),
    "controller_speed": Title("The controller", "Drawing with log-probabilities and entropies, and learning."),
    "image_supernets": Title("Shared weights on images", "ENAS micro and macro: our step beside the same network in "
                             "contiguous layout, and beside one that computes every path."),
    "recurrent_supernet": Title("Shared weights on text", "ENAS recurrent, beside a cell that computes every path."),
    "tabular": Title("Better than random", "Strategies on NAS-Bench-201, one configuration for all budgets. [Which "
                     "strategy when](strategies.md) has all budgets."),
    "web": Title("The page", "The real application in a real browser."),
    "editor": Title("The editor", "From a click to the picture and its counts."),
    "large_search": Title("A search of 50,000 children", "Opened, zoomed, scrolled and left alone."),
    "viewers": Title("Many viewers", "Of one running search, with the web server on one core."),
    "training_estimate": Title("Told before the start", "What a worker's own measurement of two seconds tells of a "
                               "training step, of random networks; the mean of each layout is geometric."),
    "time_left": Title("Time left", "Searches of three kinds, one by one, each told once and then run to its end. The "
                       "first ten children may be small by chance, and no rule knows that."),
    "platform_cost": Title("The platform's own cost", "Beside the training: between children, in the database, on the "
                           "page."),
    "two_workers": Title("Two workers", "Of the real application on one search, with children of some seconds."),
    "cluster": Title("Many workers", "Claims, leases, planner and log of the product in virtual time; one child takes "
                     "up to ten times as long as another, 39 s on average."),
    "claims": Title("Claims", "PostgreSQL with 10,000 due jobs of 20 searches and 100,000 that are done; the server "
                    "has the same cores as those who claim."),
    "load": Title("Load", "What database and broker counted, of tiny children with one worker. [Operation]"
                  "(operation.md#how-far-it-goes) says what follows from it."),
    "optuna_dashboard": Title("For scale", "Another tool's page, installed and measured in the same run."),
    "demo_learns": Title("The demo learns", "Whole demos; the last quarter of the children against the first."),
}  # fmt: skip
# A single seed may fall short; the line that counts them decides.
NOT_DECISIVE = "demo, seed"


def main(names: list[str]) -> int:
    if unknown := [name for name in names if name not in PARTS]:
        print(f"{unknown[0]!r} is no part; the parts are {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    table = Table("figure", "wanted", "measured", "")
    missed = 0
    for name in names or PARTS:
        figures = []
        for figure in PARTS[name]():
            table.add_row(figure.name, figure.wanted, figure.measured, "met" if figure.met else "missed")
            print(f"{figure.name}: {figure.measured} (wanted {figure.wanted})", flush=True)
            missed += not figure.met and not figure.name.startswith(NOT_DECISIVE)
            figures.append(figure)
        keep(name, figures)
    write(TITLES)
    Console().print(table)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
