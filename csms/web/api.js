// REST and server-sent events as whoever the cookie says; scripts cannot read the cookie itself.

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let session = null; // its id, and what goes along with every change

/** The code of `#sign-in=…`, taken out of the address bar before anyone looks over a shoulder. */
export function codeFromAddress() {
  const code = new URLSearchParams(location.hash.slice(1)).get("sign-in");
  if (code) history.replaceState(null, "", location.pathname + location.search);
  return code;
}

/** Exchange `{ code }` of a link, or a `{ token }`, for the cookie. */
export async function signIn(given) {
  session = (await send("POST", "/api/v1/auth/sign-in", given)).session;
}

/** Whether the cookie of an earlier visit is good still. */
export async function resume() {
  try {
    session = (await get("/api/v1/auth/me")).session;
  } catch (error) {
    if (error.status !== 401) throw error;
    session = null;
  }
  return session !== null;
}

export async function signOut() {
  const ended = session;
  if (ended) await send("DELETE", `/api/v1/sessions/${ended.id}`);
  session = null;
}

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { cache: "no-cache", credentials: "same-origin", ...options });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, "The server cannot be reached.");
  }
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new ApiError(response.status, problem.detail ?? `The server answered ${response.status}.`);
  }
  return response;
}

/** Change something, once: a browser may ask again by itself when a connection breaks. */
export async function send(method, path, body) {
  const headers = { "Idempotency-Key": crypto.getRandomValues(new Uint32Array(4)).join("-") };
  if (session) headers["X-CSRF-Token"] = session.csrf_token;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await request(path, { method, headers, body: JSON.stringify(body) });
  return response.status === 204 ? null : response.json();
}

export async function get(path) {
  return (await request(path)).json();
}

/** Every item of a cursor list, at most `most`; tells whether there were more. */
export async function list(path, most) {
  const items = [];
  let cursor = null;
  do {
    const limit = Math.min(500, most - items.length);
    const next = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    const page = await get(`${path}?limit=${limit}${next}`);
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor && items.length < most);
  return { items, more: cursor !== null };
}

/** Call `onEvent(type, data)` for each event until the stream ends; returns the last id. */
export async function stream(path, lastId, onOpen, onEvent, signal) {
  const response = await request(path, { headers: lastId ? { "Last-Event-ID": lastId } : {}, signal });
  onOpen();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = {};
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (event.data) onEvent(event.event, JSON.parse(event.data), event.id);
        event = {};
      } else if (!line.startsWith(":")) {
        const colon = line.indexOf(": ");
        event[line.slice(0, colon)] = line.slice(colon + 2);
      }
    }
  }
}
