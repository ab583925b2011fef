"""A page that nothing happens to holds its stream, asks for nothing, and hardly wakes the device."""

import pytest

from .conftest import House, OpenTerminal, Watch

pytestmark = pytest.mark.any_database

REST = 4  # seconds that are looked at
COUNT_TIMERS = """(() => {
  globalThis.fired = [];
  for (const name of ["setTimeout", "setInterval"]) {
    const set = globalThis[name];
    globalThis[name] = (fn, wait, ...rest) => {
      const counted = (...of) => {
        globalThis.fired.push(`${name} ${wait}`);
        fn(...of);
      };
      return set(counted, wait, ...rest);
    };
  }
})()"""
ONCE = "fired.filter((timer) => timer.startsWith('setTimeout')).length"


def test_at_rest_there_is_the_stream_and_no_other_request_and_timers_are_rare(
    open_terminal: OpenTerminal, house: House, watch: Watch
) -> None:
    house.product(image=house.image()[0])
    page = open_terminal(before=lambda context: context.add_init_script(COUNT_TIMERS))
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    before, now = None, (len(watch.requests), page.evaluate(ONCE))
    while before != now:  # until what a start does is done
        page.wait_for_timeout(2000)
        before, now = now, (len(watch.requests), page.evaluate(ONCE))
    page.evaluate("fired.length = 0")

    page.wait_for_timeout(REST * 1000)

    assert watch.requests[now[0] :] == []
    fired = page.evaluate("fired")
    assert len(fired) <= REST, fired
