// What can go wrong, as a tree:
//
//   RedCoralError
//   ├── InvalidHash
//   ├── PictureRefused        code: too_large, too_many_pixels, unsupported_image, broken_image
//   ├── StorageFailed         the browser's storage can't be used
//   │   └── StorageFull
//   ├── ImageMissing          the server has no such picture
//   ├── Closed                this terminal was closed
//   ├── ServerUnavailable     worth another try; status, retryAfter
//   │   └── UnexpectedAnswer  what answered doesn't speak as our server does
//   │       └── ImageDamaged
//   └── Refused               the server said no; status, code, detail, body
//       ├── NotEnrolled       401
//       └── NotAllowed        403

export class RedCoralError extends Error {
  /** @param {string} [message] @param {string} [code] */
  constructor(message = "", code = "failed") {
    super(message || code);
    this.name = new.target.name;
    this.code = code;
  }
}

/** An image's name is the SHA-256 of its bytes: 64 lower-case hexadecimal digits. */
export class InvalidHash extends RedCoralError {
  constructor(message = "no name of a picture") {
    super(message, "invalid_hash");
  }
}

/** These bytes don't become a picture here; `code` says why, in the server's words. */
export class PictureRefused extends RedCoralError {
  /** @param {string} code @param {string} [message] */
  constructor(code, message = "") {
    super(message || code, code);
  }
}

/** The browser's storage can't be used just now. */
export class StorageFailed extends RedCoralError {
  constructor(message = "the browser's storage failed", code = "storage_failed") {
    super(message, code);
  }
}

/** The disk, or this origin's part of it, has no room for this. */
export class StorageFull extends StorageFailed {
  constructor(message = "there is no room for this") {
    super(message, "storage_full");
  }
}

/** The server has no picture of this hash. */
export class ImageMissing extends RedCoralError {
  constructor(message = "the server has no such picture") {
    super(message, "image_missing");
  }
}

/** This terminal was closed. */
export class Closed extends RedCoralError {
  constructor(message = "this terminal is closed") {
    super(message, "closed");
  }
}

/** No answer, or none that says anything: worth another try later. */
export class ServerUnavailable extends RedCoralError {
  /**
   * @param {string} [message]
   * @param {{status?: number | null, retryAfter?: number | null, code?: string, detail?: string, isOurs?: boolean}}
   *   [more] `status` of the answer (5xx, 429), null when there was none; `retryAfter`: the seconds that the server asked
   *   for; `detail`: what it said; `isOurs`: it was recognisably our server's answer
   */
  constructor(
    message = "the server wasn't reached",
    { status = null, retryAfter = null, code = "not_reached", detail = "", isOurs = false } = {},
  ) {
    super(message, code);
    this.status = status;
    this.retryAfter = retryAfter;
    this.detail = detail;
    this.isOurs = isOurs;
  }
}

/** What answered doesn't speak as our server does (a captive portal?), or the answer was damaged. */
export class UnexpectedAnswer extends ServerUnavailable {
  /** @param {string} [message] @param {{status?: number | null, code?: string}} [more] */
  constructor(message = "this isn't our server's answer", { status = null, code = "unexpected_answer" } = {}) {
    super(message, { status, code });
  }
}

/** The bytes that came aren't the picture that was asked for. */
export class ImageDamaged extends UnexpectedAnswer {
  constructor(message = "the picture came damaged") {
    super(message, { code: "image_damaged" });
  }
}

/** The server answered, and said no. */
export class Refused extends RedCoralError {
  /** @param {number} status @param {string} code @param {string} [detail] @param {Record<string, any>} [body] */
  constructor(status, code, detail = "", body = {}) {
    super(detail || `${status} ${code}`, code);
    this.status = status;
    this.detail = detail;
    this.body = body;
  }
}

/** The device's cookie is wrong, was replaced or was revoked: a person has to enrol again. */
export class NotEnrolled extends Refused {}

/** This device may not do that: its scopes don't allow it. */
export class NotAllowed extends Refused {}
