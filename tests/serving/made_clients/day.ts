// A day's work by the types that openapi-typescript made, and openapi-fetch: `node day.js URL CODE PHOTO`. It prints what
// it met, as JSON; test_made_clients.py says what that has to be. tsc has compiled it, strictly.
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const [url, code, file] = process.argv.slice(2) as [string, string, string];
type Problem = components["schemas"]["Problem"];

/** The status, and the code of a problem. */
function met(answer: { response: Response; error?: Problem }): [number, string | null] {
  return [answer.response.status, answer.error?.code ?? null];
}

/** What was answered, where that is no problem. */
function said<T>(answer: { data?: T; error?: Problem }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

const anybody = createClient<paths>({ baseUrl: url });
const saw: Record<string, unknown> = {};
const enrolment = { body: { code, name: "Made of the schema" } };
const enrolled = await anybody.POST("/api/devices/enroll", enrolment);
saw["enrolled"] = met(enrolled);
saw["enrolled again"] = met(await anybody.POST("/api/devices/enroll", enrolment));

const device = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${said(enrolled).token}` } });
const id = crypto.randomUUID();
saw["tag"] = met(await device.POST("/api/tags", { body: { id, name: `Vegan ${id}` } }));
saw["its id again"] = met(await device.POST("/api/tags", { body: { id, name: `Other ${id}` } }));

const resource = { path: { resource: "tag" as const } };
const snapshot = said(await device.GET("/api/sync/{resource}", { params: resource }));
saw["it is read"] = snapshot.items.some((item) => item["id"] === id);
const changes = (epoch: string) =>
  device.GET("/api/sync/{resource}/changes", { params: { ...resource, query: { epoch, since: snapshot.version } } });
saw["changes"] = met(await changes(snapshot.epoch));
saw["of another epoch"] = met(await changes(crypto.randomUUID()));

const data = readFileSync(file);
const album = said(await device.POST("/api/albums", { body: { name: "Kitchen" } }));
const registered = said(
  await device.POST("/api/albums/{album_id}/photos", {
    params: { path: { album_id: album.id } },
    body: { filename: "a.jpg", content_type: "image/jpeg", size: data.length },
  }),
);
const target = registered.upload;
if (!target) throw new Error("nowhere to send it");
const sent = await fetch(new URL(target.url, url), { method: target.method, headers: target.headers, body: data });
saw["sent"] = sent.status;
const path = { params: { path: { photo_id: registered.id } } };
saw["process"] = met(await device.POST("/api/photos/{photo_id}/process", path));
for (const over = Date.now() + 60_000; saw["photo"] !== "ready" && Date.now() < over; await setTimeout(100)) {
  saw["photo"] = said(await device.GET("/api/photos/{photo_id}", path)).status;
}
console.log(JSON.stringify(saw));
