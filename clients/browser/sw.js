// The service worker of /terminal/, and of /studio/. It keeps the page and its files, so that it starts without the network.
//
// A build is kept as a whole, each file compared with its digest, or not at all. The page of the newest build that is in
// charge is answered; files are answered from any build that is kept, because pages of the one before may still run.
// Everything else goes its way: /api/ and /admin/ are never touched.
//
// A page that is another one for each person has no digest. It is asked of the server each time, and what came last is
// answered when that can't be reached. Who is sent elsewhere, to log in, has none kept.
//
// The server writes `self.SHELL` before this: the build, the page's digest or null, the files with their digests, and how
// the names of its caches begin.

/** @typedef {{build: string, page: string | null, files: Record<string, string>, caches: string}} Shell */

const worker = /** @type {ServiceWorkerGlobalScope & {SHELL: Shell}} */ (/** @type {unknown} */ (self));
const { build, page, files } = worker.SHELL;

const PREFIX = worker.SHELL.caches;
const CACHE = `${PREFIX}${build}`;
const SCOPE = new URL("./", worker.location.href); // …/terminal/
const WAIT = 60_000; // ms for one file
const PATIENCE = 8_000; // ms for a personal page of which there is one here
const AT_ONCE = 6;

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(activate()));

worker.addEventListener("message", (event) => {
  if (event.data === "take over") worker.skipWaiting();
  if (event.data === "build?") event.ports[0]?.postMessage(build);
});

worker.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== SCOPE.origin) return;
  if (pathname === SCOPE.pathname)
    event.respondWith(page ? answer(CACHE, SCOPE.href, event.request) : newest(event.request));
  else if (pathname.startsWith(`${SCOPE.pathname}app/`)) event.respondWith(answer(null, url, event.request));
});

/**
 * @param {string | null} cacheName null: whichever has it
 * @param {string} url
 * @param {Request} request for the server, when it isn't kept
 */
async function answer(cacheName, url, request) {
  const kept = await caches.match(url, cacheName ? { cacheName } : {}).catch(() => undefined);
  return kept ?? fetch(request);
}

/** A personal page: the server's, or the one that is kept. @param {Request} request */
async function newest(request) {
  const cache = await caches.open(CACHE).catch(() => null);
  const kept = await cache?.match(SCOPE.href).catch(() => undefined);
  const asked = fetch(request).then(async (response) => {
    if (response.type === "opaqueredirect") await cache?.delete(SCOPE.href);
    else await keepPage(cache, response.clone()).catch(() => {}); // a full disk
    return response;
  });
  if (!kept) return asked;
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  const response = await Promise.race([asked.catch(() => null), late.then(() => null)]);
  return response && response.status < 500 ? response : kept;
}

/** Keeps a page that is one of this build. @param {Cache | null} cache @param {Response} response */
async function keepPage(cache, response) {
  if (response.status !== 200 || response.redirected) return;
  const bytes = await response.arrayBuffer();
  if (!new TextDecoder().decode(bytes).includes(`data-build="${build}"`)) return;
  await cache?.put(SCOPE.href, new Response(bytes, { headers: plain(response.headers) }));
}

async function install() {
  const wanted = Object.entries(files).map(([path, digest]) => ({ url: `${SCOPE}app/${build}/${path}`, digest }));
  try {
    const cache = await caches.open(CACHE);
    const left = wanted.values();
    const lane = async () => {
      for (const file of left) await keep(cache, file.url, file.digest);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    // The last: a cache with a page is whole.
    if (page) await keep(cache, SCOPE.href, page);
    else await keepPage(cache, await fetch(SCOPE.href, { signal: AbortSignal.timeout(WAIT) }));
  } catch (error) {
    await caches.delete(CACHE);
    throw error; // the browser tries again when it next looks for a worker
  }
  // A personal page comes from the server, and its files from any build: nobody has to take a new one.
  if (!page) await worker.skipWaiting();
}

/**
 * Puts what the server has at `url` into `cache`, unless it is there already.
 * @param {Cache} cache
 * @param {string} url
 * @param {string} digest
 */
async function keep(cache, url, digest) {
  if (await cache.match(url)) return;
  for (const mode of /** @type {const} */ (["default", "reload"])) {
    const asked = fetch(url, { cache: mode, redirect: "error", signal: AbortSignal.timeout(WAIT) });
    const response = await asked.catch(() => null);
    const bytes = await response?.arrayBuffer().catch(() => null);
    // The browser's own copy may be damaged: then the server is asked.
    if (!bytes || response?.status !== 200 || (await sha256(bytes)) !== digest) continue;
    await cache.put(url, new Response(bytes, { headers: plain(response.headers) }));
    return;
  }
  throw new Error(`${url} isn't what the build has`);
}

/** Those of the bytes as they are read here. @param {Headers} of */
function plain(of) {
  const headers = new Headers(of);
  for (const name of ["content-encoding", "content-length"]) headers.delete(name);
  return headers;
}

/** @param {ArrayBuffer} bytes */
async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Drops all builds but this one and the one before, and answers the pages that began without a worker. */
async function activate() {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(names.slice(0, -1).map((name) => caches.delete(name)));
  await worker.clients.claim();
}
