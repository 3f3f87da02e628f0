// Sign in, show everything once, then follow the event stream.

import { ApiError, codeFromAddress, resume, signIn, signOut, stream } from "/assets/api.js";
import { byId, show } from "/assets/dom.js";
import * as inbox from "/assets/inbox.js";
import * as jobs from "/assets/jobs.js";
import * as stations from "/assets/stations.js";

const REFRESH_AFTER_MS = 300;
// While hundreds of stations change at once, the list is fetched less often.
const REFRESH_AFTER_FLOOD_MS = 1500;
const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 10_000;

let following = null; // AbortController of the running stream
let dirtyStations = new Set();
let dirtyJobs = false;
let dirtyInbox = false;
let timer = null;
let refreshAfter = REFRESH_AFTER_MS;

function alertUser(message) {
  byId("alert").textContent = message ?? "";
  show("alert", Boolean(message));
}

function live(message) {
  byId("live").textContent = message;
}

function signedOut(message) {
  following?.abort();
  alertUser(message);
  live("");
  show("main", false);
  show("sign-out", false);
  show("sign-in", true);
  byId("token").value = "";
  byId("token").focus();
}

function failed(error) {
  if (error instanceof ApiError && error.status === 401) signedOut("You are signed out.");
  else alertUser(error.message);
}

async function loadAll() {
  await Promise.all([jobs.load(), stations.load(), inbox.load()]);
  alertUser(null);
}

async function refreshDirty() {
  timer = null;
  const [ids, list, knocked] = [dirtyStations, dirtyJobs, dirtyInbox];
  dirtyStations = new Set();
  dirtyJobs = dirtyInbox = false;
  try {
    const [flood] = await Promise.all([
      ids.size ? stations.refresh(ids) : false,
      list ? jobs.load() : null,
      knocked ? inbox.load() : null,
    ]);
    refreshAfter = flood ? REFRESH_AFTER_FLOOD_MS : REFRESH_AFTER_MS;
  } catch (error) {
    failed(error);
  }
}

function onEvent(type, event) {
  if (type === "reset") {
    loadAll().catch(failed);
    return;
  }
  if (type === "job.progress") {
    if (jobs.progress(event.job_id, event.data)) return;
    dirtyJobs = true;
  } else if (type.startsWith("job.")) dirtyJobs = true;
  else if (type.startsWith("inbox.") || type.startsWith("onboarding.")) dirtyInbox = true;
  else if (event.station_id && !type.startsWith("item.")) {
    dirtyStations.add(event.station_id);
    dirtyInbox ||= type === "station.accepted";
  }
  else return;
  timer ??= setTimeout(refreshDirty, refreshAfter);
}

async function follow() {
  const control = new AbortController();
  following = control;
  let lastId = null;
  let wait = RETRY_FIRST_MS;
  while (!control.signal.aborted) {
    try {
      // Open first, then read the state: what happens in between is told by the stream.
      await stream("/api/v1/events", lastId, () => {
        wait = RETRY_FIRST_MS;
        live("live");
        loadAll().catch(failed);
      }, (type, event, id) => {
        lastId = id ?? lastId;
        onEvent(type, event);
      }, control.signal);
    } catch (error) {
      if (control.signal.aborted) return;
      failed(error);
      if (error.status === 401 || error.status === 403) return;
    }
    if (control.signal.aborted) return;
    live("reconnecting…");
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(wait * 2, RETRY_LAST_MS);
  }
}

function start() {
  following?.abort();
  alertUser(null);
  show("sign-in", false);
  show("sign-out", true);
  show("main", true);
  live("connecting…");
  follow();
}

/** Sign in with a link or a token, or go on as before. */
async function enter(given) {
  try {
    if (given) await signIn(given);
    else if (!(await resume())) return signedOut(null);
    start();
  } catch (error) {
    // A link that was used up, perhaps by whom we have before us.
    if (given?.code && (await resume().catch(() => false))) start();
    else signedOut(error.message);
  }
}

function enterFromAddress() {
  const code = codeFromAddress();
  return enter(code ? { code } : null);
}

byId("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  enter({ token: byId("token").value.trim() });
});
byId("sign-out").addEventListener("click", () => {
  signOut().then(() => signedOut(null), failed);
});
byId("filter").addEventListener("input", stations.render);
inbox.setUp(failed);
// A password could be read on the way; on this machine there is no way.
show("unencrypted", location.protocol === "http:" && !isLoopback(location.hostname));
window.addEventListener("hashchange", () => {
  if (location.hash.startsWith("#sign-in=")) enterFromAddress();
});
enterFromAddress();

function isLoopback(name) {
  return name === "localhost" || name === "[::1]" || name.startsWith("127.");
}
