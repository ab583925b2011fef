import assert from "node:assert/strict";
import { test } from "node:test";
import { NotAllowed, NotEnrolled, Refused, ServerUnavailable, UnexpectedAnswer } from "../src/errors.js";
import { Http } from "../src/http.js";
import { html, json, problem } from "./world.js";

const asking = (answer, more = {}) =>
  new Http({ base: "http://server.test/", fetch: async (...of) => answer(...of), csrf: () => "token", ...more });

test("a good answer is its JSON", async () => {
  const http = asking((address) => json({ address }));
  const body = await http.getJson("/api/shop", { params: { since: 7, é: "a b" } });
  assert.deepEqual(body, { address: "http://server.test/api/shop?since=7&%C3%A9=a+b" });
});

for (const [what, answer] of Object.entries({
  "a page of a captive portal": () => html(),
  "its 401": () => html(401),
  "its 403": () => new Response("", { status: 403 }),
  "its 404": () => html(404),
  "an empty 204": () => new Response(null, { status: 204 }),
  "half of an answer": () => new Response('{"epoch": ', { headers: { "content-type": "application/json" } }),
  "a problem without a code": () => problem(401, undefined),
}))
  test(`${what} isn't our server's answer`, async () => {
    await assert.rejects(asking(answer).getJson("/api/shop"), UnexpectedAnswer);
  });

test("what our server refuses has a class, a status and a code", async () => {
  const ask = (status, code) => asking(() => problem(status, code, { detail: "Why." })).getJson("/x");
  await assert.rejects(
    ask(401, "invalid_token"),
    (error) => error instanceof NotEnrolled && error.code === "invalid_token",
  );
  await assert.rejects(ask(403, "permission_denied"), NotAllowed);
  await assert.rejects(ask(400, "invalid"), (error) => {
    assert.ok(error instanceof Refused);
    assert.deepEqual([error.status, error.code, error.detail, error.message], [400, "invalid", "Why.", "Why."]);
    return true;
  });
});

test("our server says when to come back, a portal doesn't", async () => {
  const said = (answer) =>
    asking(answer)
      .getJson("/x")
      .catch((error) => [error.constructor, error.retryAfter, error.isOurs]);
  const after = { "Retry-After": "7" };
  assert.deepEqual(await said(() => problem(503, "over_capacity", {}, after)), [ServerUnavailable, 7, true]);
  assert.deepEqual(await said(() => problem(429, "throttled", {}, { "Retry-After": "99999" })), [
    ServerUnavailable,
    3600,
    true,
  ]);
  assert.deepEqual(await said(() => new Response("later", { status: 503, headers: after })), [
    ServerUnavailable,
    null,
    false,
  ]);
});

test("no network and no answer are the server that isn't reached", async () => {
  const gone = asking(() => {
    throw new TypeError("fetch failed");
  });
  await assert.rejects(
    gone.getJson("/x"),
    (error) => error instanceof ServerUnavailable && error.code === "not_reached",
  );
  const silent = asking(
    (_, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  );
  await assert.rejects(silent.getJson("/x", { timeout: 10 }), (error) => error.code === "timeout");
  const mine = new AbortController();
  setTimeout(() => mine.abort(new Error("mine")), 5);
  await assert.rejects(silent.getJson("/x", { signal: mine.signal }), /mine/);
});

test("what writes shows the CSRF token, what reads doesn't, and a bucket sees nothing of us", async () => {
  const seen = [];
  const http = asking((address, { method, headers, credentials, body }) => {
    seen.push([method, address, headers["X-CSRFToken"], credentials, body]);
    return json({});
  });
  await http.postJson("/api/x", { a: 1 });
  await http.getJson("/api/x");
  await http.request("PUT", "https://bucket.test/key", { anonymous: true, body: "b" });
  assert.deepEqual(seen, [
    ["POST", "http://server.test/api/x", "token", "same-origin", '{"a":1}'],
    ["GET", "http://server.test/api/x", undefined, "same-origin", null],
    ["PUT", "https://bucket.test/key", undefined, "omit", "b"],
  ]);
});

test("only our server's clock is looked at", async () => {
  const looked = [];
  const date = "Wed, 02 Dec 2026 10:00:00 GMT";
  const lookAtClock = (at) => looked.push(at);
  await asking(() => json({}, { headers: { date } }), { lookAtClock }).getJson("/x");
  await asking(() => new Response("", { status: 404, headers: { date } }), { lookAtClock })
    .getJson("/x")
    .catch(() => {});
  await asking(() => html(), { lookAtClock })
    .getJson("/x")
    .catch(() => {});
  assert.deepEqual(looked, [Date.parse(date)]);
});

test("our server is reached when it says ok, and nothing else does", async () => {
  const reached = (answer) => asking(answer).isReached();
  assert.equal(
    await reached(() => new Response("ok\n", { headers: { "content-type": "text/plain; charset=utf-8" } })),
    true,
  );
  assert.equal(await reached(() => html()), false);
  assert.equal(await reached(() => problem(503, "unavailable")), false);
});
