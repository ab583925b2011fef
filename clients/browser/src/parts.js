// What the parts of a terminal are given. Nothing here runs: modules import it in comments only.

/** @typedef {import("./types.js").Unsubscribe} Unsubscribe */

/** @typedef {string | number | any[]} Key */
/** @typedef {{from?: Key, to?: Key, after?: Key, before?: Key}} Range  `from` and `to` are in it, the others aren't */

/**
 * @typedef {object} Transaction await nothing but these inside of one; the whole may run again from its beginning
 * @property {(store: string, key: Key) => Promise<any>} get undefined when there is none
 * @property {(store: string, range?: Range, count?: number) => Promise<any[]>} getAll
 * @property {(store: string, range?: Range, count?: number) => Promise<any[]>} getAllKeys
 * @property {(store: string, index: string, range?: Range, count?: number) => Promise<any[]>} getAllByIndex
 * @property {(store: string, range?: Range) => Promise<number>} count
 * @property {(store: string, value: any, key?: Key) => void} put what fails fails the whole transaction
 * @property {(store: string, key: Key | Range) => void} delete
 * @property {(store: string) => void} clear
 */

/**
 * @typedef {object} Database one of the three; see database.js
 * @property {string} name
 * @property {boolean} isKept false: in memory only
 * @property {<T>(stores: string | string[], work: (tx: Transaction) => Promise<T> | T) => Promise<T>} read
 * @property {<T>(stores: string | string[], work: (tx: Transaction) => Promise<T> | T) => Promise<T>} write
 *   rejects with StorageFull, StorageFailed, or what `work` threw; then nothing was written
 * @property {() => void} close
 */

/**
 * @typedef {object} Tabs the tabs of this browser
 * @property {() => boolean} isConnected whether this tab holds the connection
 * @property {(fn: () => void) => Unsubscribe} subscribe calls when that changed
 * @property {(topic: string, data: any) => void} tell the other tabs
 * @property {(topic: string, fn: (data: any) => void) => Unsubscribe} listen to them
 */

/**
 * @typedef {object} AskOptions
 * @property {Record<string, string | number>} [params]
 * @property {any} [json] a body
 * @property {BodyInit} [body]
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {number} [timeout] ms until the whole answer is there; 30 s unless told
 * @property {boolean} [anonymous] the address itself is the permission: no cookie, no CSRF header
 */

/** @typedef {{status: number, headers: Headers, bytes: ArrayBuffer, url: string}} Answer  its body has been read; `url` is
 *   where it came from, redirects included */

/**
 * @typedef {object} Http all of it rejects with the classes of errors.js
 * @property {(path: string) => string} url
 * @property {(path: string, options?: AskOptions) => Promise<any>} getJson
 * @property {(path: string, json?: any, options?: AskOptions) => Promise<any>} postJson
 * @property {(method: string, path: string, options?: AskOptions) => Promise<Answer>} request when it is a good one (2xx)
 * @property {(path: string, options: AskOptions & {accept: string}) => Promise<Response>} open the answer with its body
 *   still to be read, when it is a good one and its content type begins with `accept`
 * @property {() => Promise<boolean>} isReached whether our server answers now; takes 2 s at most
 */

/**
 * @typedef {object} Surroundings what the parts of a terminal are given
 * @property {Http} http
 * @property {Database} copy
 * @property {Database} pictures
 * @property {Database} own
 * @property {Tabs} tabs
 * @property {{now: () => number}} clock
 * @property {(error: unknown) => void} report what a person may read in the diagnostics
 */

export {};
