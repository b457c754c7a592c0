"""Times Ordain from Python: a decision about ten fields, and a decorated call that is recorded, by one and two threads.
Where cedarpy and regopy are installed, the same decision is timed with Cedar and Rego in the same run.

Usage: python bench/python_bench.py [--seconds S] [--rounds N]

ORDAIN_LIBRARY may name the library to use. The rounds go through all measurements in turn, so that a busy machine slows
all of them alike, and the median of each is printed with its ratio to Ordain's decision.
"""

import argparse
import importlib
import json
import statistics
import tempfile
import threading
import time

import ordain

POLICIES = """
package shop;

capability refund {
  type "tool"; risk high;
  input {
    customer: string, amount: double, currency: string, region: string, reason: string, order: int, items: int,
    express: bool, channel: string, score: double
  }
}
capability look { type "tool"; risk low; input { n: int } }
policy refunds on before refund {
  deny region   when input.region == "embargoed";
  deny amount   when input.amount > 500.0;
  deny channel  when input.channel == "unknown" && input.express;
  allow rest    when input.currency == "EUR" && input.items < 10;
}
policy looks on before look { allow; }
"""

# Cedar has no decimals that compare by signs, so amounts are whole there.
CEDAR = """
forbid (principal, action, resource) when { context.region == "embargoed" };
forbid (principal, action, resource) when { context.amount > 500 };
forbid (principal, action, resource) when { context.channel == "unknown" && context.express };
permit (principal, action, resource) when { context.currency == "EUR" && context.items < 10 };
"""

REGO = """
package shop
import rego.v1
default allow := false
denied if input.region == "embargoed"
denied if input.amount > 500
denied if { input.channel == "unknown"; input.express }
allow if { not denied; input.currency == "EUR"; input.items < 10 }
"""

INPUT = {"customer": "c-17", "amount": 25.5, "currency": "EUR", "region": "north", "reason": "late", "order": 4711, "items": 2,
         "express": False, "channel": "web", "score": 0.25}


def timed(work, seconds):
    """The microseconds of one call of `work`."""
    done, batch, begun = 0, 20, time.perf_counter()
    while True:
        for _ in range(batch):
            work()
        done += batch
        spent = time.perf_counter() - begun
        if spent >= seconds:
            return spent / done * 1e6


def timed_by_threads(work, seconds, count):
    """The microseconds from one call to the next, counted over all threads."""
    results = [0.0] * count

    def run(at):
        results[at] = timed(work, seconds)

    threads = [threading.Thread(target=run, args=(at,)) for at in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 1 / sum(1 / one for one in results)


def cedar():
    """A decision by Cedar; None if cedarpy is not installed. It reads the policies with each decision."""
    try:
        cedarpy = importlib.import_module("cedarpy")
    except ModuleNotFoundError:
        return None
    request = {"principal": 'Agent::"support"', "action": 'Action::"refund"', "resource": 'Tool::"refund"',
               "context": {**INPUT, "amount": 25, "score": 0}}

    def decide():
        if not cedarpy.is_authorized(request, CEDAR, []).allowed:
            raise AssertionError("Cedar denies")

    return decide


def rego():
    """A decision by Rego; None if regopy is not installed."""
    try:
        regopy = importlib.import_module("regopy")
    except ModuleNotFoundError:
        return None
    interpreter = regopy.Interpreter()
    interpreter.add_module("shop", REGO)

    def decide():
        interpreter.set_input(INPUT)
        if "true" not in str(interpreter.query("data.shop.allow")):
            raise AssertionError("Rego denies")

    return decide


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seconds", type=float, default=1.0, help="for each measurement of a round")
    arguments.add_argument("--rounds", type=int, default=5)
    chosen = arguments.parse_args()
    with (tempfile.TemporaryDirectory() as directory, ordain.Policies.from_text(POLICIES) as policies,
          ordain.Runtime.open(texts=POLICIES, agent="support", database=f"{directory}/state", durability="group") as runtime):
        look = runtime.capability("look")(lambda n: n)

        def decide():
            if not policies.decide("refund", INPUT).allowed:
                raise AssertionError("Ordain denies")

        def governed():
            look(1)

        measured = {
            "decide, ten fields": lambda: timed(decide, chosen.seconds),
            "decide, ten fields, 2 threads": lambda: timed_by_threads(decide, chosen.seconds, 2),
            "json.dumps of the ten fields": lambda: timed(lambda: json.dumps(INPUT), chosen.seconds),
            "decorated call, recorded by group": lambda: timed(governed, chosen.seconds),
            "decorated call, recorded by group, 2 threads": lambda: timed_by_threads(governed, chosen.seconds, 2)}
        for name, made in (("Cedar (cedarpy)", cedar()), ("Rego (regopy)", rego())):
            if made is None:
                print(f"{name} is not installed")
            else:
                measured[name] = lambda made=made: timed(made, chosen.seconds)
        found = {name: [] for name in measured}
        for _ in range(chosen.rounds):
            for name, measure in measured.items():
                found[name].append(measure())
    base = statistics.median(found["decide, ten fields"])
    for name, times in found.items():
        median = statistics.median(times)
        print(f"{name:46}{median:10.2f} us  {median / base:8.2f} x  (from {min(times):.2f} to {max(times):.2f})")


if __name__ == "__main__":
    main()
