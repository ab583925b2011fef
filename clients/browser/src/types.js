// The shapes of the wire and of the surface. Nothing here runs: modules import it in comments only.

// --- The wire -------------------------------------------------------------------------------------------------------
// A server may send more keys than these, and values that we don't know: docs/sync-protocol.md, rule 7.

/** @typedef {string} Id  a UUID in lower case */
/** @typedef {string} Money  of the wire: text with two digits, `"12.50"` */
/** @typedef {{[key: string]: any, id: Id}} Row  an object of any resource */

/**
 * @typedef {object} Product
 * @property {Id} id
 * @property {string} name
 * @property {string} short_name
 * @property {string} kitchen_name
 * @property {string} sku
 * @property {string} barcode
 * @property {string} description
 * @property {Money} price
 * @property {"fixed" | "open" | "weight" | string} price_type
 * @property {"kg" | "g" | "lb" | "oz" | "l" | "ml" | "" | string} unit
 * @property {string} color `#rrggbb` or empty
 * @property {Id | null} category
 * @property {Id[]} tags
 * @property {Id[]} attributes
 * @property {string | null} image the picture's hash
 * @property {number} position
 * @property {boolean} is_active
 * @property {boolean} is_sold_out
 */

/**
 * @typedef {object} Category
 * @property {Id} id
 * @property {string} name
 * @property {string} color
 * @property {number} position
 * @property {Id | null} parent
 * @property {boolean} is_active
 */

/** @typedef {{id: Id, name: string, color: string, kind: "menu" | "diet" | "allergen" | string}} Tag */

/**
 * @typedef {object} Option
 * @property {Id} id
 * @property {string} name
 * @property {Money} price_change
 * @property {boolean} is_default
 * @property {boolean} is_sold_out
 * @property {number} position
 */

/**
 * @typedef {object} Attribute a group of options
 * @property {Id} id
 * @property {string} name
 * @property {"one" | "many" | string} choice
 * @property {number} min
 * @property {number | null} max
 * @property {number} free
 * @property {boolean} is_required
 * @property {number} position
 * @property {Option[]} options
 */

/** @typedef {{id: Id, name: string, position: number}} Zone */

/**
 * @typedef {object} DiningTable
 * @property {Id} id
 * @property {Id} zone
 * @property {string} name
 * @property {number} seats
 * @property {"rectangle" | "round" | string} shape
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 * @property {number} rotation degrees
 * @property {boolean} is_active
 */

/**
 * @typedef {object} PriceRule
 * @property {Id} id
 * @property {string} name
 * @property {"set" | "percentage" | "amount" | string} adjustment
 * @property {Money} value
 * @property {"all" | "category" | "tag" | "product" | "zone" | string} scope
 * @property {Id | null} category
 * @property {Id | null} tag
 * @property {Id | null} product
 * @property {Id | null} zone
 * @property {number[]} weekdays 1 is Monday
 * @property {string | null} time_from `HH:MM:SS`
 * @property {string | null} time_to
 * @property {string | null} valid_from `YYYY-MM-DD`
 * @property {string | null} valid_to
 * @property {number} priority
 * @property {boolean} is_stackable
 * @property {boolean} is_active
 */

/** @typedef {{name: string, time_zone: string, currency: string}} Shop  `GET /api/shop` */
/** @typedef {{id: Id, name: string, scopes: string[], last_seen: string | null}} Device  `GET /api/devices/me` */

// --- The rules (rules.js) -------------------------------------------------------------------------------------------

/** @typedef {"created" | "updated" | "deleted"} Action */
/** @typedef {Record<string, number | null>} Versions  null: nothing is held, or what is held counts for nothing */

/**
 * @typedef {object} Change one object, as it is after the change
 * @property {string} resource
 * @property {Action} action
 * @property {Id} id
 * @property {number} version
 * @property {Row | null} data null when it was deleted
 */

/**
 * @typedef {object} Fetch ask for the changes `since` a version of `epoch`, or for the snapshot when that is null
 * @property {"fetch"} kind
 * @property {string} resource
 * @property {number | null} since
 * @property {string | null} epoch
 */

/**
 * @typedef {object} Step to be written together: the changes, or all `items` of `replaced`; then what is held
 * @property {"step"} kind
 * @property {string | null} epoch
 * @property {Versions} versions
 * @property {string | null} cursor null when the stream can't be resumed from here
 * @property {Change[]} changes
 * @property {string | null} replaced
 * @property {Row[]} items
 */

/** @typedef {{event: string, id: string | null, data: any}} Frame  of the stream */

// --- What every store has -------------------------------------------------------------------------------------------

/** @typedef {() => void} Unsubscribe */

/**
 * @template T
 * @typedef {object} Store for React's `useSyncExternalStore` as it is: both functions are bound
 * @property {(fn: () => void) => Unsubscribe} subscribe calls `fn` after each change
 * @property {() => T} getSnapshot the same object until something changed
 */

/**
 * @template {{id: Id}} R
 * @typedef {object} Collection one resource in memory; a `Store` of all its objects
 * @property {(fn: () => void) => Unsubscribe} subscribe
 * @property {() => readonly R[]} getSnapshot all objects, by id
 * @property {(id: Id) => R | undefined} get the same object until it changed
 * @property {(id: Id, fn: () => void) => Unsubscribe} subscribeTo one object, also one that isn't there yet
 * @property {number} size
 */

/**
 * @typedef {object} Update what a step did to one object
 * @property {string} resource
 * @property {Action} action
 * @property {Id} id
 * @property {Row | null} before null when it is new
 * @property {Row | null} data null when it is gone
 */

// --- The terminal (terminal.js) -------------------------------------------------------------------------------------

/** @typedef {"connecting" | "catching up" | "live" | "waiting" | "stopped"} ConnectionState */

/**
 * @typedef {object} ConnectionSnapshot
 * @property {ConnectionState} state
 * @property {number} since milliseconds since 1970, when this state began
 * @property {number | null} asOf when the server was last known to be in step with us, also from earlier runs
 * @property {{code: string, message: string} | null} reason why it isn't live
 * @property {number | null} retryAt when it tries again by itself
 * @property {boolean} isConnectedTab whether this tab holds the connection; else it mirrors the one that does
 * @property {boolean} isPolling no stream gets through, so the server is asked every 15 s
 * @property {readonly string[]} missing resources of which nothing current is held
 * @property {number} failures in a row
 */

/**
 * @typedef {object} NoticeSnapshot something that a person should know until it is over
 * @property {"nothing-kept" | "storage-full" | "own-nothing-kept" | string} name
 * @property {string} detail
 */

/**
 * @typedef {object} OpenOptions
 * @property {readonly string[]} [resources] those that are kept; unless told all but `employee`, `role` and
 *   `print_destination`
 * @property {string} [name] of the databases: `<name>-copy`, `<name>-pictures`, `<name>-own`; `redcoral` unless told
 * @property {string} [base] the server's address when it isn't the page's
 * @property {boolean} [connect] whether it connects by itself; true unless told
 */

/**
 * @typedef {object} Terminal what `Terminal.open()` resolves to
 * @property {string} name
 * @property {Record<string, Collection<any>>} resources by the names of the wire: `resources.product`
 * @property {Store<ConnectionSnapshot>} connection
 * @property {Store<readonly NoticeSnapshot[]>} notices
 * @property {Store<Shop>} shop with defaults (name "", zone UTC, EUR) until the server was heard once
 * @property {Store<Device | null>} device null: nobody, or staff that is logged in
 * @property {Images} images
 * @property {Store<OfflineSnapshot>} pictures which are kept for when there is no network, and how many are here
 * @property {Outbox} outbox
 * @property {Tickets} tickets
 * @property {Settings} settings
 * @property {Favourites} favourites
 * @property {(fn: (updates: readonly Update[]) => void) => Unsubscribe} onUpdates what each step did, after it was
 *   written; not the loading at the start
 * @property {() => number} now milliseconds since 1970 by the server's clock when ours is more than 2 minutes off
 * @property {() => void} hurry connects now instead of later
 * @property {(error: unknown) => void} report adds to `errors`
 * @property {() => void} connect for one that was opened with `connect: false`
 * @property {boolean} isConnectedTab
 * @property {string | null} epoch the history that what is held belongs to
 * @property {Versions} versions
 * @property {Store<readonly {at: number, error: unknown}[]>} errors the last ones, for whoever looks for a reason
 * @property {(code: string, name: string) => Promise<Device>} enrol
 * @property {(fn: () => void) => Unsubscribe} onCleared everything was cleared, here or in another tab
 * @property {() => Promise<StorageUsage>} usage
 * @property {() => Promise<void>} clearEverything drops all three databases, what exists only here included
 * @property {() => Promise<void>} close
 */

/**
 * @typedef {object} BrowserStorage what the browser says of this origin; null: it doesn't say, or can't be asked
 * @property {number | null} used bytes
 * @property {number | null} quota bytes
 * @property {boolean | null} isPersistent
 */

/**
 * @typedef {BrowserStorage & {data: number, pictures: number, photos: number}} StorageUsage bytes: `data` of the copy,
 *   estimated; `photos` that wait to be sent
 */

// --- Pictures (images/) ---------------------------------------------------------------------------------------------

/** @typedef {"unknown" | "waiting" | "loading" | "ready" | "missing" | "failed"} ImageStatus */
/** @typedef {{url: string | null, status: ImageStatus}} ImageSnapshot */
/** @typedef {{success_count: number, failed_count: number, already_cached: number}} PrefetchResult */
/** @typedef {{removed_count: number, freed_bytes: number}} CleanupResult */
/** @typedef {{count: number, bytes: number, budget: number}} ImageUsage */

/**
 * @typedef {object} Images
 * @property {(hash: string) => Promise<string>} getImageUrl an object URL, downloaded first when it isn't here
 * @property {(hash: string, fn: () => void) => Unsubscribe} subscribe whoever subscribes shows it: it is fetched
 * @property {(hash: string) => ImageSnapshot} getSnapshot
 * @property {(hashes: Iterable<string>, options?: {onProgress?: (done: number, of: number) => void,
 *   signal?: AbortSignal}) => Promise<PrefetchResult>} prefetchImages
 * @property {(active: Iterable<string>) => Promise<CleanupResult>} cleanupUnused
 * @property {() => Promise<ImageUsage>} usage
 * @property {(bytes: number) => Promise<number>} makeRoom evicts at least so many bytes if it can; returns how many
 * @property {(bytes: number) => Promise<void>} setBudget
 * @property {(pixels: number) => void} setTileWidth how wide a tile is, in device pixels
 * @property {() => Promise<void>} close
 */

/** @typedef {"everything" | "favourites" | "recent" | "nothing"} OfflineMode */

/**
 * @typedef {object} OfflineSnapshot what is kept for when there is no network; `terminal.pictures`
 * @property {OfflineMode} mode by the setting `offline`
 * @property {"complete" | "downloading" | "paused" | "waiting" | "full"} state `paused` by the setting `offline_paused`;
 *   `waiting` for the connection, or until what failed is tried again; `full`: the budget has no room for the rest
 * @property {number} stored pictures
 * @property {number} wanted
 */

// --- Prices (prices/): integers of minor units, no clock inside -----------------------------------------------------

/**
 * @typedef {object} Moment a time in the shop's zone, as `Prices` wants it: `momentAt(now, zone)`
 * @property {string} date `YYYY-MM-DD`
 * @property {number} weekday 1 is Monday
 * @property {number} seconds since midnight
 */

/**
 * @typedef {object} Price what `Prices.of(product, zone)` answers
 * @property {number | null} base minor units; null: the price is no number, and the product can't be added
 * @property {number | null} amount after rules
 * @property {readonly {id: Id, name: string}[]} rules those that counted, in their order
 */

/** @typedef {{id: Id, name: string, amount: number}} ChosenOption  `amount`: what it adds, after `free` ones */

/**
 * @typedef {object} Offer what a guest is told of a product: amounts in minor units
 * @property {Id} product
 * @property {string} name
 * @property {string} price_type
 * @property {number | null} weight in thousandths of the unit; null: not by weight
 * @property {string} unit
 * @property {number} base before rules
 * @property {number} price after rules
 * @property {readonly {id: Id, name: string}[]} rules
 * @property {readonly ChosenOption[]} options
 * @property {number} at milliseconds since 1970
 */

/** @typedef {Offer & {id: Id, quantity: number, total: number, note: string}} TicketLine  what the guest was told */

/**
 * @typedef {object} Ticket
 * @property {string} id the table's, or `counter`
 * @property {Id | null} table
 * @property {string} table_name as it was called last; empty at the counter
 * @property {Id | null} zone
 * @property {readonly TicketLine[]} lines
 * @property {number} total
 * @property {number | null} since milliseconds since 1970; null: empty
 */

/**
 * @typedef {object} Tickets every change is a transaction of its own, and other tabs see it
 * @property {(fn: () => void) => Unsubscribe} subscribe
 * @property {() => readonly Ticket[]} getSnapshot those that have lines
 * @property {(id: string) => Ticket} get by table, or `counter`; an empty one when there is none
 * @property {(id: string, fn: () => void) => Unsubscribe} subscribeTo
 * @property {(id: string, change: (ticket: Ticket) => Ticket) => Promise<Ticket>} change
 * @property {(id: string) => Promise<Ticket>} clear returns what it was
 * @property {(from: string, to: string) => Promise<Ticket>} move
 */

// --- The outbox (outbox/) -------------------------------------------------------------------------------------------

/**
 * @typedef {object} WaitingPhoto
 * @property {Id} id
 * @property {string} hash its final name, under which it is shown
 * @property {Id | null} product
 * @property {"waiting" | "sending" | "processing" | "failed"} state
 * @property {string} error
 * @property {number} size bytes
 * @property {number} at milliseconds since 1970
 */

/**
 * @typedef {object} Outbox
 * @property {(fn: () => void) => Unsubscribe} subscribe
 * @property {() => readonly WaitingPhoto[]} getSnapshot the oldest first
 * @property {(photo: Blob, options?: {product?: Id}) => Promise<string>} add returns its hash
 * @property {(id: Id) => Promise<void>} remove
 * @property {() => Promise<number>} retryFailed
 * @property {() => void} hurry sends now, when there is something and the device may
 * @property {() => Promise<void>} close
 */

// --- The own settings -----------------------------------------------------------------------------------------------

/**
 * @typedef {object} Settings of this device
 * @property {(fn: () => void) => Unsubscribe} subscribe
 * @property {() => Readonly<Record<string, any>>} getSnapshot
 * @property {(name: string, value: any) => Promise<void>} set undefined removes it
 */

/**
 * @typedef {object} Favourites products
 * @property {(fn: () => void) => Unsubscribe} subscribe
 * @property {() => readonly Id[]} getSnapshot in the order in which they were added
 * @property {(id: Id) => boolean} has
 * @property {(id: Id, on: boolean) => Promise<void>} set
 */

// --- What the parts of a terminal are given: parts.js -----------------------------------------------------------------

/** @typedef {import("./parts.js").Key} Key */
/** @typedef {import("./parts.js").Range} Range */
/** @typedef {import("./parts.js").Transaction} Transaction */
/** @typedef {import("./parts.js").Database} Database */
/** @typedef {import("./parts.js").Tabs} Tabs */
/** @typedef {import("./parts.js").AskOptions} AskOptions */
/** @typedef {import("./parts.js").Answer} Answer */
/** @typedef {import("./parts.js").Http} Http */
/** @typedef {import("./parts.js").Surroundings} Surroundings */

export {};
