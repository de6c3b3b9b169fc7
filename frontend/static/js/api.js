/** The HTTP API as two functions. Every answer is JSON; every refusal is an ApiError with sentences for people. */

export class ApiError extends Error {
  /** status: HTTP status, 0 when no answer came. errors: [{field, message}], field "" when it is not one value. */
  constructor(status, errors) {
    super(errors.map((error) => (error.field ? `${error.field} ${error.message}` : error.message)).join(" "));
    this.status = status;
    this.errors = errors;
  }
}

export function get(path, { signal } = {}) {
  return ask(path, { headers: { Accept: "application/json" }, signal });
}

/** key: an Idempotency-Key; asking twice with one key acts once. */
export function post(path, body = {}, { key = newKey(), signal } = {}) {
  return ask(path, { method: "POST", headers: { ...headers(), "Idempotency-Key": key }, body: JSON.stringify(body), signal });
}

/** A form with files in it, as a FormData. */
export function postForm(path, form, { signal } = {}) {
  const { "Content-Type": ours, ...plain } = headers(); // The browser writes its own, with the boundary of the parts.
  return ask(path, { method: "POST", headers: plain, body: form, signal });
}

/** What does the same when it is done twice: method "PATCH" or "DELETE". */
export function change(method, path, body = {}) {
  return ask(path, { method, headers: headers(), body: JSON.stringify(body) });
}

/** Bytes, such as a piece of a file. */
export function put(path, bytes, { signal } = {}) {
  const plain = { ...headers(), "Content-Type": "application/octet-stream" };
  return ask(path, { method: "PUT", headers: plain, body: bytes, signal });
}

/** 128 random bits. crypto.randomUUID would need https on any address but this machine's own. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function headers() {
  return {
    Accept: "application/json",
    "Content-Type": "application/json",
    "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content,
  };
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, [{ field: "", message: "The server does not answer. Try again in a moment." }]);
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  throw new ApiError(response.status, refusal(response.status, answer));
}

function refusal(status, answer) {
  if (answer?.errors?.length) return answer.errors;
  if (status === 401) return [{ field: "", message: "You are signed out. Open your sign-in link again." }];
  return [{ field: "", message: answer?.detail ?? `The server answered with an error (${status}).` }];
}
