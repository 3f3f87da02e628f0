// REST and server-sent events with a bearer token; EventSource cannot send one.

const KEY = "csms-token";

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export function token() {
  return sessionStorage.getItem(KEY);
}

export function remember(value) {
  sessionStorage.setItem(KEY, value);
}

export function forget() {
  sessionStorage.removeItem(KEY);
}

/** Take `#token=…` over and out of the address bar, before anyone looks over a shoulder. */
export function takeFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    remember(given);
    history.replaceState(null, "", location.pathname + location.search);
  }
}

async function request(path, headers = {}, signal = undefined) {
  let response;
  try {
    response = await fetch(path, {
      headers: { Authorization: `Bearer ${token()}`, ...headers },
      cache: "no-cache",
      signal,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "The server cannot be reached.");
  }
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new ApiError(response.status, problem.detail ?? `The server answered ${response.status}.`);
  }
  return response;
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
  const response = await request(path, lastId ? { "Last-Event-ID": lastId } : {}, signal);
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
